"""Reads presentation MathML along one line of Unicode text, for terminals and for screen readers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from xml.etree.ElementTree import Element

TIMES, APPLY = (
    "\u2062",
    "\u2061",
)  # Unicode's invisible operators: nothing is drawn, but a reader can tell them apart

_RAISED = str.maketrans("0123456789−+T", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀ")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_COMBINING = {"^": "\u0302", "¯": "\u0304", "~": "\u0303", "˙": "\u0307", "¨": "\u0308", "→": "\u20d7"}
_WIDE = frozenset("=≠≤≥<>+∈∼↦⊙")
_TIGHT = frozenset({TIMES, APPLY, "⋅", ",", "!", "′"})  # operators that need no brackets above a fraction bar


def line(element: Element) -> str:
    """Return the text of a MathML element: ``x[i]²/2``, ``Σ[j=0…n−1] w[j]``."""
    return unicodedata.normalize("NFC", _squeeze(_read(element, tight=False)))


def _squeeze(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split()).replace("· ", "·")


def _read(element: Element, tight: bool) -> str:
    """Return the text; ``tight`` leaves out the spaces around operators, as in an index."""
    parts = [_read(child, tight) for child in element] if element.tag not in _SCRIPTS else []
    match element.tag:
        case "mo":
            return _operator(element, tight)
        case "mi" | "mn" | "mtext":
            return element.text or ""
        case "mspace":
            return " "
        case "mfrac":
            return f"{_wrap(element[0], _TIGHT)}/{_wrap(element[1])}"
        case "msqrt":
            return "√" + _wrap(element[0])
        case "mroot":
            return f"{line(element[1]).translate(_RAISED)}√{_wrap(element[0])}"
        case "mover":
            return parts[0] + _COMBINING[parts[1]]
        case "msub":
            return _index(element)
        case "msup":
            return _wrap(element[0]) + _power(element[1])
        case "msubsup":
            return _range(element) if element[0].tag == "mo" else _index(element) + _power(element[2])
        case "munder" | "munderover":
            return _range(element)
        case "mtable":
            kind = element.get("class")
            rows = [(" " if kind else ", ").join(map(line, row)) for row in element]
            return "; ".join(rows) + ("}" if kind == "cases" else "")
        case _:
            return "".join(parts)


_SCRIPTS = frozenset({"mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "munderover", "mtable"})


def _operator(element: Element, tight: bool) -> str:
    text = element.text or ""
    if text in (TIMES, "⋅"):
        return "·"
    if text == APPLY:
        return ""
    if text == ",":
        return ", "
    wide = text in _WIDE or (text == "−" and element.get("form") != "prefix")
    return f" {text} " if wide and not tight else text


def _inside(element: Element) -> str:
    return _squeeze(_read(element, tight=True))


def _operators(elements: Iterable[Element]) -> set[str]:
    """Return the operators that brackets do not yet hold together."""
    found: set[str] = set()
    for element in elements:
        if element.tag == "mo":
            found.add(element.text or "")
        elif element.tag == "mfrac":
            found.add("/")
        elif element.tag in ("munder", "munderover") or (element.tag == "msubsup" and element[0].tag == "mo"):
            found.add("∑")
        elif element.tag == "mspace":
            found.add(" ")
        elif element.tag == "mrow" and (element[0].text or " ") not in "([{|⌊⌈":
            found |= _operators(element)
    return found


def _wrap(element: Element, allowed: frozenset[str] = frozenset({APPLY, "′"})) -> str:
    inner = _inside(element) if element.tag != "mrow" else line(element)
    return f"({inner})" if element.tag != "mo" and _operators([element]) - allowed else inner


def _power(element: Element) -> str:
    text = _inside(element)
    if text in ("′", "″", "′′", "′′′", "∗"):
        return text
    raised = text.translate(_RAISED)
    return raised if not set(raised) & set(text) else "^" + (f"({text})" if len(element) else text)


def _index(element: Element) -> str:
    base, below = _wrap(element[0]), _inside(element[1])
    if element.get("class") == "at":
        return f"{base}[{below}]"
    lowered = below.translate(_LOWERED)
    if not set(lowered) & set(below):
        return base + lowered
    return f"{base}_{below}" if below.isalnum() else f"{base}_({below})"


def _range(element: Element) -> str:
    ends = "…".join(_inside(end) for end in element[1:])
    sign = {"∑": "Σ", "∏": "Π"}.get(element[0].text or "", element[0].text or "")
    return f"{sign}[{ends}] "
