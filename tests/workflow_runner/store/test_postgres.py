"""The PostgreSQL store: the suites against a real server, and what only a server can suffer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from connectory.errors import StoreError
from tests.postgres import PostgresServer
from tests.workflow_runner.store.conformance import StoreSuite, execution, record
from tests.workflow_runner.store.rooming import DatabaseSuite
from tests.workflow_runner.store.sharing import SharedStoreSuite
from workflow_runner.store.contract import Store
from workflow_runner.store.notices import signal_topic
from workflow_runner.store.opening import open_store
from workflow_runner.store.postgres import PostgresStore


class TestPostgres(StoreSuite):
    @pytest.fixture
    async def store(self, postgres_url: str) -> AsyncIterator[Store]:
        async with open_store(postgres_url) as opened:
            yield opened


class TestSharedPostgres(SharedStoreSuite):
    @pytest.fixture
    async def one(self, postgres_url: str) -> AsyncIterator[Store]:
        async with open_store(postgres_url) as opened:
            yield opened

    @pytest.fixture
    async def two(self, postgres_url: str, one: Store) -> AsyncIterator[Store]:
        async with open_store(postgres_url) as opened:
            yield opened


class TestDatabase(DatabaseSuite):
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


def _cut(server: PostgresServer, url: str) -> None:
    """End every connection of the stores at this URL, as a server does that is shut down."""
    schema = url.rpartition("=")[2]
    of_ours = "SELECT pid FROM pg_stat_activity WHERE application_name = 'connectory' AND pid <> pg_backend_pid()"
    assert schema
    server.query(f"SELECT pg_terminate_backend(pid) FROM ({of_ours}) AS ours")


async def test_lost_connections_are_replaced_and_nothing_is_lost_or_doubled(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with open_store(postgres_url) as store:
        cutting = asyncio.create_task(asyncio.to_thread(_cut_often, postgres_server, postgres_url, 8))
        written = 0
        while not cutting.done():
            names = [f"e{written}-{number}" for number in range(4)]
            await asyncio.gather(*(store.create(execution(name), [record(0)]) for name in names))
            for number in range(1, 4):
                await asyncio.gather(*(store.append(name, number, [record(number)]) for name in names))
            written += 1
        await cutting
        executions = await store.executions(limit=100_000)
        assert len(executions) == 4 * written
        logs = await store.logs([found.id for found in executions])
        assert [len(log) for log in logs.values()] == [4] * len(executions)


def _cut_often(server: PostgresServer, url: str, times: int) -> None:
    for _ in range(times):
        _cut(server, url)


async def test_notices_come_through_other_stores_and_survive_lost_connections(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with open_store(postgres_url) as one, open_store(postgres_url) as two:
        await one.create(execution(), [record(0)])
        with two.notices.listen(signal_topic("e")) as news:
            await _hears(one, news)
            await asyncio.to_thread(_cut, postgres_server, postgres_url)
            news.clear()
            await _hears(one, news)


async def _hears(store: Store, news: asyncio.Event) -> None:
    while not news.is_set():
        await store.notices.publish(signal_topic("e"))
        await asyncio.wait([asyncio.ensure_future(news.wait())], timeout=0.05)


async def test_locked_tables_are_told_and_nothing_is_half_done(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with PostgresStore(postgres_url, lock_timeout=0.05) as store:
        await store.create(execution(), [record(0)])
        other = await store.database.connect()  # type: ignore[attr-defined]
        await other.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreError, match="another program holds its tables"):
            await store.append("e", 1, [record(1)])
        await other.execute("ROLLBACK")
        await other.close()
        await store.append("e", 1, [record(1)])
        assert await store.log("e") == [record(0), record(1)]


async def test_a_full_disk_is_told_and_nothing_is_half_done(postgres_server: PostgresServer, postgres_url: str) -> None:
    async with PostgresStore(postgres_url) as store:
        await store.create(execution(), [record(0)])
        await store.database.change(_FULL)
        await store.database.change("CREATE TRIGGER full_disk BEFORE INSERT ON events EXECUTE FUNCTION full_disk()")
        with pytest.raises(StoreError, match="could not extend file; make room for the database"):
            await store.append("e", 1, [record(1)], execution(phase="FAILED"))
        await store.database.change("DROP TRIGGER full_disk ON events")
        assert (await store.execution("e")).phase == "RUNNING"
        await store.append("e", 1, [record(1)])


_FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$
"""


async def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(StoreError, match="see that the server runs") as told:
        async with open_store("postgresql://me:secret@127.0.0.1:1/runs"):
            pass
    assert "postgresql://me@127.0.0.1:1/runs" in str(told.value)
    assert "secret" not in str(told.value)


async def test_a_closed_store_says_so(postgres_url: str) -> None:
    store = open_store(postgres_url)
    with pytest.raises(StoreError, match="not open"):
        await store.log("e")
    with pytest.raises(StoreError, match="not open"):
        await store.append("e", 1, [record(1)])
