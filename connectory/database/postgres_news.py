"""What is said on a channel of PostgreSQL."""

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from connectory.database.postgres import PostgresDatabase
from connectory.database.postgres_errors import FAILURES
from connectory.errors import StoreError

__all__ = ["PostgresNews"]

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0
_ASK_EVERY: Final = 10.0
"""How often the connection is asked whether it still works: one that nothing comes through looks like a quiet one."""
_log = logging.getLogger(__name__)


class PostgresNews:
    """Listens on a connection of its own, and makes a new one when that is lost.

    `heard` is called with what others said; `turned` with True when listening begins (what was said before is lost),
    and with False when it ends.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        channel: str,
        heard: Callable[[str], None],
        turned: Callable[[bool], None] = lambda is_listening: None,
    ) -> None:
        self._database = database
        self._channel = channel
        self._heard = heard
        self._turned = turned
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def start(self) -> None:
        """Begin to listen, unless that has begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen_always(), name=f"news on {self._channel}")

    async def _listen_always(self) -> None:
        wait = _FIRST_WAIT
        while True:
            try:
                await self._listen()
                wait = _FIRST_WAIT
            except (StoreError, *FAILURES) as error:
                _log.warning("no news of %s, so it is asked more often: %s", self._database.shown, error)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _listen(self) -> None:
        """Listen until the connection is lost."""
        connection = await self._database.connect()
        try:
            self._lost.clear()
            connection.add_termination_listener(lambda _: self._lost.set())
            await connection.add_listener(self._channel, self._hear)
            self._turned(True)
            while not self._lost.is_set():
                await self._wait(_ASK_EVERY)
                await connection.execute(f"LISTEN {self._channel}")  # which it does already, and says so
        finally:
            self._turned(False)
            connection.terminate()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        except TimeoutError:
            return

    def _hear(self, connection: Any, pid: int, channel: str, text: str) -> None:
        self._heard(text)
