"""The engine that runs workflows which are called in plain Python: the runner's own, found when it is first needed."""

from __future__ import annotations

from functools import cache
from typing import Final, cast

from connectory.authoring.delegation import Delegate
from connectory.errors import ExecutionError

__all__ = ["ENTRY_POINTS", "local_engine"]

ENTRY_POINTS: Final = "connectory.local_engine"
"""The group of entry points in which the engine is declared, by the distribution that this package is part of."""
_DISTRIBUTION: Final = "connectory"


@cache
def local_engine() -> Delegate:
    """The engine. It gives the outputs of whatever it runs, and raises what the task raised that could not be helped.

    An ExecutionError when this package is not installed, but only lies on the module search path.
    """
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415 - costs much at import

    try:
        found = list(distribution(_DISTRIBUTION).entry_points.select(group=ENTRY_POINTS))
    except PackageNotFoundError:
        found = []
    if not found:
        raise ExecutionError(
            f"workflows are run by the engine that the distribution '{_DISTRIBUTION}' declares as entry point "
            f"'{ENTRY_POINTS}', and there is none; install it again, from its sources with: pip install -e ."
        )
    return cast(Delegate, found[0].load())
