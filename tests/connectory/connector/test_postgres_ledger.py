"""The ledger in PostgreSQL: shared by replicas, with leases in the database's time."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from importlib import resources

import asyncpg
import pytest

from connectory.connector.ledger.postgres import PostgresLedger, shown_url
from connectory.connector.ledger.records import JobQuery
from connectory.errors import UnavailableError
from tests.connectory.connector.ledger_suite import Creator, creation
from tests.connectory.connector.shared_ledger_suite import SharedLedgerSuite
from tests.connectory.connector.shared_ledgers import LEASE, opened
from tests.networks import network_to
from tests.postgres import PostgresServer, postgres_when_installed


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_when_installed() as server:
        yield server


@pytest.fixture
def where(server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own."""
    name = f"ledger_{abs(hash(request.node.nodeid))}"
    server.query(f"CREATE DATABASE {name}")
    yield server.uri.replace("/postgres", f"/{name}")
    server.query(f"DROP DATABASE {name} WITH (FORCE)")


class TestPostgresLedger(SharedLedgerSuite):
    @pytest.fixture
    def where(self, where: str) -> str:  # type: ignore[override]
        return where


async def test_a_slow_process_that_was_taken_for_dead_deletes_the_job_it_made(where: str) -> None:
    slow, quick = PostgresLedger(where, lease=LEASE), opened(where)
    creator, other, undone = Creator(), Creator(), []

    async def undo(handle: bytes) -> None:
        undone.append(handle)

    async def create_late() -> bytes:
        await creator.create()
        return b"late"

    creator.may_go_on.clear()
    creating = asyncio.create_task(slow.once(creation(), create_late, creator.find, undo))
    await creator.reached.wait()
    await _pretend_dead(where)
    assert await quick.once(creation(), other.create, other.find) == b"handle 1"
    creator.may_go_on.set()
    assert await creating == b"handle 1"
    assert undone == [b"late"]
    await slow.aclose()
    await quick.aclose()


async def test_a_slow_process_never_answers_with_the_job_that_it_deleted(where: str) -> None:
    """Its caller has to ask again when the process that took the key over is not done yet."""
    slow, quick = PostgresLedger(where, lease=LEASE), opened(where)
    creator, other, undone = Creator(), Creator(), []

    async def undo(handle: bytes) -> None:
        undone.append(handle)

    async def create_late() -> bytes:
        await creator.create()
        return b"late"

    creator.may_go_on.clear()
    creating = asyncio.create_task(slow.once(creation(), create_late, creator.find, undo))
    await creator.reached.wait()
    await _pretend_dead(where)
    other.may_go_on.clear()
    taking_over = asyncio.create_task(quick.once(creation(), other.create, other.find))
    await other.reached.wait()
    creator.may_go_on.set()
    with pytest.raises(UnavailableError, match="ask again"):
        await creating
    assert undone == [b"late"]
    other.may_go_on.set()
    assert await taking_over == await slow.once(creation(), creator.create, creator.find, undo) == b"handle 1"
    await slow.aclose()
    await quick.aclose()


async def test_a_slow_process_whose_job_was_found_keeps_it(where: str) -> None:
    slow, quick = PostgresLedger(where, lease=LEASE), opened(where)
    creator, other, undone = Creator(), Creator(), []

    async def undo(handle: bytes) -> None:
        undone.append(handle)

    creator.may_go_on.clear()
    creating = asyncio.create_task(slow.once(creation(), creator.create, creator.find, undo))
    await creator.reached.wait()
    await _pretend_dead(where)
    other.found = b"handle 1"
    assert await quick.once(creation(), other.create, other.find) == b"handle 1"
    creator.may_go_on.set()
    assert await creating == b"handle 1"
    assert undone == []
    await slow.aclose()
    await quick.aclose()


async def _pretend_dead(where: str) -> None:
    """Let the leases of all processes run out, and keep them from being renewed for a while."""
    connection = await asyncpg.connect(where)
    await connection.execute("UPDATE connectory_owners SET name = name || ' gone', alive_until = 0")
    await connection.close()


async def test_without_the_database_nothing_is_created() -> None:
    ledger, creator = PostgresLedger("postgresql://nobody:secret@127.0.0.1:1/none"), Creator()
    with pytest.raises(UnavailableError, match="nothing was created") as refused:
        await ledger.once(creation(), creator.create)
    assert creator.started == 0
    assert "the ledger postgresql://127.0.0.1:1/none cannot be used" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "nobody" not in str(refused.value)
    await ledger.aclose()


