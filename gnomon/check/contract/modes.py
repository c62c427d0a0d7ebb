"""A module answers the same in training and in evaluation, unless the reference model does not either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from gnomon.check.contract.model import reference
from gnomon.check.contract.near import departs
from gnomon.check.contract.part import Part, Setting, Unseen, broken, where
from gnomon.drive.driver import SubjectError, Tensors
from gnomon.drive.watched import watched


class Modes(Part):
    """The other mode makes no difference where it makes none to the reference model."""

    name = "training and evaluation"
    most = 2

    def look(self, at: Setting) -> None:
        model = reference(at)
        try:
            found, is_module = self._other(at, model)
        except SubjectError as error:
            raise Unseen("the reference model does not run in the other mode") from error
        if not is_module:
            raise Unseen("it is no module")
        if departs(at, 0, at.observer.of(model).one(at.tensors()), found):
            raise Unseen("the mode matters, and the claim says which it is")
        found, is_module = self._other(at, at.subject)
        if is_module and (words := departs(at, 0, at.answer, found)):
            raise broken(f"{words}, the second in the other mode of training and evaluation{where(at)}")

    def _other(self, at: Setting, subject: Any) -> tuple[Tensors, bool]:
        """What is answered in the other mode, and whether there is one."""
        modules: list[nn.Module] = []

        def around(function: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
            module = getattr(function, "__self__", None)
            if not isinstance(module, nn.Module):
                return function(*arguments, **keywords)
            modules.append(module)
            module.train(not module.training)
            try:
                return function(*arguments, **keywords)
            finally:
                module.train(not module.training)

        return at.observer.of(watched(subject, around)).one(at.tensors()), bool(modules)
