"""The bench: how authors lead a goal to true. Nothing here is trusted; every link goes through the rules.

A :class:`Chain` begins at one side of a goal, and each link begins where the last one ended. A :class:`Bench` holds the
goal, both chains, and the lemmas by name; a lemma that the proof does not use is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy as sp

from gnomon.proof import equality, expectation, extremes, goals, inequality, library, tangent
from gnomon.proof.bench_extremes import Extremes
from gnomon.proof.equality import belongs
from gnomon.proof.goals import Goal
from gnomon.proof.normal_form import fresh
from gnomon.proof.reductions import Largest, Smallest
from gnomon.proof.terms import Facts, alike, name_of, walk, within
from gnomon.proof.theorem import Refused, Theorem
from gnomon.proof.theory import Theory

Ranges = Mapping[Any, tuple[Any, Any]]
WRITTEN = {sp.Sum: sp.Add, sp.Product: sp.Mul, Largest: sp.Max, Smallest: sp.Min}
"""What a binder over known numbers is written out as."""


class Chain:
    """Links from one expression on; each method adds one, and returns the chain.

    Raises:
        Refused: by every method, if its rule does not apply or changes nothing.
    """

    def __init__(self, theory: Theory, start: Any, given: Facts = frozenset()) -> None:
        self.theory, self.given = theory, frozenset(given)
        self.links: list[Theorem] = []
        self.theorem = equality.reflexive(theory, sp.sympify(start), self.given)

    @property
    def now(self) -> Any:
        """Where the chain has come to."""
        return self.theorem.rhs

    def _then(self, link: Theorem, silent: bool = False) -> Chain:
        if alike(link.lhs, link.rhs):
            if silent:
                return self
            raise Refused(f"this link changes nothing: {link.rule} at\n    {link.rhs}")
        self.links.append(link)
        self.theorem = equality.chain(self.theory, self.theorem, link)
        return self

    def unfold(self, *names: Any) -> Chain:
        """Definitions put in, one after the other, and what the facts decide decided."""
        for name in map(name_of, names):
            if name not in self.theory.definitions:
                raise Refused(f"{name} is no definition; there are {', '.join(sorted(self.theory.definitions))}")
            self._then(equality.rewrite(self.theory, self.theory.definitions[name], self.now, self.given))
            self._then(equality.decide(self.theory, self.now, self.given), silent=True)
        return self

    def expand(self, *keep: Any) -> Chain:
        """All definitions put in that do not recur, but for those to keep."""
        kept = set(map(name_of, keep))
        while names := [n for n in self.theory.plain_in(self.now) if n not in kept]:
            self.unfold(names[0])
        return self

    def rewrite(self, *theorems: Theorem, at: dict[Any, Any] | None = None) -> Chain:
        """Equations used from left to right, wherever they apply."""
        for theorem in theorems:
            self._then(equality.rewrite(self.theory, theorem, self.now, self.given, at))
            self._then(equality.decide(self.theory, self.now, self.given), silent=True)
        return self

    def decide(self) -> Chain:
        """Branches, deltas and maxima that the facts decide."""
        return self._then(equality.decide(self.theory, self.now, self.given))

    def contract(self, over: str = "") -> Chain:
        """Kronecker deltas summed away."""
        return self._then(equality.contract(self.theory, self.now, self.given, over))

    def reindex(self, **new: Any) -> Chain:
        """Dummies renamed, shifted or reflected: ``reindex(k=n - 1 - l)`` by the name of the old one.

        The new dummy is the one free symbol of the expression that ends in no size of the theory.
        """
        pairs = {}
        for name, there in new.items():
            fresh_one = [s for s in there.free_symbols if sp.expand(there).coeff(s) in (1, -1) and not s.is_positive]
            if len(fresh_one) != 1:
                raise Refused(f"{name} = {there}: which is the new index?")
            pairs[sp.Symbol(name)] = (fresh_one[0], there)
        return self._then(equality.renamed(self.theory, self.now, pairs, self.given))

    def without(self) -> Chain:
        """Powers of e with 0 in the place of what is minus infinity: what a mask leaves out."""
        return self._then(extremes.without(self.theory, self.now, self.given))

    def taken_out(self, factor: Any) -> Chain:
        """A factor that is not 0 taken out of sums of branches."""
        return self._then(extremes.taken_out(self.theory, self.now, factor, self.given))

    def listed(self, quiet: bool = False) -> Chain:
        """Sums and products over known numbers written out; ``quiet`` if there may be none."""

        def change(x: Any, _: Facts) -> Any:
            write = next((to for kind, to in WRITTEN.items() if isinstance(x, kind)), None)
            if write is None or len(x.limits) != 1 or not all(end.is_Integer for end in x.limits[0][1:]):
                return None
            v, first, last = x.limits[0]
            return write(*[x.function.xreplace({v: sp.Integer(n)}) for n in range(first, last + 1)])

        after = walk(fresh(self.now), frozenset(), change)
        return self._then(equality.normal(self.theory, self.now, after, self.given), silent=quiet)

    def to(self, e: Any) -> Chain:
        """Another way to write it, seen by normal form."""
        return self._then(equality.normal(self.theory, self.now, sp.sympify(e), self.given))

    def by(self, theorem: Theorem) -> Chain:
        """A link that is shown already: it begins where the chain ended (up to normal form)."""
        if not alike(theorem.lhs, self.now):
            self.to(theorem.lhs)
        self.theorem = equality.chain(self.theory, self.theorem, theorem)
        self.links.append(theorem)
        return self

    def at_most(self, e: Any, *parts: tuple[Any, Theorem], strict: bool = False) -> Chain:
        """``<= e``, since the gap is the sum of nonnegative coefficients times the gaps of theorems, and a rest."""
        rel = "<" if strict else "<="
        return self.by(inequality.combine(self.theory, self.now, rel, sp.sympify(e), parts, self.given))

    def expect(self) -> Chain:
        """Expectations of polynomials in noise, and of what is read at draws, worked out."""
        return self._then(expectation.moments(self.theory, self.now, self.given))

    def linear(self) -> Chain:
        """Sums and what is not random taken out of expectations."""
        return self._then(expectation.linear(self.theory, self.now, self.given))

    def mirrored(self) -> Chain:
        """Expectations over noise of an even law of the mean of both signs."""
        return self._then(expectation.mirrored(self.theory, self.now, self.given))

    def meet(self, other: Chain) -> Theorem:
        """Both chains of equations end in the same, by normal form."""
        if not alike(self.now, other.now):
            self._then(equality.normal(self.theory, self.now, other.now, self.given))
        return equality.chain(self.theory, self.theorem, equality.symmetric(self.theory, other.theorem))


Fill = Callable[..., Any]


class Bench(Extremes):
    """One goal, and what is at hand to show it."""

    def __init__(self, theory: Theory, goal: Goal, ranges: Ranges | None = None, parent: Bench | None = None) -> None:
        self.theory, self.goal, self.ranges = theory, goal, dict(ranges or {})
        self.lemmas: dict[str, Theorem] = parent.lemmas if parent else {}
        self.settled: list[Theorem] = parent.settled if parent else []
        self.left = Chain(theory, goal.lhs, goal.given)
        self.right = Chain(theory, goal.rhs, goal.given)
        self.closed: Theorem | None = None
        self.number = 0

    def chain(self, start: Any, given: Sequence[Any] = ()) -> Chain:
        """A chain of its own, beside the goal's: what it comes to is a theorem, ``chain.theorem``.

        It supposes what the goal supposes of the symbols that occur in it.
        """
        start = sp.sympify(start)
        about = frozenset(fact for fact in self.goal.given if fact.free_symbols & start.free_symbols)
        return Chain(self.theory, start, about | frozenset(given))

    # ------------------------------------------------------------ closing

    def combine(self, *parts: tuple[Any, Theorem]) -> None:
        """Close the goal: both chains' ends differ by the sum of coefficients times gaps, and a rest of known sign."""
        middle = inequality.combine(self.theory, self.left.now, self.goal.rel, self.right.now, parts, self.goal.given)
        ends = equality.symmetric(self.theory, self.right.theorem)
        self.closed = equality.chain(self.theory, equality.chain(self.theory, self.left.theorem, middle), ends)

    def by(self, theorem: Theorem) -> None:
        """Close the goal with a theorem that says just this."""
        self.closed = theorem

    def done(self, why: str = "") -> Theorem:
        """The goal as a theorem.

        Raises:
            Refused: if the chains do not meet.
        """
        whole = goals.general(self.theory, self.shown(), self.goal, why)
        return goals.settle(self.theory, whole, *self.settled) if self.settled else whole

    def shown(self) -> Theorem:
        """What closes the goal: the chains meet, or their ends differ by what has the sign that is asked for."""
        if self.closed is None and self.goal.rel == "=":
            self.closed = self.left.meet(self.right)
        elif self.closed is None:
            self.combine()
        assert self.closed is not None
        return self.closed

    def settle(self, *theorems: Theorem) -> None:
        """What must hold for everything to be defined follows from these, too: that a root's argument is not negative.

        What it is asked of may be a definition far down: ``theta[t]`` asks for what the steps before it ask for.
        """
        self.settled += theorems

    # ------------------------------------------------------------ lemmas

    def stated(self, lhs: Any, rel: str, rhs: Any, given: Sequence[Any] = (), over: Sequence[Any] = ()) -> Goal:
        """A goal for all values of its free indices in their ranges; what else is given is said.

        A range that hangs on another index is supposed where that index occurs, too: ``j < n[l]`` needs an l.
        """
        lhs, rhs = sp.sympify(lhs), sp.sympify(rhs)
        free = lhs.free_symbols | rhs.free_symbols
        indices = [v for v in self.ranges if v in free]
        known = [
            v for v in indices if all(set(self.ranges) & sp.sympify(end).free_symbols <= free for end in self.ranges[v])
        ]
        ranges = frozenset().union(*[within((v, *self.ranges[v])) for v in known])
        return Goal(lhs, rel, rhs, ranges | frozenset(given), frozenset(indices) | frozenset(over))

    def have(
        self,
        name: str,
        lhs: Any,
        rel: str,
        rhs: Any,
        fill: Fill | None = None,
        *,
        given: Sequence[Any] = (),
        over: Sequence[Any] = (),
    ) -> Theorem:
        """A lemma by name: ``fill(bench)`` shows it; it is general in its indices."""
        bench = Bench(self.theory, self.stated(lhs, rel, rhs, given, over), self.ranges, self)
        if fill is not None:
            fill(bench)
        return self.named(name, bench.done(name))

    def named(self, name: str, theorem: Theorem) -> Theorem:
        """A theorem kept under a name. One that the proof then does not use is an error."""
        if name in self.lemmas:
            raise Refused(f"two lemmas are called {name!r}")
        self.lemmas[name] = belongs(self.theory, theorem)
        return theorem

    def condition(self, name: str) -> Theorem:
        """One of the claim's conditions, or of what its domains say, by name."""
        if name not in self.theory.conditions:
            known = ", ".join(self.theory.conditions) or "none"
            raise Refused(f"no condition is called {name!r}; there are: {known}")
        return self.theory.conditions[name]

    def supposed(self, fact: Any) -> Theorem:
        """A fact of this place as a theorem: in the case ``Eq(i, j)``, an equation that puts j for i."""
        return equality.supposed(self.theory, fact)

    def slope(self, e: Any, x: Any, given: Sequence[Any] = ()) -> Theorem:
        """``Derivative(e, x) = e'``."""
        return tangent.slope(self.theory, e, x, frozenset(given) | self.goal.given)

    def sum(self, theorem: Theorem, weight: Any, *limits: Any) -> Theorem:
        """The theorem summed with a weight."""
        return inequality.total(self.theory, theorem, weight, *limits, given=self.goal.given)

    def at(self, theorem: Theorem, values: dict[Any, Any], given: Sequence[Any] = ()) -> Theorem:
        """An instance of a theorem."""
        return inequality.at(self.theory, theorem, values, self.goal.given | frozenset(given))

    def lemma(self, name: str, given: Sequence[Any] = (), **values: Any) -> Theorem:
        """A lemma of the library at values of its symbols and arrays: ``p.lemma("amgm", x=a[i], y=b[i], c=2)``."""
        return library.lemma(self.theory, name, self.goal.given | frozenset(given), **values)

    def root(self, theorem: Theorem, a: Any, b: Any) -> Theorem:
        """``|a| <= b`` from the theorem ``a**2 <= b**2``."""
        return inequality.root(self.theory, theorem, a, b, self.goal.given)

    # ------------------------------------------------------------ induction and cases

    def induction(
        self,
        name: str,
        *claims: tuple[Any, Any],
        on: Any,
        start: Any = 0,
        rel: str = "=",
        base: Fill | None = None,
        step: Fill | None = None,
        given: Sequence[Any] = (),
        down: bool = False,
    ) -> Any:
        """Equations (or inequalities) for every value of ``on``, from ``start`` up, or down.

        ``base(bench)`` and ``step(bench, *hypotheses)`` show each of them; a bench has its ``number``. Without them the
        left sides are unfolded at the start, and unfolded and rewritten by the hypotheses at the next value. What is
        ``given`` of an index is supposed of the claims that it occurs in.
        """
        way = -1 if down else 1
        wanted = [self.stated(lhs, rel, rhs, self._about(given, lhs, rhs, on), (on,)) for lhs, rhs in claims]
        supposed = goals.hypotheses(self.theory, wanted, on)
        since = sp.Ge(on, start) if way == 1 else sp.Le(on, start)

        def shown(number: int, goal: Goal, fill: Fill, *more: Theorem) -> Theorem:
            bench = Bench(self.theory, goal, self.ranges, self)
            bench.number = number
            fill(bench, *more)
            return bench.shown()

        bases, steps = [], []
        for number, goal in enumerate(wanted):
            bases.append(shown(number, goal.put({on: sp.sympify(start)}), base or _unfolded))
            after = goal.put({on: on + way})
            after = Goal(after.lhs, rel, after.rhs, after.given | {since}, goal.over)
            steps.append(shown(number, after, step or _stepped, *supposed))
        found = goals.induct(self.theory, wanted, on, start, bases, steps, supposed, way)
        for number, theorem in enumerate(found):
            self.named(name if len(found) == 1 else f"{name} ({number + 1})", theorem)
        return found[0] if len(found) == 1 else tuple(found)

    def _about(self, given: Sequence[Any], lhs: Any, rhs: Any, on: Any) -> list[Any]:
        free = sp.Tuple(lhs, rhs).free_symbols | {on}
        return [fact for fact in given if fact.free_symbols & set(self.ranges) <= free]

    def cases(self, condition: Any, yes: Fill | None = None, no: Fill | None = None) -> None:
        """Close the goal by showing it where a condition holds, and where it does not."""
        shown = []
        for fact, fill in ((condition, yes), (sp.Not(condition), no)):
            goal = Goal(self.left.now, self.goal.rel, self.right.now, self.goal.given | {fact}, self.goal.over)
            bench = Bench(self.theory, goal, self.ranges, self)
            (bench.left._then(equality.decide(self.theory, bench.left.now, bench.left.given), silent=True))
            (bench.right._then(equality.decide(self.theory, bench.right.now, bench.right.given), silent=True))
            if fill is not None:
                fill(bench)
            shown.append(bench.done())
        both = goals.cases(self.theory, condition, *shown)
        ends = equality.symmetric(self.theory, self.right.theorem)
        self.closed = equality.chain(self.theory, equality.chain(self.theory, self.left.theorem, both), ends)

    def every(self, i: Any, count: int, fill: Callable[[Bench, int], Any], first: int = 0) -> None:
        """Close the goal by showing it at each of a known number of values."""
        shown = []
        for n in range(first, first + count):
            bench = Bench(self.theory, self.goal.put({i: sp.Integer(n)}), self.ranges, self)
            fill(bench, n)
            shown.append(bench.done())
        self.closed = goals.every(self.theory, self.goal, i, first, shown)


def _unfolded(bench: Bench) -> None:
    bench.left.unfold(bench.left.now)


def _stepped(bench: Bench, *hypotheses: Theorem) -> None:
    bench.left.unfold(bench.left.now).rewrite(*hypotheses)


def unused(bench: Bench, theorem: Theorem) -> list[str]:
    """The lemmas by name that a theorem does not lean on; those of one induction are used together."""
    lineage = list(theorem.lineage())
    used = {id(one) for one in lineage} | {id(one.premises) for one in lineage if one.rule == "induction"}
    return sorted(name for name, lemma in bench.lemmas.items() if not {id(lemma), id(lemma.premises)} & used)
