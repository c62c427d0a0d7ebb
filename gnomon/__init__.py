"""Write the mathematics once: Gnomon proves it, turns it into checks, and hunts for inputs where programs disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnomon.front.api import Results as Results
    from gnomon.front.api import check_point as check_point
    from gnomon.front.api import prove as prove
    from gnomon.front.api import verify as verify

__all__ = ["Results", "check_point", "prove", "verify"]


def __getattr__(name: str) -> Any:
    """The public functions, imported when first used: ``import gnomon`` loads neither torch nor SymPy."""
    if name in __all__:
        from gnomon.front import api

        return getattr(api, name)
    raise AttributeError(f"module 'gnomon' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
