"""The call: how a subject is called and what is looked at, as checked data in the claim's own symbols.

A call begins with the subject's name and goes on with what is done to what came out::

    Call("graph.heat_step", x, edges(A), h, weights(w)).shows(y)
    Call("optim.Adam", [theta0], lr=lr, betas=(b1, b2), eps=eps).each_step(g).shows(m=state("exp_avg"))
    Call("lstm.LSTMCell", I, H, bias=flag).load(weight_ih=W, bias_ih=when(flag, b)).on(x, (h0, c0)).shows(h, c)

Symbols, domains, numbers, words (options of the subject), and tuples, lists and dictionaries of them are arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from gnomon.proof.terms import name_of
from gnomon.say import arguments as a
from gnomon.say import chain as p
from gnomon.say.arguments import CallError, Part, Range, part
from gnomon.say.domain import Choice, Graph

Batch = Literal["vmap", "leading", "loop"]


class Call:
    """A subject called with arguments; every method gives a new call that goes on where this one ends."""

    node: Part
    looks: tuple[tuple[str, Part], ...]
    unused_inputs: tuple[str, ...]
    batch_as: Batch | None
    autograd: bool

    def __init__(self, subject: str, /, *arguments: Any, **keywords: Any) -> None:
        if not isinstance(subject, str) or subject.count(".") < 1 or not subject.replace(".", "").isidentifier():
            raise CallError(f"a call begins with a subject's name, like 'optim.Adam'; got {subject!r}")
        self._set(p.Made(subject, *_given(arguments, keywords)), (), (), None, True)

    def _set(self, node: Part, looks: Any, unused: Any, batch: Any, autograd: bool) -> None:
        self.node, self.looks, self.unused_inputs, self.batch_as, self.autograd = node, looks, unused, batch, autograd

    def _with(self, node: Part | None = None, **changes: Any) -> Call:
        if node is not None and self.looks:
            raise CallError(f"{self}: shows() ends the chain; say {type(node).__name__.lower()} before it")
        new = object.__new__(Call)
        old = {"looks": self.looks, "unused": self.unused_inputs, "batch": self.batch_as, "autograd": self.autograd}
        new._set(self.node if node is None else node, **{**old, **changes})
        return new

    @property
    def subject(self) -> str:
        """The name of the subject: the first thing made, torch's own left aside."""
        made = [node.subject for root in self._roots() for node in a.walk(root) if isinstance(node, p.Made)]
        return next(name for name in made if not name.startswith("torch."))

    def _roots(self) -> tuple[Part, ...]:
        return tuple(look for _, look in self.looks) or (self.node,)

    def parts(self) -> Iterator[Part]:
        """Everything that the call holds."""
        for root in self._roots():
            yield from a.walk(root)

    # ------------------------------------------------------------------ what is done

    def load(self, mapping: Mapping[str, Any] | None = None, /, **state: Any) -> Call:
        """A module's parameters and buffers, by their names; names with dots in a mapping. None: it must have none."""
        made, before = self._module("load")
        given = {**(mapping or {}), **state}
        return self._with(p.Loaded(made, (*before, *((name, part(value)) for name, value in given.items()))))

    def load_in_order(self, **ranks: Any) -> Call:
        """All ``matrices`` and all ``vectors`` of a module, in its own order and under whatever names.

        Each is a list; a matrix is turned if the module stores it as (out, in), as ``torch.nn.Linear`` does.
        """
        made, _ = self._module("load_in_order")
        known = {"vectors": 1, "matrices": 2}
        for word in ranks:
            if word not in known:
                raise CallError(f"load_in_order() knows matrices= and vectors=, got {word}=")
        return self._with(p.Loaded(made, (), tuple((known[word], part(value)) for word, value in ranks.items())))

    def _module(self, word: str) -> tuple[p.Made, tuple[tuple[str, Part], ...]]:
        if isinstance(self.node, p.Loaded):
            return self.node.node, self.node.state
        if not isinstance(self.node, p.Made):
            raise CallError(f"{self}: {word}() is for a module that was just constructed")
        return self.node, ()

    def train(self) -> Call:
        """In training mode, which is the default."""
        return self._moded(True)

    def eval(self) -> Call:
        """In evaluation mode."""
        return self._moded(False)

    def _moded(self, training: bool) -> Call:
        made, state = self._module("eval")
        ordered = self.node.ordered if isinstance(self.node, p.Loaded) else ()
        return self._with(p.Loaded(made, state, ordered, training))

    def on(self, *arguments: Any, **keywords: Any) -> Call:
        """What came out (a module, a transform, a function), called with arguments."""
        return self._with(p.Applied(self.node, *_given(arguments, keywords)))

    def attribute(self, name: str) -> Call:
        """An attribute of what came out."""
        return self._with(p.Attribute(self.node, name))

    def method(self, name: str, *arguments: Any, **keywords: Any) -> Call:
        """A method of what came out, called with arguments."""
        return self.attribute(name).on(*arguments, **keywords)

    def returned(self, *path: int | str) -> Call:
        """What was returned at positions of (nested) tuples, or under a name."""
        return self._with(p.Item(self.node, path))

    def then(self, symbol: Any, entry: Any, *ranges: Range) -> Call:
        """A formula of what was returned, for which ``symbol`` stands in it."""
        return self._with(a.Formula(entry, ranges, ((str(part(symbol)), self.node),)))

    def at(self, index: int) -> Call:
        """One entry along the first axis of the returned tensor."""
        return self._with(p.At(self.node, index))

    def rows(self, axis: int) -> Call:
        """The points of a batch are the rows of one state, and lie along this axis of what is returned."""
        return self._with(p.Rows(self.node, axis), batch="leading")

    def each_step(self, *gradients: Any, times: Any = None, factor: Any = None, rate: Any = None) -> Call:
        """An optimizer, stepped with the leading slices of a gradient (one for each parameter), or ``times`` times.

        A gradient may be a :func:`function` of the parameters. After each step the learning rate is multiplied by
        ``factor``, or ``rate`` gives it for each step.
        """
        if not isinstance(self.node, p.Made):
            raise CallError(f"{self}: each_step() is for an optimizer that was just constructed")
        first = self.node.arguments[0] if self.node.arguments else None
        if not (isinstance(first, a.Coordinates) or (isinstance(first, a.Group) and first.kind == "list")):
            raise CallError(f"{self}: an optimizer's first argument is the list of its parameters, like [theta0]")
        if not gradients:
            raise CallError(f"{self}: each_step() needs a gradient for each parameter")
        more = [None if value is None else part(value) for value in (times, factor, rate)]
        return self._with(p.Stepped(self.node, tuple(map(part, gradients)), *more))

    # ------------------------------------------------------------------ what is looked at

    def gradient(self, *, by: Any, cotangent: Any = ()) -> Call:
        """Autograd's gradient of a scalar, or with a cotangent the vector-Jacobian product, by one or more inputs."""
        each = cotangent if isinstance(cotangent, tuple) else (cotangent,)
        weights = tuple(None if value is None else part(value) for value in each)
        return self._with(p.Gradient(self.node, _several(by), weights))

    def vjp(self, *, by: Any, cotangent: Any) -> Call:
        """The vector-Jacobian product; ``cotangent`` is a tuple if the call returns several tensors."""
        return self.gradient(by=by, cotangent=cotangent)

    def jacobian(self, *, by: Any, of: int | str | None = None) -> Call:
        """Autograd's Jacobian of the returned tensor, or of one of them, by an input."""
        return self._with(p.Jacobian(self.node if of is None else p.Item(self.node, (of,)), part(by)))

    def hessian(self, *, by: Any) -> Call:
        """The Jacobian of the gradient of a scalar by one input."""
        return self.gradient(by=by).jacobian(by=by)

    def mean_over(self, limits: Range) -> Call:
        """The mean over all values of an index that the arguments use."""
        return self._with(p.Mean(self.node, limits))

    def asks(self, of: a.Function, number: int) -> Call:
        """The arguments with which the subject calls one of its functions for the time ``number``, from 0."""
        return self._with(p.Asked(self.node, of, number), batch="loop", autograd=False)

    def count(self, of: a.Function) -> Call:
        """How often the subject calls one of its functions."""
        return self._with(p.Count(self.node, of), batch="loop", autograd=False)

    def kept(self) -> Call:
        """The most numbers that autograd keeps at once for what is computed so far, a gradient above all."""
        return self._with(p.Kept(self.node), batch="loop", autograd=False)

    def drawn(self, law: str, deviation: Any) -> Call:
        """What tells the law of a :func:`~gnomon.say.drawing.blank` that was filled; see :mod:`gnomon.drive.sample`."""
        if not isinstance(self.node, p.Made):
            raise CallError(f"{self}: drawn() comes right after the call that fills a blank()")
        return self._with(p.Drawn(self.node, law, part(deviation)), batch="loop", autograd=False)

    def raises(self, error: type[Exception], match: str = "") -> Call:
        """Whether the subject refuses: it raises this error, and its message matches; shown as the number 1."""
        return self._with(p.Raised(self.node, error.__name__, match), batch="loop", autograd=False)

    def shows(self, *outputs: Any, **looks: Any) -> Call:
        """The claim's outputs: symbols, in the order of what is returned, or ``name=look``.

        A look is another call, or begins where this one ends: ``state("exp_avg")``, ``returned("loss")``.
        """
        shown: dict[str, Part] = {
            str(name_of(output)): p.Flat(p.Here(), number) for number, output in enumerate(outputs)
        }
        shown |= {name: part(look) for name, look in looks.items()}
        if not shown:
            raise CallError(f"{self}: shows() needs an output: nothing would be looked at")
        if len(shown) < len(outputs) + len(looks):
            raise CallError(f"{self}: an output is shown twice: {', '.join(map(str, outputs))}, {', '.join(looks)}")
        return self._with(looks=tuple((name, p.filled(look, self.node)) for name, look in shown.items()))

    # ------------------------------------------------------------------ how

    def unused(self, *inputs: Any) -> Call:
        """Inputs of the claim that the subject is not given, on purpose."""
        return self._with(unused=(*self.unused_inputs, *(str(part(value)) for value in inputs)))

    def one_by_one(self) -> Call:
        """One point at a time: what the subject does depends on values."""
        return self._with(batch="loop")

    def outside_autograd(self) -> Call:
        """Nothing asks for a gradient of what is shown: the subject may work outside of autograd."""
        return self._with(autograd=False)

    @property
    def batch(self) -> Batch:
        """How many points run at once: all under vmap, all along a leading axis, or one after another."""
        if self.batch_as:
            return self.batch_as
        return "leading" if any(isinstance(each, p.Stepped) for each in self.parts()) else "vmap"

    @property
    def differentiable(self) -> bool:
        """Whether what is shown carries a gradient, so that a missing one is a fault."""
        stepped = any(isinstance(each, p.Stepped) for each in self.parts())
        cut = self.batch != "vmap" and any(isinstance(each, (p.Gradient, p.Jacobian)) for each in self.parts())
        return self.autograd and not stepped and not cut

    def __str__(self) -> str:
        """In plain text: ``optim.Adam([theta0], lr=lr).each_step(g) → param, m = state('exp_avg')``."""
        if not self.looks:
            return str(self.node)
        shown = []
        for number, (name, look) in enumerate(self.looks):
            plain = look == p.Flat(self.node, number)
            shown.append(name if plain else f"{name} = {str(look).replace(str(self.node), '…')}")
        return f"{self.node} → {', '.join(shown)}"

    def __repr__(self) -> str:
        return f"<Call {self}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))


