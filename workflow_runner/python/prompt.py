"""Futures that tell of their end at once."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["PromptFuture", "when_done"]

T = TypeVar("T")


class PromptFuture(asyncio.Future[T]):
    """A future with one listener who hears of its end right away; callbacks come in the event loop's next turn."""

    told: Callable[[], None] | None = None
    """The listener."""

    def set_result(self, result: T, /) -> None:
        """End with a result."""
        super().set_result(result)
        self._tell()

    def set_exception(self, exception: type | BaseException, /) -> None:
        """End with an error."""
        super().set_exception(exception)
        self._tell()

    def cancel(self, msg: Any | None = None) -> bool:
        """End it as cancelled, unless it has ended."""
        is_cancelled = super().cancel(msg)
        if is_cancelled:
            self._tell()
        return is_cancelled

    def _tell(self) -> None:
        if self.told is None:
            return
        try:
            self.told()
        except Exception as error:  # as the event loop does with callbacks: who ends a future is not to blame
            self.get_loop().call_exception_handler({"message": "a listener failed", "exception": error, "future": self})


def when_done(future: asyncio.Future[T], told: Callable[[], None]) -> None:
    """Call this once the future has ended: at once, where the future can do that."""
    if isinstance(future, PromptFuture) and not future.done():
        future.told = told
    else:
        future.add_done_callback(lambda _: told())
