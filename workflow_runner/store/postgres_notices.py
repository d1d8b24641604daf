"""Notices through PostgreSQL, which every runner on the database hears."""

import asyncio
import logging
from types import TracebackType
from typing import Any, Final, Self

from connectory.errors import StoreError
from workflow_runner.store.database.postgres import PostgresDatabase
from workflow_runner.store.database.postgres_errors import FAILURES
from workflow_runner.store.notices import Notices

__all__ = ["PostgresNotices"]

_log = logging.getLogger(__name__)
_CHANNEL: Final = "connectory_store"
_PUBLISH = f"SELECT pg_notify('{_CHANNEL}', :topic)"
_WHILE_HEARING, _WHILE_DEAF = 5.0, 0.5
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0


class PostgresNotices(Notices):
    """Listens on a connection of its own, and makes a new one when that is lost."""

    def __init__(self, database: PostgresDatabase) -> None:
        super().__init__(_WHILE_DEAF)
        self._database = database
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._listen_always(), name="store notices")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def publish(self, topic: str) -> None:
        self.tell(topic)
        await self._database.rows(_PUBLISH, topic=topic)

    async def _listen_always(self) -> None:
        wait = _FIRST_WAIT
        while True:
            try:
                await self._hear()
                wait = _FIRST_WAIT
            except (StoreError, *FAILURES) as error:
                _log.warning("no notices of the store's changes, so it is asked more often: %s", error)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _hear(self) -> None:
        """Listen until the connection is lost."""
        connection = await self._database.connect()
        try:
            self._lost.clear()
            connection.add_termination_listener(lambda _: self._lost.set())
            await connection.add_listener(_CHANNEL, self._heard)
            self.look_every = _WHILE_HEARING
            self.tell_all()  # whatever was said before is lost
            await self._lost.wait()
        finally:
            self.look_every = _WHILE_DEAF
            connection.terminate()

    def _heard(self, connection: Any, pid: int, channel: str, topic: str) -> None:
        self.tell(topic)
