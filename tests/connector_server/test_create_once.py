"""One external job, and the caller ends up with its handle: real servers, the real flyteidl client, real kills."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.connector_server.filed import FiledSystem
from tests.connector_server.processes import ServerProcess, server_process
from tests.connector_server.wires import wire_to
from tests.postgres import PostgresServer, postgres_when_installed


@dataclass
class Answer:
    """What an engine got."""

    handle: str | None
    tried: list[str]
    phase: int | None

    @property
    def number(self) -> str:
        """The number of its job."""
        assert self.handle is not None, self.tried
        number: str = json.loads(self.handle)["job"]["number"]
        return number


class Engine:
    """Creates jobs with flyteidl, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def create(self, *ports: int, task_type: str = "filed", **order: Any) -> Answer:
        targets = [f"127.0.0.1:{port}" for port in ports]
        told = {"targets": targets, "task_type": task_type, "custom": {"folder": str(self.folder)}, **order}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.connector_server.flyte_creator",
            json.dumps(told),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            out, _ = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        assert process.returncode == 0
        return Answer(**json.loads(out))


@pytest.fixture
def system(tmp_path: Path) -> FiledSystem:
    return FiledSystem(tmp_path / "system")


@pytest.fixture
def engine(system: FiledSystem) -> Engine:
    return Engine(system.folder)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_when_installed() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A durable ledger of the test's own."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.sqlite")
        return
    yield from database(request.getfixturevalue("postgres"), request.node.nodeid)


