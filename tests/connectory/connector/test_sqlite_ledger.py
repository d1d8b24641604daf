"""The ledger in SQLite: over restarts, between processes, through crashes, and when the disk fails."""

import asyncio
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from connectory.connector.ledger.sqlite import SqliteLedger
from connectory.errors import AlreadyExistsError, AmbiguousError, UnavailableError
from tests.connectory.connector.ledger_suite import Creator, LedgerSuite, creation


class TestSqliteLedger(LedgerSuite):
    @pytest_asyncio.fixture
    async def ledger(self, tmp_path: Path) -> AsyncIterator[SqliteLedger]:
        ledger = SqliteLedger(tmp_path / "ledger.sqlite")
        yield ledger
        await ledger.aclose()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "ledger.sqlite"


async def test_a_restarted_process_answers_from_the_file(path: Path) -> None:
    creator = Creator()
    first = SqliteLedger(path)
    await first.once(creation(), creator.create)
    await first.aclose()
    second = SqliteLedger(path)
    assert await second.once(creation(), creator.create) == b"handle 1"
    with pytest.raises(AlreadyExistsError, match="template"):
        await second.once(creation(content="other"), creator.create)
    await second.aclose()


async def test_only_the_owner_can_read_the_file(path: Path) -> None:
    ledger = SqliteLedger(path)
    await ledger.once(creation(), Creator().create)
    for file in path.parent.glob("ledger.sqlite*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    await ledger.aclose()


async def test_another_process_waits_for_the_one_that_creates(path: Path) -> None:
    one, two, creator, other = SqliteLedger(path), SqliteLedger(path), Creator(), Creator()
    creator.may_go_on.clear()
    creating = asyncio.create_task(one.once(creation(), creator.create))
    await creator.reached.wait()
    waiting = asyncio.create_task(two.once(creation(), other.create))
    with pytest.raises(AlreadyExistsError):
        await two.once(creation(content="other"), other.create)
    creator.may_go_on.set()
    assert await creating == await waiting == b"handle 1"
    assert other.started == 0
    await one.aclose()
    await two.aclose()


async def test_when_the_create_of_another_process_fails_the_waiting_one_creates(path: Path) -> None:
    one, two = SqliteLedger(path), SqliteLedger(path)
    creator, other = Creator(UnavailableError("not here")), Creator()
    creator.may_go_on.clear()
    creating = asyncio.create_task(one.once(creation(), creator.create))
    await creator.reached.wait()
    waiting = asyncio.create_task(two.once(creation(), other.create))
    creator.may_go_on.set()
    with pytest.raises(UnavailableError, match="not here"):
        await creating
    assert await waiting == b"handle 1"
    await one.aclose()
    await two.aclose()


KILLED = """
import asyncio, os, signal, sys
from connectory.connector.ledger.sqlite import SqliteLedger
from tests.connectory.connector.ledger_suite import creation

async def create():
    print("creating", flush=True)
    await asyncio.Event().wait()

asyncio.run(SqliteLedger(sys.argv[1]).once(creation(), create))
"""


def _killed_while_creating(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "creating\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


async def test_after_a_kill_what_is_found_is_the_job(path: Path) -> None:
    _killed_while_creating(path)
    ledger, creator = SqliteLedger(path), Creator()
    creator.found = b"found"
    assert await ledger.once(creation(), creator.create, creator.find) == b"found"
    assert await ledger.once(creation(), creator.create, creator.find) == b"found"
    assert (creator.started, creator.searched) == (0, 1)
    await ledger.aclose()


async def test_after_a_kill_nothing_found_means_create(path: Path) -> None:
    _killed_while_creating(path)
    ledger, creator = SqliteLedger(path), Creator()
    assert await ledger.once(creation(), creator.create, creator.find) == b"handle 1"
    await ledger.aclose()


async def test_after_a_kill_a_connector_that_cannot_look_is_ambiguous(path: Path) -> None:
    _killed_while_creating(path)
    ledger, creator = SqliteLedger(path), Creator()
    for _ in range(2):
        with pytest.raises(AmbiguousError, match="cannot look for it"):
            await ledger.once(creation(), creator.create)
    assert creator.started == 0
    creator.found = b"found later"
    assert await ledger.once(creation(), creator.create, creator.find) == b"found later"
    await ledger.aclose()


async def test_a_search_that_fails_is_made_again(path: Path) -> None:
    _killed_while_creating(path)

    async def failing() -> bytes | None:
        raise UnavailableError("cannot search now")

    ledger, creator = SqliteLedger(path), Creator()
    with pytest.raises(UnavailableError, match="search now"):
        await ledger.once(creation(), creator.create, failing)
    creator.found = b"found"
    assert await ledger.once(creation(), creator.create, creator.find) == b"found"
    assert creator.started == 0
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
    _execute(path, "CREATE TRIGGER full BEFORE UPDATE ON creations BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
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


WORKER = """
import asyncio, sys
from pathlib import Path
from connectory.connector.ledger.sqlite import SqliteLedger
from tests.connectory.connector.ledger_suite import creation

async def main(path, jobs):
    ledger = SqliteLedger(path)
    async def create_one(key):
        async def create():
            with open(jobs, "a") as file:
                file.write(key + "\\n")
            return key.encode()
        return await ledger.once(creation(key), create)
    handles = await asyncio.gather(*(create_one(f"key-{n}") for n in range(100)))
    assert handles == [f"key-{n}".encode() for n in range(100)]
    await ledger.aclose()

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def test_processes_that_share_the_file_create_each_job_once(path: Path, tmp_path: Path) -> None:
    jobs = tmp_path / "jobs"
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, str(path), str(jobs)]) for _ in range(3)]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert sorted(jobs.read_text().split()) == sorted(f"key-{n}" for n in range(100))


async def test_many_creates_at_once_share_their_commits(path: Path) -> None:
    ledger, creator = SqliteLedger(path), Creator()
    handles = await asyncio.gather(*(ledger.once(creation(f"key-{n}"), creator.create) for n in range(2000)))
    assert len(set(handles)) == 2000
    await ledger.aclose()


def _execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