def _given(arguments: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[Any, Any]:
    given = tuple(map(part, arguments)), tuple((name, part(value)) for name, value in keywords.items())
    every = [inner for each in (*given[0], *(value for _, value in given[1])) for inner in a.walk(each)]
    graphs = {each.matrix for each in every if isinstance(each, a.Edges)}
    lost = next((each for each in every if isinstance(each, a.Weights) and not each.matrix), None)
    if lost and len(graphs) != 1:
        raise CallError(f"{lost} beside {len(graphs)} graphs: say weights({lost.value}, A)")
    return p.placed(given, graphs.pop()) if lost else given


def _several(value: Any) -> tuple[Part, ...]:
    return tuple(map(part, value)) if isinstance(value, (tuple, list)) else (part(value),)


# ---------------------------------------------------------------------- arguments


def tensor(entry: Any, *ranges: Range, **given: Any) -> a.Formula:
    """The tensor with this entry over ranges; ``given`` names looks or parts that the entry uses as symbols."""
    return a.Formula(entry, ranges, tuple((name, part(value)) for name, value in given.items()))


def function(arguments: Iterable[Any], entry: Any, *ranges: Range, module: bool = False) -> a.Function:
    """A function that the subject is given: the symbols of its arguments, and the entry of its value over ranges."""
    return a.Function(tuple(arguments), entry, ranges, module)


def transform(forward: a.Function, inverse: a.Function, log_det: a.Function) -> a.Map:
    """An invertible map of vectors that the subject is given, with its inverse and the log of |det J|."""
    return a.Map(forward, inverse, log_det)


def edges(graph: Graph | Any, copies: Any = 1) -> a.Edges:
    """``edge_index`` of a graph, or of an adjacency matrix that a choice binds; ``copies`` are parallel edges."""
    return a.Edges(str(part(graph)), getattr(copies, "symbol", copies))


def weights(value: Any, graph: Graph | Any = None, symmetric: bool | None = None) -> a.Weights:
    """The weights of the edges beside which it is given, or of another graph; symmetric unless that is directed."""
    return a.Weights(part(value), str(part(graph)) if graph is not None else "", symmetric)


def integers(value: Any) -> a.Cast:
    """A whole-numbered input, or a list of sizes, as int64."""
    return a.Cast(part(value), "int64")


def mask(value: Any) -> a.Cast:
    """An input of zeros and ones as bool."""
    return a.Cast(part(value), "bool")


def cast(value: Any) -> a.Cast:
    """What the subject returns in another type (wide, or int64) in the dtype of the check."""
    return a.Cast(part(value), "own")


def cut(value: Any, *extents: Any) -> a.Cut:
    """The first entries of a tensor along its last axes."""
    return a.Cut(part(value), extents)


def listed(item: Any, limits: Range) -> a.Listed:
    """A list with an item for each value of an index."""
    return a.Listed(part(item), limits)


def when(condition: Any, value: Any, otherwise: Any = None) -> a.When:
    """A part that a flag of the structure, or a condition on sizes, puts in or leaves out."""
    return a.When(part(condition) if isinstance(condition, Choice) else condition, part(value), part(otherwise))


def normalised(law: Any) -> a.Normalised:
    """A law whose gradient is looked at along the simplex alone."""
    return a.Normalised(part(law))


def zeros_like(value: Any) -> a.ZerosLike:
    """Zeros in the shape of an input."""
    return a.ZerosLike(part(value))


def span(times: Any) -> a.Span:
    """The time from the first to the last of some times."""
    return a.Span(part(times))


def coordinates(value: Any, groups: int = 1) -> a.Coordinates:
    """An optimizer's parameters: every coordinate one of its own."""
    return a.Coordinates(part(value), groups)


def draws(*noise: Any) -> a.Draws:
    """A generator whose draws are these inputs."""
    return a.Draws(tuple(map(part, noise)))


DTYPE = a.Dtype()
"""The dtype of the check."""

# ---------------------------------------------------------------------- looks at the end of the chain


def returned(*path: int | str) -> p.Item:
    """What is returned at positions of (nested) tuples, or under a name: ``returned(1, 0)``, ``returned("loss")``."""
    return p.Item(p.Here(), path)


def state(name: str, of: int = 0) -> p.State:
    """An entry of the optimizer's state for one of its parameters."""
    return p.State(p.Here(), name, of)


def parameter(of: int = 0, before: bool = False) -> p.Parameter:
    """One of the optimizer's parameters after all steps, or before the last one."""
    return p.Parameter(p.Here(), of, before)


def buffer(name: str) -> p.Buffer:
    """A buffer of the module after the call."""
    return p.Buffer(p.Here(), name)


def padded(look: Any, limits: Range, *extents: Any, only: Choice | None = None) -> p.Padded:
    """A returned list of tensors, one for each value of an index, with these extents, filled up with zeros.

    ``only`` is a flag, without which there is no list.
    """
    return p.Padded(part(look), limits, extents, None if only is None else part(only))


def mean(look: Any, limits: Range) -> p.Mean:
    """The mean of a look over all values of an index."""
    return p.Mean(part(look), limits)
