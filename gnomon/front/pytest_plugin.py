"""A pytest plug-in: the fixture ``verify_claims`` turns claims into assertions on your own implementation.

def test_my_adam(verify_claims):
    verify_claims("optim.adam.*", impl={"optim.Adam": MyAdam})
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gnomon.front.api import Results


@pytest.fixture
def verify_claims() -> Callable[..., Results]:
    """A function like :func:`gnomon.verify` that fails the test unless every claim holds."""

    def run(*patterns: str, **options: Any) -> Results:
        __tracebackhide__ = True
        from gnomon.front.api import verify  # when first used: every pytest run loads this plug-in

        results = verify(patterns, **options)
        if results.exit_code != 0:
            pytest.fail("\n".join(str(one) for one in results if one.verdict != "holds"), pytrace=False)
        return results

    return run
