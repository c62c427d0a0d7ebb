"""The elements of presentation MathML, and how names are spelt: ``vhat`` has a hat, ``beta1`` an index."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

import sympy as sp
from sympy.core.alphabets import greeks
from sympy.printing.conventions import split_super_sub

_GREEK = dict(zip(greeks, "αβγδεζηθικλμνξοπρστυφχψω", strict=True))
_LETTERS = {
    **_GREEK,
    **{name.capitalize(): letter.upper() for name, letter in _GREEK.items()},
    **{"lambda": "λ", "lam": "λ", "Lambda": "Λ", "eps": "ε", "ell": "ℓ", "nabla": "∇"},
    **{"varepsilon": "ε", "varphi": "φ", "star": "∗", "prime": "′"},
}
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "ddot": "¨", "dot": "˙", "vec": "→"}
_MARKS = {**_ACCENTS, "prime": "′", "star": "∗"}
_FUNCTIONS = {
    **{"Max": "max", "Min": "min", "sign": "sgn", "loggamma": "lgamma", "gamma": "Gamma", "Heaviside": "H"},
    **{"DiracDelta": "delta", "Determinant": "det", "Trace": "tr", "LambertW": "W"},
}


def make(tag: str, *children: Element | str, **attributes: str) -> Element:
    """Return an element; a string among the children is its text; ``class_`` gives its ``class``."""
    element = Element(tag, {name.rstrip("_"): value for name, value in attributes.items()})
    for child in children:
        if isinstance(child, str):
            element.text = child
        else:
            element.append(child)
    return element


def operator(text: str, **attributes: str) -> Element:
    return make("mo", text, **attributes)


def minus() -> Element:
    """Return the sign of a negative term, not the operator between two."""
    return operator("−", form="prefix")


def space() -> Element:
    return make("mspace", width="0.17em")


def row(*parts: Element) -> Element:
    return parts[0] if len(parts) == 1 else make("mrow", *parts)


def fence(inner: Element, left: str = "(", right: str = ")") -> Element:
    """Return ``inner`` between brackets that grow with it."""
    opening, closing = (
        operator(left, form="prefix", stretchy="true"),
        operator(right, form="postfix", stretchy="true"),
    )
    return make("mrow", opening, inner, closing)


def join(parts: Iterable[Element], separator: str = ",") -> Element:
    joined: list[Element] = []
    for part in parts:
        joined += [operator(separator), part] if joined else [part]
    return row(*joined)


def raised(base: Element, exponent: Element) -> Element:
    """Return ``base`` with an exponent, above its index where it has one."""
    if base.tag == "msub":
        return make("msubsup", *base, exponent, **base.attrib)
    return make("msup", base, exponent)


def letter(name: str) -> Element:
    """Return a name without indices: ``mhat``, ``theta``, ``lr``, ``x'``."""
    for ending, mark in (*_MARKS.items(), ("'", "′")):
        stem = name.removesuffix(ending)
        if stem != name and (len(stem) == 1 or stem in _LETTERS):
            if ending in _ACCENTS:
                return make("mover", letter(stem), operator(mark, stretchy="false"), accent="true")
            return make("msup", letter(stem), operator(mark))
    text = _LETTERS.get(name, name)
    return make("mn" if text.isdecimal() else "mi", text)


def name(text: str) -> Element:
    """Return a symbol's name; what follows ``_`` and the closing digits are its index, or an accent."""
    if tex := re.fullmatch(r"\\(\w+)[ {]+\\?(\w+)}?", text):  # \hat v, \hat{v}
        text = tex[2] + tex[1]
    if turned := re.fullmatch(rf"([A-Za-z]+)(\d+)({'|'.join(_ACCENTS)})", text):  # beta1hat
        text = turned[1] + turned[3] + turned[2]
    core, above, below = split_super_sub(text.removeprefix("\\"))
    if not core.strip("_"):
        return make("mi", text)
    accents = [index for index in below if index in _MARKS]
    below = [index for index in below if index not in _MARKS]
    result = letter(core.lstrip("_") + "".join(accents[:1]))
    if below:
        result = make("msub", result, join(map(letter, below)))
    return raised(result, join(map(letter, above))) if above else result


def function_name(text: str) -> Element:
    """Return a function's name; ``dsigma`` and ``ddsigma`` are the derivatives of ``sigma``."""
    prime = re.fullmatch(r"(d{1,3})(\w+)", text)
    if prime and (prime[2] in _LETTERS or len(prime[2]) == 1 or hasattr(sp, prime[2])):
        return make("msup", name(prime[2]), operator("′" * len(prime[1])))
    return name(_FUNCTIONS.get(text, text))
