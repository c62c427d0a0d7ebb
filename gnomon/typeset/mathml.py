"""SymPy expressions for the reader: presentation MathML, and one line of Unicode text for a terminal.

Both come from one tree of elements: :func:`mathml` writes it out, :func:`plain` reads it along a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, tostring

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.function import AppliedUndef, FunctionClass
from sympy.core.relational import Relational
from sympy.printing.conventions import requires_partial

from gnomon.typeset.glyphs import fence, function_name, join, make, minus, name, operator, raised, row, space
from gnomon.typeset.plaintext import APPLY, TIMES, line

# How tightly an expression holds together: one that is looser than its place gets brackets.
LOOSE, RELATION, SUM, PRODUCT, POWER, ATOM = range(6)

_RELATIONS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥", "<": "<", ">": ">"}
_CONSTANTS = {sp.pi: "π", sp.E: "e", sp.oo: "∞", sp.I: "i", sp.nan: "undefined", sp.EulerGamma: "γ"}


def mathml(expr: Any) -> str:
    """Return ``expr`` as a ``<math>`` element, in ASCII with character references.

    ``expr`` is SymPy, a Python number, tuple or list, or a string, which is set as words; None is nothing. Write a
    definition that SymPy would evaluate as ``Eq(lhs, rhs, evaluate=False)``.
    """
    if expr is None:
        return ""
    content, words = _content(expr)
    root = Element("math", {"displaystyle": "true", "alttext": words})
    root.extend(content if content.tag == "mrow" else [content])
    return tostring(root, encoding="unicode").encode("ascii", "xmlcharrefreplace").decode("ascii")


def plain(expr: Any) -> str:
    """Return ``expr`` as one line of Unicode text: ``m[t, i] = β₁·m[t−1, i] + (1 − β₁)·g[t, i]``."""
    return _content(expr)[1]


def _content(expr: Any) -> tuple[Element, str]:
    return _laid_out(expr) if isinstance(expr, sp.Basic) else (content := _lay(expr), line(content))


@lru_cache(maxsize=64)  # the links of a chain share their sides
def _laid_out(expr: Any) -> tuple[Element, str]:
    content = _lay(expr)
    return content, line(content)


def _lay(expr: Any) -> Element:
    """Lay out anything: the rule of the nearest class that has one; what says how it is ``written`` as that."""
    expr = getattr(expr, "written", expr)
    for kind in type(expr).__mro__:
        if rule := _RULES.get(kind):
            return rule(expr)
    return make("mtext", str(expr))


def _in(expr: Any, level: int) -> Element:
    """Lay out ``expr`` where something at least as tight as ``level`` is needed."""
    return fence(_lay(expr)) if _level(expr) < level else _lay(expr)


def _negative(expr: Any) -> bool:
    """Whether a minus sign is written in front."""
    number = expr.as_coeff_Mul()[0] if isinstance(expr, sp.Mul) else expr
    return isinstance(number, sp.Number) and bool(number.is_negative)


def _level(expr: Any) -> int:
    expr = getattr(expr, "written", expr)
    for kinds, level in _LEVELS:
        if isinstance(expr, kinds):
            return SUM if level >= SUM and _negative(expr) else level
    return SUM if _negative(expr) else ATOM


def _sum_of(terms: list[Any]) -> Element:
    first = next((k for k, term in enumerate(terms) if not _negative(term)), 0)
    terms.insert(0, terms.pop(first))
    parts: list[Element] = []
    for term in terms:
        if _negative(term):
            parts.append(operator("−") if parts else minus())
            term = -term
        elif parts:
            parts.append(operator("+"))
        parts.append(_in(term, PRODUCT))
    return row(*parts)


def _mul(expr: Any) -> Element:
    if _negative(expr):
        return row(minus(), _in(-expr, PRODUCT))
    up, down = [], []
    for factor in expr.as_ordered_factors():
        if factor.is_Rational and not factor.is_Integer:
            up += [sp.Integer(factor.p)] if factor.p != 1 else []
            down.append(sp.Integer(factor.q))
        elif isinstance(factor, sp.Pow) and _negative(factor.exp):
            down.append(sp.Pow(factor.base, -factor.exp))
        else:
            up.append(factor)
    if not down:
        return _product(up)
    tall = [factor for factor in up if isinstance(factor, _TALL)]
    if not tall or any(isinstance(factor, _TALL) for factor in down):
        return make("mfrac", _product(up), _product(down))
    front = make("mfrac", _product([factor for factor in up if factor not in tall]), _product(down))
    return row(front, space(), _product(tall))


def _product(factors: list[Any]) -> Element:
    factors = sorted(factors, key=lambda factor: isinstance(factor, _TALL))  # a sum reaches to the end: goes last
    if not factors:
        return make("mn", "1")
    if len(factors) == 1:
        return _lay(factors[0])
    parts: list[Element] = []
    before: Any = None
    for factor in factors:
        open_ended = isinstance(factor, _TALL) and factor is not factors[-1]
        part = fence(_lay(factor)) if open_ended else _in(factor, PRODUCT)
        if parts:
            # A letter before brackets would read as a function, and two numbers as one.
            dot = _head(part).tag == "mn" or (isinstance(before, sp.Symbol) and _head(part).text == "(")
            parts.append(operator("⋅" if dot else TIMES))
            words = any(_head(side).tag == "mi" and len(_head(side).text or "") > 1 for side in (parts[-2], part))
            if words or isinstance(before, sp.Function) or isinstance(factor, (sp.Function, *_TALL)):
                parts.append(space())
        parts.append(part)
        before = factor
    return row(*parts)


def _head(element: Element) -> Element:
    while len(element):
        element = element[0]
    return element


def _pow(expr: Any) -> Element:
    base, exponent = expr.args
    if _negative(exponent):
        return make("mfrac", make("mn", "1"), _lay(sp.Pow(base, -exponent)))
    if exponent == sp.Rational(1, 2):
        return make("msqrt", _lay(base))
    if exponent.is_Rational and exponent.p == 1:
        return make("mroot", _lay(base), _lay(sp.Integer(exponent.q)))
    if exponent.is_Integer and isinstance(base, (sp.sin, sp.cos, sp.tanh, sp.sinh, sp.cosh, sp.sech)):
        return _apply(make("msup", make("mi", base.func.__name__), _lay(exponent)), base.args)
    if exponent.is_Rational and not exponent.is_Integer:
        power = row(make("mn", str(exponent.p)), operator("/", lspace="0", rspace="0"), make("mn", str(exponent.q)))
        return raised(_in(base, ATOM), power)
    return raised(_in(base, ATOM), _lay(exponent))


def _exp(expr: Any) -> Element:
    argument = expr.args[0]
    if argument.has(ExprWithLimits, sp.Piecewise):
        return _apply(make("mi", "exp"), (argument,))
    return make("msup", make("mi", "e"), _lay(argument))


def _number(expr: Any) -> Element:
    if expr.is_negative:
        return row(minus(), _number(-expr))
    if expr.is_Rational:
        whole = make("mn", str(expr.p))
        return whole if expr.is_Integer else make("mfrac", whole, make("mn", str(expr.q)))
    mantissa, _, power = (repr(float(expr)) if expr._prec <= 53 else str(expr)).partition("e")
    if not power:
        return make("mn", mantissa.removesuffix(".0"))
    ten = make("msup", make("mn", "10"), _lay(sp.Integer(int(power))))
    mantissa = mantissa.removesuffix(".0")
    return ten if mantissa == "1" else row(make("mn", mantissa), operator("⋅"), ten)


def _apply(name: Element, arguments: Iterable[Any]) -> Element:
    return row(name, operator(APPLY), fence(join(map(_lay, arguments))))


def _function(expr: Any) -> Element:
    return _apply(function_name(type(expr).__name__), expr.args)


def _indexed(expr: Any) -> Element:
    base, indices = _lay(expr.base), join(map(_lay, expr.indices))
    if base.tag == "msub":  # the name has an index of its own
        indices = row(space(), indices)
    return make("msub", base, indices, class_="at")


def _big(sign: str) -> Callable[[Any], Element]:
    def lay(expr: Any) -> Element:
        parts = []
        for variable, *bounds in reversed(expr.limits):  # SymPy's first limit is the innermost
            if len(bounds) == 2:
                under = row(_lay(variable), operator("="), _lay(bounds[0]))
                parts.append(make("munderover", operator(sign), under, _lay(bounds[1])))
            else:
                parts.append(make("munder", operator(sign), _lay(variable)))
        return row(*parts, _in(expr.function, PRODUCT))

    return lay


def _reduced(expr: Any) -> Element:
    """A binder with a name: the greatest term of a range."""
    return _big(getattr(expr, "words", type(expr).__name__))(expr)


def _integral(expr: Any) -> Element:
    signs: list[Element] = []
    ends: list[Element] = []
    for variable, *bounds in expr.limits:
        sign = make("msubsup", operator("∫"), *map(_lay, bounds)) if len(bounds) == 2 else operator("∫")
        signs.insert(0, sign)
        ends += [space(), make("mi", "d", mathvariant="normal"), _lay(variable)]
    return row(*signs, _in(expr.function, PRODUCT), *ends)


def _derivative(expr: Any) -> Element:
    sign = "∂" if requires_partial(expr.expr) else "d"
    order = sum(count for _, count in expr.variable_count)

    def delta(count: Any) -> Element:
        mark = make("mi", sign, mathvariant="normal")
        return mark if count == 1 else make("msup", mark, _lay(count))

    below: list[Element] = []
    for variable, count in expr.variable_count:
        what = _lay(variable)
        below += [make("mi", sign, mathvariant="normal"), what if count == 1 else raised(what, _lay(count))]
    if isinstance(expr.expr, (sp.Function, sp.Symbol, sp.Indexed)):
        return make("mfrac", row(delta(order), _lay(expr.expr)), row(*below))
    return row(make("mfrac", delta(order), row(*below)), space(), _in(expr.expr, PRODUCT))


def _subs(expr: Any) -> Element:
    inner = expr.expr
    if isinstance(inner, sp.Derivative) and isinstance(inner.expr, AppliedUndef):
        order = inner.derivative_count
        if inner.expr.args == expr.variables == inner.variables[:1] and order <= 3:  # the chain rule: σ′(s)
            prime = make("msup", function_name(inner.expr.func.__name__), operator("′" * int(order)))
            return _apply(prime, expr.point)
    pairs = zip(expr.variables, expr.point, strict=True)
    where = join(row(_lay(variable), operator("="), _lay(point)) for variable, point in pairs)
    return row(fence(_lay(inner)), make("msub", operator("|", stretchy="true"), where))


def _other(expr: Any) -> Element:
    """Lay out what has no rule: by its name and its parts; what binds random entries is an expectation over them."""
    if hasattr(expr, "binds"):
        law = _apply(function_name(type(expr.law).__name__), expr.law.args) if expr.law.args else None
        drawn = row(_lay(expr.binds), operator("∼"), law or function_name(type(expr.law).__name__))
        return row(make("msub", make("mi", "E"), drawn), fence(_lay(expr.e), "[", "]"))
    return _function(expr) if expr.args else make("mi", str(expr))


def _piecewise(expr: Any) -> Element:
    rows = []
    for value, condition in expr.args:
        when = row(make("mtext", "if\u00a0"), _lay(condition))
        words = make("mtext", "otherwise") if condition == sp.true else when
        rows.append(make("mtr", make("mtd", _lay(value)), make("mtd", words)))
    table = make("mtable", *rows, class_="cases", columnalign="left")
    return make("mrow", operator("{", form="prefix", stretchy="true"), table)


def _matrix(expr: Any) -> Element:
    rows = (make("mtr", *(make("mtd", _lay(entry)) for entry in row)) for row in expr.tolist())
    return fence(make("mtable", *rows), "[", "]")


def _words(word: str) -> Callable[[Any], Element]:
    def lay(expr: Any) -> Element:
        parts: list[Element] = []
        for argument in expr.args:
            parts += [make("mtext", f"\u00a0{word}\u00a0")] if parts else []
            parts.append(_in(argument, RELATION))
        return row(*parts)

    return lay


def _tuple(expr: Any) -> Element:
    if len(expr) > 1 and all(isinstance(part, Relational) for part in expr):  # a statement with several parts
        return make(
            "mtable", *(make("mtr", make("mtd", _lay(part))) for part in expr), class_="lines", displaystyle="true"
        )
    return fence(join(map(_lay, expr)))


def _side(expr: Any) -> Element:
    """Lay out one side of a relation; braces of a case distinction are brackets enough."""
    return _lay(expr) if isinstance(expr, sp.Piecewise) else _in(expr, SUM)


_TALL = (ExprWithLimits, sp.Piecewise, sp.Limit)
_LEVELS: tuple[tuple[Any, int], ...] = (
    ((sp.Lambda, sp.And, sp.Or, sp.Not, sp.Piecewise), LOOSE),
    (Relational, RELATION),
    ((sp.Add, sp.MatAdd), SUM),
    ((sp.Mul, sp.MatMul, sp.HadamardProduct, sp.Derivative, sp.Subs, *_TALL), PRODUCT),
    ((sp.Pow, sp.exp, sp.MatPow, sp.Transpose), POWER),
    ((sp.Float, sp.Integer), ATOM),
    (sp.Rational, PRODUCT),
)
_RULES: dict[Any, Callable[[Any], Element]] = {
    sp.Symbol: lambda expr: name(expr.name),
    sp.MatrixSymbol: lambda expr: name(expr.name),
    sp.IndexedBase: lambda expr: _lay(expr.label),
    sp.Idx: lambda expr: _lay(expr.label),
    sp.Indexed: _indexed,
    sp.Number: _number,
    **{type(constant): lambda expr: make("mi", _CONSTANTS[expr]) for constant in _CONSTANTS},
    type(-sp.oo): lambda expr: row(minus(), make("mi", "∞")),
    sp.Add: lambda expr: _sum_of(list(expr.as_ordered_terms())),
    sp.MatAdd: lambda expr: _sum_of(list(expr.args)),
    sp.Mul: _mul,
    sp.MatMul: lambda expr: _product(list(expr.args)),
    sp.HadamardProduct: lambda expr: join((_in(factor, POWER) for factor in expr.args), "⊙"),
    sp.Pow: _pow,
    sp.MatPow: lambda expr: raised(_in(expr.base, ATOM), _lay(expr.exp)),
    sp.Transpose: lambda expr: raised(_in(expr.arg, ATOM), make("mi", "T", mathvariant="normal")),
    sp.exp: _exp,
    sp.Abs: lambda expr: fence(_lay(expr.args[0]), "|", "|"),
    sp.floor: lambda expr: fence(_lay(expr.args[0]), "⌊", "⌋"),
    sp.ceiling: lambda expr: fence(_lay(expr.args[0]), "⌈", "⌉"),
    sp.factorial: lambda expr: row(_in(expr.args[0], ATOM), operator("!")),
    sp.Mod: lambda expr: row(_in(expr.args[0], POWER), make("mtext", "\u00a0mod\u00a0"), _in(expr.args[1], POWER)),
    sp.KroneckerDelta: lambda expr: make("msub", make("mi", "δ"), join(map(_lay, expr.args)), class_="at"),
    sp.Function: _function,
    sp.Order: lambda expr: _apply(make("mi", "O"), expr.args[:1]),
    FunctionClass: lambda expr: function_name(expr.__name__),
    sp.Sum: _big("∑"),
    sp.Product: _big("∏"),
    sp.Integral: _integral,
    ExprWithLimits: _reduced,
    sp.Derivative: _derivative,
    sp.Subs: _subs,
    sp.Limit: lambda expr: row(
        make("munder", operator("lim"), row(_lay(expr.args[1]), operator("→"), _lay(expr.args[2]))),
        space(),
        _in(expr.args[0], PRODUCT),
    ),
    sp.Lambda: lambda expr: row(
        _lay(expr.variables[0]) if len(expr.variables) == 1 else _tuple(expr.variables),
        operator("↦"),
        _lay(expr.expr),
    ),
    sp.Piecewise: _piecewise,
    Relational: lambda expr: row(_side(expr.lhs), operator(_RELATIONS[expr.rel_op]), _side(expr.rhs)),
    sp.And: _words("and"),
    sp.Or: _words("or"),
    sp.Not: lambda expr: row(operator("¬", form="prefix"), fence(_lay(expr.args[0]))),
    type(sp.true): lambda expr: make("mtext", "true"),
    type(sp.false): lambda expr: make("mtext", "false"),
    sp.Contains: lambda expr: row(_lay(expr.args[0]), operator("∈"), _lay(expr.args[1])),
    sp.Interval: lambda expr: fence(
        join(map(_lay, expr.args[:2])), "(" if expr.left_open else "[", ")" if expr.right_open else "]"
    ),
    sp.FiniteSet: lambda expr: fence(join(map(_lay, expr.args)), "{", "}"),
    sp.MatrixBase: _matrix,
    sp.NDimArray: lambda expr: _tuple(list(expr)) if expr.rank() == 1 else _matrix(expr),
    sp.Tuple: _tuple,
    sp.Dict: lambda expr: _lay(tuple(expr.items())),
    tuple: _tuple,
    list: _tuple,
    bool: lambda expr: make("mtext", str(expr).lower()),
    int: lambda expr: _number(sp.Integer(expr)),
    float: lambda expr: _lay(sp.Float(expr)),
    sp.Basic: _other,
}
