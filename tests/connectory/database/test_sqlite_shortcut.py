"""Commits that the event loop makes itself: what they leave, and when they are left to the thread."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectory.database.sqlite import SqliteDatabase
from connectory.database.sqlite_pace import Pace
from connectory.database.sqlite_shortcut import Shortcut
from connectory.errors import StoreError

INSERT = "INSERT INTO facts SELECT :fact WHERE NOT EXISTS (SELECT 1 FROM facts WHERE fact = :fact)"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[SqliteDatabase]:
    async with SqliteDatabase(file, busy_timeout=20) as opened:
        await opened.change("CREATE TABLE facts (fact INTEGER NOT NULL)")
        yield opened


def facts(file: Path) -> list[int]:
    connection = sqlite3.connect(file)
    try:
        return [fact for (fact,) in connection.execute("SELECT fact FROM facts ORDER BY fact")]
    finally:
        connection.close()


async def test_what_was_changed_is_there_for_others(database: SqliteDatabase, file: Path) -> None:
    changed = [await database.change_alone(INSERT, fact=fact) for fact in (1, 2, 2, 3)]
    assert changed == [1, 1, 0, 1]
    assert facts(file) == [1, 2, 3]
    assert await database.rows("SELECT count(*) FROM facts") == [(3,)]


async def test_a_statement_that_is_refused_says_why(database: SqliteDatabase, file: Path) -> None:
    with pytest.raises(StoreError, match="NOT NULL"):
        await database.change_alone("INSERT INTO facts VALUES (:fact)", fact=None)
    assert await database.change_alone(INSERT, fact=1) == 1
    assert facts(file) == [1]


async def test_what_another_program_locks_is_waited_for_by_the_thread(database: SqliteDatabase, file: Path) -> None:
    await database.change_alone(INSERT, fact=1)
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    asked = asyncio.create_task(database.change_alone(INSERT, fact=2))
    for _ in range(5):
        await asyncio.sleep(0)  # the loop itself waits for nothing
    assert not asked.done()
    other.execute("COMMIT")
    other.close()
    assert await asked == 1
    assert facts(file) == [1, 2]


async def test_it_stays_the_same_file_when_the_process_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    async with SqliteDatabase("file") as database:
        await database.change("CREATE TABLE facts (fact INTEGER NOT NULL)")
        monkeypatch.chdir(elsewhere)
        assert database.change_at_once(INSERT, {"fact": 1}) == 1
    assert facts(tmp_path / "file") == [1]
    assert not list(elsewhere.iterdir())


async def test_a_database_in_memory_has_one_connection() -> None:
    async with SqliteDatabase(":memory:") as database:
        await database.change("CREATE TABLE facts (fact INTEGER NOT NULL)")
        assert await database.change_alone(INSERT, fact=1) == 1
        assert await database.rows("SELECT fact FROM facts") == [(1,)]


async def test_a_database_that_is_closed_takes_nothing(file: Path) -> None:
    async with SqliteDatabase(file) as database:
        await database.change("CREATE TABLE facts (fact INTEGER NOT NULL)")
        await database.change_alone(INSERT, fact=1)
    with pytest.raises(StoreError, match="is not open"):
        await database.change_alone(INSERT, fact=2)
    assert facts(file) == [1]
    assert not list(file.parent.glob("file-*"))


def made(shortcut: Shortcut, fact: int) -> bool:
    return shortcut.change(INSERT, {"fact": fact}) is not None


@pytest.fixture
def connected(file: Path) -> Path:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE facts (fact INTEGER NOT NULL)")
    connection.close()
    return file


def connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level=None)


@pytest.mark.parametrize(("took", "commits"), [(0.1, 1), (0.005, 3)])
def test_the_event_loop_does_not_wait_for_commits_that_take_long_for_a_while(took: float, commits: int) -> None:
    clock = Clock()
    pace = Pace(clock)
    waited = 0
    while pace.is_good:
        pace.note(took)
        waited += 1
    assert waited == commits
    clock.now += 10
    for _ in range(100):
        assert pace.is_good
        pace.note(0.0001)


def test_now_and_then_the_thread_makes_one_so_that_the_log_does_not_grow(connected: Path) -> None:
    shortcut = Shortcut(lambda: connect(connected), Clock())
    left = []
    for fact in range(1000):
        if not made(shortcut, fact):
            assert not made(shortcut, fact)  # until the thread has made one, whoever asks
            left.append(fact)
            shortcut.begin_anew()
    assert len(left) == 7
    assert facts(connected) == [fact for fact in range(1000) if fact not in left]
    shortcut.close()


async def test_any_thread_may_change_something_and_none_waits_for_another(database: SqliteDatabase, file: Path) -> None:
    assert await asyncio.to_thread(database.change_at_once, INSERT, {"fact": 1}) == 1
    assert database.change_at_once(INSERT, {"fact": 2}) == 1
    is_in, may_end = threading.Event(), threading.Event()

    def clock() -> float:
        if threading.current_thread() is not threading.main_thread():
            is_in.set()
            may_end.wait(30)
        return 0.0

    shortcut = Shortcut(lambda: sqlite3.connect(file, isolation_level=None, check_same_thread=False), clock)
    other = asyncio.create_task(asyncio.to_thread(shortcut.change, INSERT, {"fact": 3}))
    assert await asyncio.to_thread(is_in.wait, 30)
    assert shortcut.change(INSERT, {"fact": 4}) is None
    may_end.set()
    assert await other == 1
    shortcut.close()
    assert facts(file) == [1, 2, 3]
