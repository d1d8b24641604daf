"""What every database must do for rooms that keep something of their own in it.

A subclass provides the fixture `url`, of a store in which there is nothing yet.
"""

import asyncio

import pytest

from connectory.database.contract import (
    DuplicateRowError,
    MissingRowError,
    Schema,
    Session,
)
from connectory.database.statements import load_statements
from connectory.errors import StoreError
from tests.workflow_runner.store.conformance import execution, record
from workflow_runner.store.opening import open_store

OLD = Schema(name="room", package="tests.workflow_runner.store.rooms.v1")
NEW = Schema(name="room", package="tests.workflow_runner.store.rooms.v2")


class DatabaseSuite:
    """The suite."""

    async def test_tables_of_a_room_move_on_with_what_is_in_them(self, url: str) -> None:
        async with open_store(url) as store:
            await store.database.migrate(OLD)
            await store.database.change("INSERT INTO shelves (name, room) VALUES (:name, :room)", name="a", room=1)
        async with open_store(url) as store:
            sql = load_statements(NEW.package, store.database.dialect)
            await store.database.migrate(NEW)
            assert await store.database.rows(sql["select_shelves"]) == [("a", 1, "brown")]
            await store.database.migrate(NEW)
            versions = await store.database.rows("SELECT version FROM schema_versions WHERE schema = 'room' ORDER BY 1")
            assert versions == [(1,), (2,)]

    async def test_tables_of_a_newer_version_are_left_alone(self, url: str) -> None:
        async with open_store(url) as store:
            await store.database.migrate(NEW)
            with pytest.raises(
                StoreError, match=r"newer version of this program: its 'room' tables have version 2, .* 1"
            ):
                await store.database.migrate(OLD)

    async def test_a_store_of_a_newer_version_is_left_alone(self, url: str) -> None:
        async with open_store(url) as store:
            statement = "INSERT INTO schema_versions (schema, version, applied_at) SELECT schema, 1000, applied_at "
            await store.database.change(statement + "FROM schema_versions WHERE version = 1")
        with pytest.raises(StoreError, match=r"newer version .* its 'executions' tables have version 1000"):
            async with open_store(url):
                pass

    async def test_a_new_store_may_be_opened_by_many_at_once(self, url: str) -> None:
        async def opened(name: str) -> None:
            async with open_store(url) as store:
                await store.database.migrate(NEW)
                await store.create(execution(name), [record(0)])

        await asyncio.gather(*(opened(f"e{number}") for number in range(6)))
        async with open_store(url) as store:
            assert len(await store.executions()) == 6

    async def test_a_transaction_is_all_or_nothing(self, url: str) -> None:
        async with open_store(url) as store:
            sql = load_statements(NEW.package, store.database.dialect)
            await store.database.migrate(NEW)

            async def furnish(session: Session) -> int:
                await session.change_many(sql["insert_shelf"], [{"name": name, "room": 1} for name in "ab"])
                assert len(await session.rows(sql["select_shelves"])) == 2
                return await session.change("UPDATE shelves SET room = :room WHERE room = 1", room=2)

            async def fail_late(session: Session) -> None:
                await session.change(sql["insert_shelf"], name="c", room=3)
                await session.change(sql["insert_shelf"], name="a", room=3)

            async def fail_otherwise(session: Session) -> None:
                await session.change(sql["insert_shelf"], name="d", room=3)
                raise ValueError("no more room")

            assert await store.database.run(furnish) == 2
            with pytest.raises(DuplicateRowError):
                await store.database.run(fail_late)
            with pytest.raises(ValueError, match="no more room"):
                await store.database.run(fail_otherwise)
            with pytest.raises(MissingRowError):
                await store.database.change(sql["insert_book"], title="t", shelf="nowhere")
            assert [row[:2] for row in await store.database.rows(sql["select_shelves"])] == [("a", 2), ("b", 2)]
            assert await store.database.rows(sql["dialect"]) == [(store.database.dialect,)]

    async def test_of_many_changes_it_is_told_which_happened(self, url: str) -> None:
        insert = "INSERT INTO shelves (name, room) VALUES (:name, :room) ON CONFLICT (name) DO NOTHING"
        async with open_store(url) as store:
            await store.database.migrate(OLD)

            async def put(*names: str) -> list[bool]:
                return [*await store.database.change_each(insert, [{"name": name, "room": 1} for name in names])]

            assert await put("a", "b") == [True, True]
            assert await put("c", "a", "d", "b") == [True, False, True, False]
            assert await put() == []
            rows = await store.database.rows("SELECT name FROM shelves ORDER BY name")
            assert rows == [("a",), ("b",), ("c",), ("d",)]

    async def test_the_clock_stands_still_within_a_statement_and_is_that_of_the_store(self, url: str) -> None:
        async with open_store(url) as store:
            [(one, other, clock)] = await store.database.rows("SELECT :now, :now, store_now()")
            assert one == other
            assert abs(clock - one) < 60
