"""Building blocks of the page: elements that escape their text, harmless formulas, numbers in words."""

from __future__ import annotations

import functools
import html
import json
import math
import re
from typing import Any
from xml.etree import ElementTree

_VOID = frozenset({"input", "link", "meta", "wbr"})
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MATHML = frozenset(
    {
        "math",
        "mrow",
        "mi",
        "mn",
        "mo",
        "mtext",
        "mspace",
        "msub",
        "msup",
        "msubsup",
        "munder",
        "mover",
        "munderover",
        "mfrac",
        "msqrt",
        "mroot",
        "mtable",
        "mtr",
        "mtd",
    }
)
_ATTRIBUTES = frozenset(
    {
        "displaystyle",
        "alttext",
        "class",
        "stretchy",
        "form",
        "accent",
        "columnalign",
        "width",
        "lspace",
        "rspace",
        "mathvariant",
    }
)


class Markup(str):
    """A string that is HTML already; any other string is escaped where it enters the page."""


def escape(text: object) -> Markup:
    """Escape anything but :class:`Markup`; characters that HTML does not allow become a replacement mark."""
    return text if isinstance(text, Markup) else Markup(html.escape(_NOT_TEXT.sub("\ufffd", str(text))))


def join(*parts: object, by: str = "") -> Markup:
    """Put parts in a row, leaving out those that are None or empty."""
    return Markup(escape(by).join(escape(part) for part in parts if part is not None and part != ""))


def h(tag: str, *children: object, **attributes: object) -> Markup:
    """Return an element, ``h("td", text, class_="figure")``; None and False leave an attribute out."""
    written = ""
    for name, value in attributes.items():
        if value is not None and value is not False:
            written += " " + name.rstrip("_").replace("_", "-") + ("" if value is True else f'="{escape(value)}"')
    return Markup(f"<{tag}{written}>" if tag in _VOID else f"<{tag}{written}>{join(*children)}</{tag}>")


@functools.lru_cache(maxsize=4096)
def formula(source: str) -> Markup:
    """Return presentation MathML rebuilt from harmless elements; anything else is shown as text."""
    try:
        if "<!" in source:
            raise ValueError("a formula has no declarations")
        root = ElementTree.fromstring(source)
        if _local(root) != "math":
            raise ValueError("not a formula")
        return _rebuilt(root)
    except (ElementTree.ParseError, ValueError):
        return h("code", source) if source else Markup("")


def _local(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _rebuilt(element: ElementTree.Element) -> Markup:
    tag = _local(element)
    if tag not in _MATHML:
        raise ValueError(f"<{tag}> does not belong in a formula")
    attributes = {name: value for name, value in element.attrib.items() if name in _ATTRIBUTES}
    return h(tag, element.text, *map(_rebuilt, element), **attributes)


def count(number: int) -> str:
    """``16384`` as ``16,384``."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """``1 claim``, ``2 claims``."""
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")


def number(value: float | None) -> str:
    """A number to three figures."""
    return "\u2013" if value is None else f"{value:.3g}"


def percent(share: float | None) -> str:
    """A share of a whole in per cent; what is not zero is not called zero."""
    if share is None:
        return "\u2013"
    if math.isnan(share):
        return "not a number"
    if share == 0 or share >= 0.1:
        return f"{100 * share:.0f}\u202f%"
    return "< 0.1\u202f%" if share < 0.001 else f"{100 * share:.1f}\u202f%"


def margin(share: float | None) -> str:
    """The worst error against its budget, in words."""
    if share is None or math.isnan(share) or share <= 1:
        return percent(share)
    return "unbounded" if math.isinf(share) else f"{share:.3g} \u00d7 budget"


def data(value: Any) -> str:
    """Nested data on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def seconds(time: float) -> str:
    """A time in the unit that fits."""
    return (
        f"{time * 1000:.0f}\u202fms"
        if time < 1
        else f"{time:.1f}\u202fs"
        if time < 120
        else f"{time / 60:.0f}\u202fmin"
    )


def bar(share: float, class_: str = "fill", **attributes: object) -> Markup:
    """A share of a whole, drawn."""
    track = h("rect", class_="track", width="100", height="8")
    part = h("rect", class_=class_, width=f"{100 * share:.2f}", height="8")
    return h("svg", track, part, viewBox="0 0 100 8", preserveAspectRatio="none", **attributes)


def table(headings: list[str], rows: list[list[object]], class_: str, caption: str) -> Markup:
    """A table whose cells know their heading, so that a narrow page can stack them."""
    head = h("thead", h("tr", *(h("th", text, scope="col") for text in headings)))
    body = []
    for row in rows:
        cells = [h("th", row[0], scope="row", data_label=headings[0])]
        cells += [h("td", cell, data_label=label) for label, cell in zip(headings[1:], row[1:], strict=True)]
        body.append(h("tr", *cells))
    words = h("caption", caption, class_="unseen")
    return h("div", h("table", words, head, h("tbody", *body), class_=class_), class_="scroll")
