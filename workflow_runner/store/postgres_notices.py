"""Notices through PostgreSQL, which every runner on the database hears."""

from types import TracebackType
from typing import Final, Self

from connectory.database.postgres import PostgresDatabase
from connectory.database.postgres_news import PostgresNews
from workflow_runner.store.notices import Notices

__all__ = ["PostgresNotices"]

_CHANNEL: Final = "connectory_store"
_PUBLISH = f"SELECT pg_notify('{_CHANNEL}', :topic)"
_WHILE_HEARING, _WHILE_DEAF = 5.0, 0.5


class PostgresNotices(Notices):
    """What each runner publishes is said on one channel."""

    def __init__(self, database: PostgresDatabase) -> None:
        super().__init__(_WHILE_DEAF)
        self._database = database
        self._news = PostgresNews(database, _CHANNEL, self.tell, self._turned)

    async def __aenter__(self) -> Self:
        await self._news.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._news.__aexit__(kind, error, trace)

    async def publish(self, topic: str) -> None:
        self.tell(topic)
        await self._database.rows(_PUBLISH, topic=topic)

    def _turned(self, is_hearing: bool) -> None:
        self.look_every = _WHILE_HEARING if is_hearing else _WHILE_DEAF
        if is_hearing:
            self.tell_all()  # whatever was said before is lost
