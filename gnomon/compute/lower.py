"""Lowering: a program of named SymPy definitions, for one structure, into a straight-line program.

Sums and indices are unrolled by an interpreter that carries the values of the indices, so that nothing is substituted
and definitions stay shared. What is whole-numbered (sizes, indices, graph entries, Kronecker deltas) is decided here.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from gnomon.compute.operations import FUNCTIONS, PAIRED, REDUCED
from gnomon.compute.slp import SLP
from gnomon.compute.whole_numbers import Bindings, Env, LoweringError, Wholes
from gnomon.proof.reductions import ArgMax, Kept
from gnomon.proof.terms import name_of
from gnomon.say.claim import Claim, Output, Program, Relation
from gnomon.say.domain import Choice, Domain, Sizes, Structural, Structure

COMPARISONS = {
    sp.StrictLessThan: ("lt", False), sp.LessThan: ("le", False), sp.StrictGreaterThan: ("lt", True),
    sp.GreaterThan: ("le", True), sp.Equality: ("eq", False),
}  # fmt: skip


def bind(structural: tuple[Structural, ...], structure: Structure) -> Bindings:
    """Read a structure's values.

    Raises:
        LoweringError: if the structure lacks a value or names an option that does not exist.
    """
    numbers: dict[str, int] = {}
    arrays: dict[str, Any] = {}
    functions: dict[str, sp.Lambda] = {}
    for domain in structural:
        if domain.name not in structure:
            raise LoweringError(f"the structure lacks {domain.name}; it has {', '.join(structure) or 'nothing'}")
        value = structure[domain.name]
        if isinstance(domain, Choice):
            if value not in domain.options:
                raise LoweringError(f"{domain.name}={value!r} is none of {', '.join(domain.options)}")
            for symbol, meaning in domain.options[value].items():
                if isinstance(meaning, sp.Lambda):
                    functions[getattr(symbol, "__name__", str(symbol))] = meaning
                elif isinstance(meaning, int):
                    numbers[str(symbol)] = meaning
                else:
                    arrays[str(getattr(symbol, "label", symbol))] = meaning
        elif isinstance(value, int):
            numbers[domain.name] = value
        else:
            arrays[domain.name] = value
            if isinstance(domain, Sizes) and domain.widest:
                numbers[domain.widest] = domain.high
    return Bindings(numbers, arrays, functions)


@dataclass
class Lowering:
    """One program being lowered; :meth:`outputs` and :meth:`scalar` give node numbers."""

    bindings: Bindings
    inputs: Mapping[str, Domain]
    program: Program
    slp: SLP = field(default_factory=SLP)

    def __post_init__(self) -> None:
        self._lets = {name_of(lhs): (getattr(lhs, "indices", ()), rhs) for lhs, rhs in self.program.lets}
        self._made: dict[tuple[str, tuple[int, ...]], int] = {}
        self._busy: set[tuple[str, tuple[int, ...]]] = set()
        self._arguments: dict[str, int] = {}
        self.numbers = Wholes(self.bindings, {*self._lets, *self.inputs})
        self.observed: dict[str, dict[tuple[int, ...], int]] = {}

    # ------------------------------------------------------------------ nodes

    def define(self, name: str, index: tuple[int, ...]) -> int:
        key = (name, index)
        if key in self._made:
            return self._made[key]
        if key in self._busy:
            raise LoweringError(f"{name}{list(index)} is defined through itself")
        parameters, rhs = self._lets[name]
        if len(parameters) != len(index):
            raise LoweringError(f"{name} is defined with {len(parameters)} indices and used with {len(index)}")
        self._busy.add(key)
        node = self.node(rhs, {str(p): i for p, i in zip(parameters, index, strict=True)})
        self._busy.discard(key)
        self._made[key] = node
        return node

    def named(self, name: str, index: tuple[int, ...]) -> int:
        if name in self._arguments:
            return self._arguments[name]
        if name in self.observed:
            if index not in self.observed[name]:
                raise LoweringError(f"output {name} has no entry {list(index)}")
            return self.observed[name][index]
        if name in self._lets:
            return self.define(name, index)
        if name in self.inputs:
            domain = self.inputs[name]
            return self.slp.leaf(name, index, host=domain.host, within=(domain.low, domain.high))
        if name in self.bindings.arrays:
            raise LoweringError(f"{name}{list(index)} is no number")
        known = ", ".join([*self._lets, *self.inputs, *self.bindings.numbers, *self.bindings.arrays])
        raise LoweringError(f"{name} is neither an input, a definition nor a size; known: {known}")

    def node(self, expr: Any, env: Env) -> int:
        """Lower an expression, with its free indices given by ``env``."""
        slp = self.slp
        expr = sp.sympify(expr)
        if expr.is_Rational:
            return slp.constant(Fraction(int(expr.p), int(expr.q)))
        if expr.is_Float:
            return slp.constant(Fraction(float(expr)))
        value = self.numbers.whole(expr, env)
        if value is not None:
            return slp.constant(value)
        if expr.is_Symbol:
            return self.named(expr.name, ())
        if isinstance(expr, sp.Indexed):
            name = name_of(expr)
            if name in self.bindings.arrays:
                return slp.constant(Fraction(self.numbers.array_entry(expr, env)))
            return self.named(name, self.numbers.index(expr, env))
        if expr is sp.pi:
            return slp.pi()
        if expr is sp.E:
            return slp.unary("exp", slp.constant(1))
        if expr is sp.S.NegativeInfinity:
            return slp.minus_infinity()
        if expr.is_Add or isinstance(expr, sp.Sum):
            return self._fold("add", self._summands(expr, env))
        if expr.is_Mul:
            return self._product(expr, env)
        if expr.is_Pow:
            return self._power(expr, env)
        if isinstance(expr, sp.Product):
            return self._fold("mul", [self.node(expr.function, inner) for inner in self.ranges(expr.limits, env)])
        if isinstance(expr, (sp.Max, sp.Min)):
            return self._fold("max" if isinstance(expr, sp.Max) else "min", [self.node(arg, env) for arg in expr.args])
        if expr.func in REDUCED:
            return self._reduced(expr, env)
        if isinstance(expr, sp.KroneckerDelta):
            pair = [self.node(arg, env) for arg in expr.args]
            return slp.select(slp.binary("eq", *pair), slp.constant(1), slp.constant(0))
        if isinstance(expr, (sp.Piecewise, Kept)):
            return self._piecewise(expr.written if isinstance(expr, Kept) else expr, env)
        if expr.func in FUNCTIONS:
            return slp.unary(FUNCTIONS[expr.func], self.node(expr.args[0], env))
        if expr.func in PAIRED:
            return slp.binary(PAIRED[expr.func], *[self.node(arg, env) for arg in expr.args])
        if getattr(expr.func, "__name__", "") in self.bindings.functions:
            return self._apply(self.bindings.functions[expr.func.__name__], expr, env)
        raise LoweringError(f"cannot lower {expr.func.__name__} in {expr}")

    def ranges(self, limits: Any, env: Env) -> list[Env]:
        """The index values that a Sum's or an Output's limits run over."""
        return self.numbers.ranges(limits, env)

    def _summands(self, expr: Any, env: Env) -> list[int]:
        """What a formula adds, as nodes: sums within a sum, its branches' and those taken off, are part of it.

        Brackets that SymPy does not write are no order of additions, so no inner sum may be known better than its
        terms; a definition's name is one.
        """
        expr = sp.sympify(expr)
        if expr.is_Add:
            return [node for arg in expr.args for node in self._summands(arg, env)]
        if isinstance(expr, sp.Sum):
            return [node for inner in self.ranges(expr.limits, env) for node in self._summands(expr.function, inner)]
        if expr.is_Mul and expr.args[0] is sp.S.NegativeOne:
            return [self.slp.neg(node) for node in self._summands(-expr, env)]
        if isinstance(expr, sp.Piecewise):
            for value, condition in expr.args:
                decided = self.numbers.holds(condition, env)
                if decided is True:
                    return self._summands(value, env)
                if decided is not False:
                    break
        return [self.node(expr, env)]

    def _fold(self, op: str, nodes: list[int]) -> int:
        if not nodes:
            return self.slp.constant(0 if op == "add" else 1)
        if op == "add":
            return self.slp.total(nodes)
        total = nodes[0]
        for node in nodes[1:]:
            total = self.slp.binary(op, total, node)
        return total

    def _reduced(self, expr: Any, env: Env) -> int:
        terms = [self.node(expr.function, inner) for inner in self.ranges(expr.limits, env)]
        if not terms:
            raise LoweringError(f"{expr} is over no term at all here")
        first = self.numbers.whole(expr.ends[0], env) if isinstance(expr, ArgMax) else 0
        return self.slp.reduced(REDUCED[expr.func], terms, first or 0)

    def _product(self, expr: Any, env: Env) -> int:
        above, below = [], []
        for factor in expr.args:
            if factor.is_Pow and factor.exp.is_Rational and factor.exp < 0:
                below.append(self.node(sp.Pow(factor.base, -factor.exp), env))
            elif factor.is_Rational and factor.p == 1 and factor.q != 1:
                below.append(self.slp.constant(int(factor.q)))
            else:
                above.append(self.node(factor, env))
        top = self._fold("mul", above)
        return self.slp.div(top, self._fold("mul", below)) if below else top

    def _power(self, expr: Any, env: Env) -> int:
        if expr.base is sp.E:
            return self.slp.unary("exp", self.node(expr.exp, env))
        exponent = self.numbers.whole(expr.exp, env)
        if exponent is not None:
            return self.slp.power(self.node(expr.base, env), exponent)
        if expr.exp.is_Rational and expr.exp.q == 2:
            root = self.slp.unary("sqrt", self.node(expr.base, env))
            return self.slp.power(root, int(expr.exp.p))
        return self.slp.binary("pow", self.node(expr.base, env), self.node(expr.exp, env))

    def _piecewise(self, expr: Any, env: Env) -> int:
        value, condition = expr.args[0]
        decided = self.numbers.holds(condition, env)
        rest = expr.args[1:]
        if decided is True:
            return self.node(value, env)
        if not rest:
            raise LoweringError(f"no branch of {expr} applies here")
        otherwise = sp.Piecewise(*rest, evaluate=False) if rest[0][1] is not sp.true else rest[0][0]
        if decided is False:
            return self.node(otherwise, env)
        if isinstance(condition, (sp.And, sp.Or)):
            first, others = condition.args[0], condition.func(*condition.args[1:])
            inner = sp.Piecewise((value, others), (otherwise, True), evaluate=False)
            pieces = (inner, otherwise) if isinstance(condition, sp.And) else (value, inner)
            return self._piecewise(sp.Piecewise((pieces[0], first), (pieces[1], True), evaluate=False), env)
        if not isinstance(condition, Relational) or condition.func not in COMPARISONS:
            raise LoweringError(f"cannot lower the condition {condition}")
        op, swapped = COMPARISONS[condition.func]
        sides = [self.node(condition.lhs, env), self.node(condition.rhs, env)]
        test = self.slp.binary(op, *(reversed(sides) if swapped else sides))
        return self.slp.select(test, self.node(value, env), self.node(otherwise, env))

    def _apply(self, body: sp.Lambda, expr: Any, env: Env) -> int:
        """The body of a bound function, with its arguments made first and known inside under names of their own."""
        if len(body.variables) != len(expr.args):
            raise LoweringError(f"{expr.func.__name__} takes {len(body.variables)} arguments, got {len(expr.args)}")
        names = [f"{expr.func.__name__}#{position}" for position in range(len(expr.args))]
        made = [self.node(arg, env) for arg in expr.args]
        self._arguments.update(zip(names, made, strict=True))
        renamed = {old: sp.Symbol(new) for old, new in zip(body.variables, names, strict=True)}
        return self.node(body.expr.xreplace(renamed), env)

    # ------------------------------------------------------------------ outputs

    def outputs(self, outputs: tuple[Output, ...]) -> dict[str, tuple[list[int], tuple[int, ...]]]:
        """For each output its nodes in row-major order and its shape; rows that are shorter are filled up with 0."""
        found = {}
        for output in outputs:
            order = [str(index) for index, _, _ in output.ranges]
            envs = {tuple(env[index] for index in order): env for env in self.ranges(output.ranges[::-1], {})}
            axes = [sorted({at[axis] for at in envs}) for axis in range(len(order))]
            try:
                nodes = [
                    self.node(output.entry, envs[at]) if at in envs else self.slp.constant(0)
                    for at in itertools.product(*axes)
                ]
            except RecursionError:
                raise LoweringError(f"output {output.name} leans on itself without an end: no base case?") from None
            if not nodes:
                raise LoweringError(f"output {output.name} has no entries")
            found[output.name] = (nodes, tuple(map(len, axes)))
        return found


def lower_relation(
    lowering: Lowering, relation: Relation, observed: dict[str, dict[tuple[int, ...], int]]
) -> list[tuple[int, int]]:
    """The (smaller, larger) sides of a relation, with these nodes in the place of the outputs."""
    lowering.observed = observed
    pairs = []
    for env in lowering.ranges(relation.ranges, {}):
        sides = lowering.node(relation.lhs, env), lowering.node(relation.rhs, env)
        pairs.append(sides if relation.sense == "<=" else sides[::-1])
    lowering.observed = {}
    return pairs


def entries(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All indices of a tensor of this shape, in row-major order."""
    return list(itertools.product(*(range(extent) for extent in shape)))


def shape_of(domain: Domain, bindings: Bindings) -> tuple[int, ...]:
    """A domain's concrete shape under a structure."""
    numbers, shape = Wholes(bindings, ()), []
    for extent in domain.shape:
        value = numbers.whole(sp.sympify(extent), {})
        if value is None:
            raise LoweringError(f"the extent {extent} of {domain.name} has no value in this structure")
        shape.append(value)
    return tuple(shape)


def lowering_for(
    claim: Claim, structure: Structure, program: Program | None = None, slp: SLP | None = None
) -> Lowering:
    """A lowering of a claim's program (or another with the same inputs) under a structure."""
    return Lowering(
        bind(claim.structure, structure),
        {domain.name: domain for domain in claim.inputs},
        program or claim.program,
        slp if slp is not None else SLP(),
    )
