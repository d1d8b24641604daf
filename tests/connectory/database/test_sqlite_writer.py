"""The thread that owns an SQLite connection: what is asked of it is answered, also at its end."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from connectory.database.sqlite import SqliteDatabase
from connectory.database.sqlite_writer import Writer
from connectory.errors import StoreError


async def test_what_is_asked_for_while_it_stops_is_refused_at_once(tmp_path: Path) -> None:
    writer = Writer(lambda: sqlite3.connect(tmp_path / "file", isolation_level=None), "the store")
    writer.start()
    stopping = asyncio.create_task(writer.stop())
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="the store is not open"):
        async with asyncio.timeout(20):
            await writer.run(lambda connection: connection.execute("SELECT 1").fetchall())
    await stopping


async def test_a_defect_of_one_transaction_fails_none_that_came_with_it(tmp_path: Path) -> None:
    async with SqliteDatabase(tmp_path / "file") as database:
        await database.change("CREATE TABLE facts (fact INTEGER NOT NULL)")
        insert = "INSERT INTO facts VALUES (:fact)"
        outcomes = await asyncio.gather(
            database.change(insert, fact=1),
            database.change(insert, fact=2**80),
            database.change_many(insert, [{"fact": 2}, {"fact": 2**80}]),
            database.change(insert, fact=None),
            database.change(insert, fact=3),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [int, OverflowError, OverflowError, StoreError, int]
        assert await database.rows("SELECT fact FROM facts ORDER BY fact") == [(1,), (3,)]
