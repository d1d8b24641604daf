"""The ledger in SQLite: over restarts, between processes, through crashes, and when the disk fails."""

import asyncio
import json
import sqlite3
import stat
import time
from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest

from connectory.connector.ledger.sqlite import SqliteLedger
from connectory.errors import UnavailableError
from tests.connectory.connector.ledger_suite import Creator, creation
from tests.connectory.connector.shared_ledger_suite import SharedLedgerSuite

_FIRST = ("migrations", "sqlite", "0001_creations.sql")


class TestSqliteLedger(SharedLedgerSuite):
    @pytest.fixture
    def where(self, tmp_path: Path) -> str:
        return str(tmp_path / "ledger.sqlite")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "ledger.sqlite"


async def test_only_the_owner_can_read_the_file(path: Path) -> None:
    ledger = SqliteLedger(path)
    await ledger.once(creation(), Creator().create)
    for file in path.parent.glob("ledger.sqlite*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    await ledger.aclose()


async def test_without_a_stored_intent_nothing_is_created(tmp_path: Path) -> None:
    folder = tmp_path / "a_folder"
    folder.mkdir()
    ledger, creator = SqliteLedger(folder), Creator()
    with pytest.raises(UnavailableError, match="nothing was created"):
        await ledger.once(creation(), creator.create)
    assert creator.started == 0
    await ledger.aclose()


@pytest.fixture
def no_database(tmp_path: Path) -> Path:
    path = tmp_path / "text"
    path.write_bytes(b"this is no database" * 100)
    return path


async def test_a_file_that_is_no_database_is_told(no_database: Path) -> None:
    ledger = SqliteLedger(no_database)
    with pytest.raises(UnavailableError, match="not a database"):
        await ledger.once(creation(), Creator().create)
    await ledger.aclose()


async def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1000")
    connection.close()
    ledger = SqliteLedger(path)
    with pytest.raises(UnavailableError, match="newer version"):
        await ledger.once(creation(), Creator().create)
    await ledger.aclose()


async def test_a_handle_that_cannot_be_stored_is_told_and_stored_later(path: Path) -> None:
    ledger, creator = SqliteLedger(path, patience=0.05), Creator()
    await ledger.once(creation("first"), creator.create)
    _execute(path, "CREATE TRIGGER full BEFORE UPDATE ON connectory_jobs BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    assert await ledger.once(creation(), creator.create) == b"handle 2"
    assert await ledger.once(creation(), creator.create) == b"handle 2"
    _execute(path, "DROP TRIGGER full")
    await ledger.aclose()
    restarted = SqliteLedger(path)
    assert await restarted.once(creation(), creator.create) == b"handle 2"
    await restarted.aclose()


async def test_outcomes_are_forgotten_in_time(path: Path) -> None:
    creator = Creator()
    first = SqliteLedger(path)
    await first.once(creation(), creator.create)
    await first.aclose()
    second = SqliteLedger(path, keep=timedelta(seconds=-1))
    assert await second.once(creation(), creator.create) == b"handle 2"
    await second.aclose()


async def test_many_creates_at_once_share_their_commits(path: Path) -> None:
    ledger, creator = SqliteLedger(path), Creator()
    handles = await asyncio.gather(*(ledger.once(creation(f"key-{n}"), creator.create) for n in range(2000)))
    assert len(set(handles)) == 2000
    await ledger.aclose()


async def test_a_file_of_the_first_version_is_taken_over(path: Path) -> None:
    path.parent.mkdir()
    script = resources.files("connectory.connector.ledger").joinpath(*_FIRST).read_text()
    digests = json.dumps(dict(creation().digests))
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO creations (key, digests, state, owner, handle, changed_at) VALUES (?, ?, ?, ?, ?, ?)",
            ("k", digests, "created", "1-abc", b"earlier", time.time()),
        )
        connection.execute(
            "INSERT INTO creations (key, digests, state, owner, changed_at) VALUES (?, ?, ?, ?, ?)",
            ("open", digests, "intended", "1-abc", time.time()),
        )
    connection.close()
    ledger, creator = SqliteLedger(path), Creator()
    creator.found = b"found"
    assert await ledger.once(creation(), creator.create) == b"earlier"
    assert await ledger.once(creation("open"), creator.create, creator.find) == b"found"
    assert creator.started == 0
    assert await ledger.identity()
    await ledger.aclose()


async def test_two_files_are_known_by_different_names(tmp_path: Path) -> None:
    ledgers = [SqliteLedger(tmp_path / name) for name in ("one", "other")]
    one, other = [await ledger.identity() for ledger in ledgers]
    assert one != other
    for ledger in ledgers:
        await ledger.aclose()


def _execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
