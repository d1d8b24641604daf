"""What a service said when it ended a call while this side was still writing.

grpc's asyncio calls put an INTERNAL of their own in the place of the service's status when a write finds the call
ended (https://github.com/grpc/grpc/issues/36066); whoever refuses a stream at its first message is then misquoted.
"""

import asyncio
from typing import Any, Final, TypeVar

__all__ = ["keep_status"]

_GRACE: Final = 1.0
"""Seconds in which a service's own status has to arrive after a write failed; it is nearly always there already."""

_Call = TypeVar("_Call")


def keep_status(call: _Call) -> _Call:
    """The same call, which is just made: a write that fails leaves the service's status in its place."""
    core = getattr(call, "_cython_call", None)
    if core is not None:
        call._cython_call = _Core(core)  # type: ignore[attr-defined]
    return call


class _Core:
    """grpc's inner call, whose status is that of the service, if one comes."""

    def __init__(self, core: Any) -> None:
        self._core = core

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def set_internal_error(self, error: str) -> None:
        """A write failed: this side's own status counts only where the service says none."""
        if not self._core.done():
            asyncio.get_running_loop().call_later(_GRACE, self._give_up, error)

    def _give_up(self, error: str) -> None:
        if not self._core.done():
            self._core.set_internal_error(error)