@pytest.fixture
def shared(postgres: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """A ledger that replicas share."""
    yield from database(postgres, request.node.nodeid)


def database(server: PostgresServer, of: str) -> Iterator[str]:
    name = f"once_{abs(hash(of))}"
    server.query(f"CREATE DATABASE {name}")
    yield server.uri.replace("/postgres", f"/{name}")
    server.query(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def serving(ledger: str, **settings: Any) -> AsyncIterator[tuple[ServerProcess, int]]:
    """A server process with its port."""
    told = {
        "modules": "tests.connector_server.filed",
        "addresses": "127.0.0.1:0",
        "ledger": ledger,
        "ledger_lease": 2,
        "grace": 5,
    }
    async with server_process(**{**told, **settings}) as process:
        (line,) = (await process.logged("serving"))[:1]
        yield process, int(line["addresses"][0].rpartition(":")[2])


async def killed(process: ServerProcess) -> None:
    process.process.kill()
    await process.ended()


async def test_a_deadline_shorter_than_the_create_and_three_retries(
    ledger: str, system: FiledSystem, engine: Engine
) -> None:
    system.hold("before")
    async with serving(ledger) as (_, port):
        impatient = asyncio.create_task(engine.create(port, deadline=0.3, tries=4))
        await system.reached("before")
        answer = await impatient
        assert [tried.partition(":")[0] for tried in answer.tried] == ["DEADLINE_EXCEEDED"] * 4
        system.release("before")
        answer = await engine.create(port, poll=True)
    assert list(system.jobs) == [answer.number]
    assert (system.created, answer.phase) == (1, 2)


async def test_a_response_that_is_lost(ledger: str, system: FiledSystem, engine: Engine) -> None:
    async with serving(ledger) as (_, port), wire_to(port) as wire:
        system.hold("after")
        creating = asyncio.create_task(engine.create(wire.port, tries=3))
        await system.reached("after")
        wire.loses_answers = True
        system.release("after")
        answer = await engine.create(port)
        wire.loses_answers = False
        wire.cut()
        again = await creating
    assert list(system.jobs) == [answer.number] == [again.number]
    assert (system.created, again.tried[-1]) == (1, "OK")


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_connection_that_is_cut(ledger: str, system: FiledSystem, engine: Engine, point: str) -> None:
    system.hold(point)
    async with serving(ledger) as (_, port), wire_to(port) as wire:
        creating = asyncio.create_task(engine.create(wire.port, tries=5))
        await system.reached(point)
        wire.cut()
        system.release(point)
        answer = await creating
    assert list(system.jobs) == [answer.number]
    assert (system.created, answer.tried[-1]) == (1, "OK")


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_server_that_is_killed_around_the_external_call(
    ledger: str, system: FiledSystem, engine: Engine, point: str
) -> None:
    system.hold(point)
    async with serving(ledger) as (server, port):
        creating = asyncio.create_task(engine.create(port))
        await system.reached(point)
        await killed(server)
        assert (await creating).tried[0].startswith("UNAVAILABLE")
    system.release(point)
    async with serving(ledger) as (_, port):
        answer = await engine.create(port, poll=True)
    assert list(system.jobs) == [answer.number]
    assert (system.created, answer.phase) == (1, 2)


async def test_a_server_that_is_killed_after_the_create(ledger: str, system: FiledSystem, engine: Engine) -> None:
    async with serving(ledger) as (server, port), wire_to(port) as wire:
        system.hold("after")
        creating = asyncio.create_task(engine.create(wire.port))
        await system.reached("after")
        wire.loses_answers = True
        system.release("after")
        known = await engine.create(port)
        await killed(server)
        assert (await creating).handle is None
    async with serving(ledger) as (_, port):
        answer = await engine.create(port, poll=True)
    assert list(system.jobs) == [answer.number] == [known.number]
    assert (system.created, answer.phase) == (1, 2)


async def test_two_replicas_that_are_asked_at_once(shared: str, system: FiledSystem, engine: Engine) -> None:
    system.hold("before")
    async with serving(shared) as (_, one), serving(shared) as (_, two):
        creating = [asyncio.create_task(engine.create(port)) for port in (one, two, one, two)]
        await system.reached("before")
        system.release("before")
        numbers = {(await answer).number for answer in creating}
    assert set(system.jobs) == numbers
    assert (system.created, len(numbers)) == (1, 1)


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_replica_that_dies_while_the_other_waits_for_it(
    shared: str, system: FiledSystem, engine: Engine, point: str
) -> None:
    system.hold(point)
    async with serving(shared) as (first, one), serving(shared) as (_, two):
        creating = asyncio.create_task(engine.create(one))
        await system.reached(point)
        waiting = asyncio.create_task(engine.create(two, deadline=60))
        await killed(first)
        await creating
        system.release(point)
        answer = await waiting
    assert list(system.jobs) == [answer.number]
    assert system.created == 1


async def test_a_replica_that_was_suspended_while_the_other_took_over(
    shared: str, system: FiledSystem, engine: Engine
) -> None:
    """It goes on with a create that is not its own any more: the job that it makes is deleted, and the other's told."""
    system.hold("before")
    async with serving(shared) as (first, one), serving(shared) as (_, two):
        suspended = asyncio.create_task(engine.create(one, deadline=60))
        await system.reached("before")
        first.process.send_signal(signal.SIGSTOP)
        system.release("before")
        answer = await engine.create(two, deadline=60)
        first.process.send_signal(signal.SIGCONT)
        late = await suspended
    assert list(system.jobs) == [answer.number] == [late.number]
    assert system.created == 2


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_worker_that_crashes(tmp_path: Path, system: FiledSystem, engine: Engine, point: str) -> None:
    system.hold(point)
    async with AsyncExitStack() as stack:
        told = {"modules": "tests.connector_server.filed", "addresses": "127.0.0.1:0", "workers": 2, "grace": 5}
        server = await stack.enter_async_context(server_process(**told, ledger=tmp_path / "ledger.sqlite"))
        lines = await server.logged("serving", times=2)
        port = int(lines[0]["addresses"][0].rpartition(":")[2])
        creating = asyncio.create_task(engine.create(port, tries=20, pause=0.2))
        worker = await system.reached(point)
        assert worker != server.process.pid
        system.release(point)
        os.kill(worker, signal.SIGKILL)
        answer = await creating
        server.terminate()
        assert await server.ended() == 0
    assert list(system.jobs) == [answer.number]
    assert (system.created, answer.tried[-1]) == (1, "OK")


async def test_the_same_key_with_another_content_is_told_what_differs(
    ledger: str, system: FiledSystem, engine: Engine
) -> None:
    async with serving(ledger) as (_, port):
        await engine.create(port)
        answer = await engine.create(port, name="another.task")
    (told,) = answer.tried
    assert told.startswith("ALREADY_EXISTS")
    assert "different: template" in told
    assert system.created == 1


async def test_a_new_attempt_is_a_new_job(ledger: str, system: FiledSystem, engine: Engine) -> None:
    async with serving(ledger) as (_, port):
        numbers = {(await engine.create(port, attempt=attempt)).number for attempt in (0, 1, 1)}
    assert set(system.jobs) == numbers
    assert system.created == 2


@pytest.mark.parametrize(
    ("policy", "status", "created"), [("fail", "ABORTED", 1), ("ask", "UNAVAILABLE", 1), ("retry", "OK", 2)]
)
async def test_without_find_a_kill_leaves_it_to_the_operators_policy(
    ledger: str, system: FiledSystem, engine: Engine, policy: str, status: str, created: int
) -> None:
    system.hold("after")
    async with serving(ledger) as (server, port):
        creating = asyncio.create_task(engine.create(port, task_type="blind"))
        await system.reached("after")
        await killed(server)
        await creating
    system.release("after")
    async with serving(ledger, ambiguous=f"blind={policy}") as (_, port):
        answer = await engine.create(port, task_type="blind", deadline=60)
    assert answer.tried[0].partition(":")[0] == status
    assert system.created == created


async def test_kills_at_any_time_lose_and_double_nothing(ledger: str, system: FiledSystem, engine: Engine) -> None:
    """An engine goes on creating while its server is killed and started again; the kills are not timed to anything."""
    answers: list[Answer] = []
    async with serving(ledger) as (_, port):
        pass
    address = f"127.0.0.1:{port}"

    async def create_all() -> None:
        for number in range(8):
            answers.append(await engine.create(port, execution=f"f{number}", tries=400, deadline=20))

    creating = asyncio.create_task(create_all())
    while not creating.done():
        async with serving(ledger, addresses=address) as (server, _):
            await asyncio.wait({creating}, timeout=0.3 + 0.17 * (len(answers) % 4))
            if not creating.done():
                await killed(server)
    await creating
    assert {answer.number for answer in answers} == set(system.jobs)
    assert (len(answers), system.created) == (8, 8)
