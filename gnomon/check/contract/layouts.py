"""Where a tensor's numbers lie in memory does not matter, nor what lay there before."""

from __future__ import annotations

import torch

from gnomon.check.contract.near import departs, gradient_departs
from gnomon.check.contract.part import Part, Setting, broken, where
from gnomon.check.contract.products import cotangent_at, product, unlike
from gnomon.check.contract.relaid import LAYOUTS, Refilled, relaying, strided
from gnomon.check.observer import Observer
from gnomon.drive.driver import SubjectError, Tensors
from gnomon.drive.watched import watched


class Layouts(Part):
    """Arguments that are strided, transposed, expanded, channels last, or not at the beginning of their storage."""

    name = "layouts of the inputs"
    most = 4

    def absent(self, at: Setting) -> str:
        return at.unread

    def look(self, at: Setting) -> None:
        given = {name: strided(value) for name, value in at.tensors().items()}
        self._compare(at, "strided", at.observer, given)
        for words, layout in LAYOUTS.items():
            self._compare(at, words, at.observer.of(watched(at.subject, relaying(layout), objects=True)), at.tensors())

    def _compare(self, at: Setting, layout: str, observer: Observer, given: Tensors) -> None:
        try:
            found = observer.one(given)
        except SubjectError as error:
            raise broken(f"for {layout} inputs: {error.reason}{where(at)}") from error
        if words := departs(at, 0, at.answer, found):
            raise broken(f"{words}, the second for {layout} inputs{where(at)}")


class RefilledStorage(Part):
    """The same tensors, with other values in them the second time."""

    name = "refilled storage"
    most = 4

    def absent(self, at: Setting) -> str:
        return at.unread

    def look(self, at: Setting) -> None:
        points = at.on(at.ordinary(2))
        refilled = Refilled()
        again = at.observer.of(watched(at.subject, refilled, objects=True))
        for number in range(points.batch.size):
            refilled.place = 0
            found = again.one(points.tensors(number))
            if words := departs(points, number, points.observer.one(points.tensors(number)), found):
                raise broken(f"{words}, the second where the same tensors held other values before{where(at)}")


class GradientLayouts(Part):
    """The gradients of arguments that lie otherwise, and upstream gradients that lie otherwise."""

    name = "layouts, for gradients"
    most = 2

    def absent(self, at: Setting) -> str:
        return "" if at.gradient is not None else "no gradient is compared for this claim"

    def look(self, at: Setting) -> None:
        cotangent = cotangent_at(at)
        alone = product(at, at.observer, cotangent)
        for words, layout in LAYOUTS.items():
            observer = at.observer.of(watched(at.subject, relaying(layout, results=True), objects=True))
            try:
                found = product(at, observer, cotangent)
            except SubjectError as error:
                raise broken(f"for {words} inputs or upstream gradients: {error.reason}{where(at)}") from error
            if said := gradient_departs(at, cotangent, alone, found):
                raise unlike(at, said, f"the second for {words} inputs")
        ones = torch.ones_like(cotangent)
        if said := gradient_departs(at, ones, product(at, at.observer, ones), product(at, at.observer, None)):
            raise unlike(at, said, "the second for an upstream gradient that is expanded, as that of a sum is")