async def test_a_database_that_falls_silent_is_told_in_time_and_nothing_is_created(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectory.connector.ledger.postgres._ANSWER_WITHIN", 0.3)
    server.query("CREATE DATABASE silent")
    with network_to(server) as network:
        ledger = opened(network.through(server.socket_uri.replace("/postgres?", "/silent?")))
        creator = Creator()
        await ledger.once(creation("first"), creator.create)
        network.tell("stall")
        with pytest.raises(UnavailableError, match=r"does not answer.*nothing was created") as refused:
            await ledger.once(creation(), creator.create)
        assert refused.value.retry_after is not None
        assert creator.started == 1
        network.tell("heal")
        async with asyncio.timeout(30):
            while creator.started == 1:
                with suppress(UnavailableError):
                    await ledger.once(creation(), creator.create)
                await asyncio.sleep(0.01)
        assert creator.started == 2
        await ledger.aclose()
    server.query("DROP DATABASE silent WITH (FORCE)")


async def test_connections_that_break_are_made_again(where: str, server: PostgresServer) -> None:
    ledger, creator = PostgresLedger(where), Creator()
    creator.may_go_on.clear()
    creating = asyncio.create_task(ledger.once(creation(), creator.create))
    await creator.reached.wait()
    await asyncio.to_thread(
        server.query, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'ledger_%'"
    )
    creator.may_go_on.set()
    assert await creating == b"handle 1"
    await ledger.aclose()
    again = opened(where)
    assert await again.once(creation(), creator.create) == b"handle 1"
    await again.aclose()


async def test_tables_of_the_first_version_are_taken_over(where: str) -> None:
    script = resources.files("connectory.connector.ledger").joinpath("migrations", "postgres", "0001_jobs.sql")
    digests = json.dumps(dict(creation().digests))
    connection = await asyncpg.connect(where)
    await connection.execute(script.read_text())
    await connection.execute("CREATE TABLE connectory_ledger_schema (version INTEGER NOT NULL)")
    await connection.execute("INSERT INTO connectory_ledger_schema (version) VALUES (1)")
    await connection.execute(
        "INSERT INTO connectory_jobs"
        " (key, digests, state, owner, category, execution, handle, job, created_at, changed_at)"
        " SELECT 'k', $1, 'created', '1-abc', 'same@0', '///f1/n0/0', 'earlier', 7, now, now"
        " FROM (SELECT extract(epoch FROM now()) AS now) AS clock",
        digests,
    )
    await connection.close()
    ledger, creator = opened(where), Creator()
    assert await ledger.once(creation(), creator.create) == b"earlier"
    assert [record.key for record in await ledger.jobs(JobQuery(execution="///f1"))] == ["k"]
    assert creator.started == 0
    assert await ledger.identity()
    await ledger.aclose()


async def test_tables_of_a_newer_version_are_left_alone(where: str) -> None:
    first = opened(where)
    await first.once(creation(), Creator().create)
    await first.aclose()
    connection = await asyncpg.connect(where)
    await connection.execute("INSERT INTO connectory_ledger_schema (version) VALUES (1000)")
    await connection.close()
    ledger = opened(where)
    with pytest.raises(UnavailableError, match="newer version"):
        await ledger.once(creation(), Creator().create)
    await ledger.aclose()


async def test_who_waits_is_told_when_the_other_is_done(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking again by itself is made so slow that only news can end the wait."""
    monkeypatch.setattr("connectory.connector.ledger.durable._FIRST_DELAY", 3600.0)
    one, two, creator, other = opened(where), opened(where), Creator(), Creator()
    await two.once(creation("first"), other.create)
    creator.may_go_on.clear()
    creating = asyncio.create_task(one.once(creation(), creator.create))
    await creator.reached.wait()
    waiting = asyncio.create_task(two.once(creation(), other.create))
    await _awaited(where)
    creator.may_go_on.set()
    assert await creating == b"handle 1"
    async with asyncio.timeout(30):
        assert await waiting == b"handle 1"
    await one.aclose()
    await two.aclose()


async def _awaited(where: str) -> None:
    connection = await asyncpg.connect(where)
    conditions = (
        "SELECT count(*) FROM connectory_jobs WHERE key = 'k' AND awaited = 1",
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    async with asyncio.timeout(20):
        for condition in conditions:
            while not await connection.fetchval(condition):  # noqa: ASYNC110 - the event is in the database
                await asyncio.sleep(0.01)
    await connection.close()


def test_what_is_shown_of_a_url_is_not_secret() -> None:
    assert (
        shown_url("postgresql://me:secret@db.example:5432/jobs?password=secret") == "postgresql://db.example:5432/jobs"
    )
