"""Something that belongs to one event loop and is made when it is first needed."""

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

__all__ = ["PerLoop"]


class _Closing(Protocol):
    async def aclose(self) -> None: ...


ClientT = TypeVar("ClientT", bound=_Closing)


class PerLoop(Generic[ClientT]):
    """A client for the running event loop.

    `make` runs on a thread, because what it imports and loads would block the loop. A client of a loop that has ended
    is dropped.
    """

    def __init__(self, make: Callable[[], ClientT]) -> None:
        self._make = make
        self._client: ClientT | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def get(self) -> ClientT:
        """The running loop's client."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            made = await asyncio.to_thread(self._make)
            if self._client is None or self._loop is not loop:
                self._client, self._loop = made, loop
        return self._client

    async def aclose(self) -> None:
        """Close the running loop's client, if there is one."""
        if self._client is not None and self._loop is asyncio.get_running_loop():
            client, self._client = self._client, None
            await client.aclose()
