"""What the reference model does decides what is owed: an axis in front that it takes, a mode that it does not heed."""

from __future__ import annotations

from typing import Any

from gnomon.check.contract.part import Setting, Unseen
from gnomon.find.subjects import resolve
from gnomon.say.errors import UsageError


def reference(at: Setting) -> Any:
    """The reference model of the claim's subject.

    Raises:
        Unseen: if there is none.
    """
    try:
        return resolve(at.claim.subject, {})[0]
    except UsageError as error:
        raise Unseen("there is no reference model that says whether it must") from error
