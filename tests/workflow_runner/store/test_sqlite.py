"""The SQLite store: the suite in memory and in a file, and what only a file can suffer."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectory.database.contract import Session
from connectory.errors import SettingsError, StoreError
from tests.workflow_runner.store.conformance import StoreSuite, execution, record
from tests.workflow_runner.store.rooming import DatabaseSuite
from tests.workflow_runner.store.sharing import SharedStoreSuite
from workflow_runner.store.contract import Store
from workflow_runner.store.opening import open_store
from workflow_runner.store.sqlite import SqliteStore


class TestMemory(StoreSuite):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]:
        async with open_store("memory://") as opened:
            yield opened


class TestFile(StoreSuite):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        async with open_store(f"sqlite:///{tmp_path}/folder/runs.db") as opened:
            yield opened


class TestSharedFile(SharedStoreSuite):
    @pytest.fixture
    async def one(self, tmp_path: Path) -> AsyncIterator[Store]:
        async with open_store(f"sqlite:///{tmp_path}/runs.db") as opened:
            yield opened

    @pytest.fixture
    async def two(self, tmp_path: Path, one: Store) -> AsyncIterator[Store]:
        async with open_store(f"sqlite:///{tmp_path}/runs.db") as opened:
            yield opened


class TestDatabase(DatabaseSuite):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/runs.db"


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    for number in range(3):
        async with SqliteStore(tmp_path / "runs.db") as store:
            await store.create(execution(f"e{number}"), [record(0)])
    async with SqliteStore(tmp_path / "runs.db") as store:
        assert len(await store.executions()) == 3


async def test_a_locked_file_is_told_and_nothing_is_half_done(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "runs.db", busy_timeout=0.05) as store:
        await store.create(execution(), [record(0)])
        other = sqlite3.connect(tmp_path / "runs.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked; another program holds it"):
            await store.append("e", 1, [record(1)])
        other.execute("ROLLBACK")
        other.close()
        await store.append("e", 1, [record(1)])
        assert await store.log("e") == [record(0), record(1)]


async def test_a_full_disk_is_told_and_nothing_is_half_done(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    async with SqliteStore(path) as store:
        await store.create(execution(), [record(0)])

        def limit(connection: sqlite3.Connection) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 1}")

        await store.database._writer.run(limit)  # type: ignore[attr-defined]
        large = [record(number) for number in range(1, 2000)]
        with pytest.raises(StoreError, match="full; make room on the disk"):
            await store.append("e", 1, large)
        assert await store.log("e") == [record(0)]


async def test_a_file_that_is_no_store_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are my notes, " * 100)
    with pytest.raises(StoreError, match=r"notes\.txt"):
        async with SqliteStore(tmp_path / "notes.txt"):
            pass


async def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "runs.db")
    connection.execute("PRAGMA user_version = 1000")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        async with SqliteStore(tmp_path / "runs.db"):
            pass


async def test_notices_that_were_dropped_before_they_were_read_wake_everybody(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "runs.db") as one, SqliteStore(tmp_path / "runs.db") as two:
        with two.notices.listen("anything") as news:
            await asyncio.gather(*(one.notices.publish("something else") for _ in range(1100)))
            await news.wait()
            assert len(await one.database.rows("SELECT * FROM notices")) == 1000


async def test_a_transaction_that_awaits_anything_else_is_a_mistake(tmp_path: Path) -> None:
    async def sleepy(session: Session) -> None:
        await session.rows("SELECT 1")
        await asyncio.sleep(0)

    async with SqliteStore(tmp_path / "runs.db") as store:
        with pytest.raises(RuntimeError, match="must not await anything but its session"):
            await store.database.run(sleepy)


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "runs.db")
    with pytest.raises(StoreError, match="not open"):
        await store.log("e")


@pytest.mark.parametrize("url", ["runs.db", "sqlite://", "mysql://host/db", "sqlite:///"])
def test_urls_that_name_no_store_are_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="write sqlite:///PATH or memory://"):
        open_store(url)


async def test_the_log_of_sqlite_stays_short_however_many_records_come(tmp_path: Path) -> None:
    async with SqliteStore(tmp_path / "runs.db") as store:
        await store.create(execution(), [record(0)])
        for number in range(1, 2000):
            await store.append("e", number, [record(number)])
        assert (tmp_path / "runs.db-wal").stat().st_size < 3 << 20
        assert len(await store.log("e")) == 2000
