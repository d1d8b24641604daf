"""Something that one task waits for."""

import asyncio

import msgspec

__all__ = ["Wake"]


class Wake(msgspec.Struct, eq=False):
    """An event that one task at a time waits for: lighter than asyncio's, which any number may wait for."""

    _is_set: bool = False
    _waiter: "asyncio.Future[None] | None" = None

    def set(self) -> None:
        """Let the one go on who waits, or the next who is going to wait."""
        self._is_set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        """Whoever waits from now on waits for the next `set`."""
        self._is_set = False

    @property
    def is_set(self) -> bool:
        """Whether nobody would have to wait."""
        return self._is_set

    async def wait(self) -> None:
        """Return once it is set."""
        if not self._is_set:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
