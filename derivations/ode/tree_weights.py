"""Elementary weights of rooted trees on a board: recursions over trees and stages, which the kernel computes.

``u[tree, s]`` is a tree's weight at stage s, the product over its branches of ``sum_j a[s, j] u[branch, j]``; the
weight of the tree is ``Phi = sum_s b[s] u[tree, s]``. A method has order p if and only if Phi is 1 over the density of
every tree with at most p nodes (Butcher 1963; Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I,
theorem II.2.13).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sympy import Eq, Indexed, IndexedBase, Piecewise, Rational, S, Sum

from gnomon.derivations.ode.trees import Tree, density
from gnomon.proof.bench import Bench, Chain
from gnomon.proof.terms import mentioned, name_of
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board


def by_tree(index: Any, known: Sequence[Tree], of: Callable[[Tree], Any], first: int = 0) -> Any:
    """A formula for each tree, at an index that counts them from ``first`` on."""
    cases = [(of(tree), Eq(index, first + place)) for place, tree in enumerate(known)]
    return Piecewise(*cases[:-1], (cases[-1][0], True), evaluate=False)


def over_branches(known: Sequence[Tree], tree: Tree, of: Callable[[int], Any]) -> Any:
    """The product of ``of(place)`` over the branches of a tree, by their places among those that are known."""
    return math.prod((of(known.index(branch)) for branch in tree), start=S.One)


@dataclass(frozen=True)
class Weights:
    """The weights ``u[place, s]`` of the trees that are known at the stages of a method with the coefficients a."""

    known: tuple[Tree, ...]
    a: Any
    s: Any
    j: Any
    stages: int
    u: Any

    def inner(self, tree: Tree) -> Any:
        """The weight of a tree at a stage, by those of its branches."""
        a, s, j = self.a, self.s, self.j
        return over_branches(self.known, tree, lambda branch: Sum(a[s, j] * self.u[branch, j], (j, 0, s - 1)))

    def under(self, b: Any, tree: Any) -> Any:
        """Phi of a place, if ``b`` are the weights of the stages."""
        return Sum(b[self.s] * self.u[tree, self.s], (self.s, 0, self.stages - 1))


def weights(c: Board, tree: Any, known: tuple[Tree, ...], a: Any, s: Any, j: Any, stages: int) -> Weights:
    """The recursion for all trees that are known, branches before what they are part of; ``tree`` counts them."""
    of = Weights(known, a, s, j, stages, IndexedBase("u", real=True))
    c.let("u", (tree, s), by_tree(tree, known, of.inner))
    return of


@dataclass
class Numbers:
    """What weights come to where tree and stage are known, each once."""

    p: Bench
    of: Weights
    turns: dict[int, Theorem] = field(default_factory=dict)
    found: dict[Any, Theorem] = field(default_factory=dict)

    def turn(self, place: int) -> Theorem:
        """The recursion of one tree, at every stage."""
        if place not in self.turns:
            of = self.of
            entry, inner = of.u[place, of.s], of.inner(of.known[place])
            name = f"weights of tree {place}"
            self.turns[place] = self.p.lemmas.get(name) or self.p.have(
                name, entry, "=", inner, lambda b: b.left.unfold(of.u)
            )
        return self.turns[place]

    def worked(self, chain: Chain, *tables: str) -> Chain:
        """A chain led to the number that its end is; ``tables`` are put in."""
        while chain.now.has(Sum):
            chain.listed()
        for name in tables:
            if name in mentioned(chain.now):
                chain.unfold(name)
        for x in sorted((x for x in chain.now.atoms(Indexed) if name_of(x) == name_of(self.of.u)), key=str):
            if x not in self.found:
                self.found[x] = self.worked(self.p.chain(x).rewrite(self.turn(int(x.indices[0]))), "a").theorem
            if chain.now.has(x):
                chain.rewrite(self.found[x])
        return chain


def order_conditions(c: Board, of: Weights, b: Any, number: Any, met: bool = True) -> None:
    """Law: the trees over whose places ``number`` runs have the weights 1 over their densities; or none of them has."""
    first, last = c.ranges[number]
    weight, due = of.under(b, number), by_tree(number, of.known, lambda tree: Rational(1, density(tree)))
    c.law(*((weight, due) if met else ((weight - due) ** 2, ">", 0)))

    @c.prove
    def _(p: Bench) -> None:
        numbers = Numbers(p, of)

        def at(bench: Bench, _: int) -> None:
            numbers.worked(bench.left if met else bench.right, name_of(b))

        p.every(number, int(last - first) + 1, at, int(first))
