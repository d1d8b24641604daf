"""No external job outlives those who wanted it: deletes by key, leases and reapers, through real server processes."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from connectory.client.connector import ConnectorClient
from connectory.client.jobs import JobClient
from connectory.errors import UnavailableError, UserError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import jobs_pb2
from tests.connector_server.filed import FiledSystem
from tests.connector_server.harness import template
from tests.connector_server.processes import ServerProcess, server_process
from tests.postgres import PostgresServer, postgres_when_installed

QUICK = {"lease": 0.5, "reap_every": 0.1}


@pytest.fixture
def system(tmp_path: Path) -> FiledSystem:
    return FiledSystem(tmp_path / "system")


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_when_installed() as server:
        yield server


@pytest.fixture
def shared(postgres: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"leaks_{abs(hash(request.node.nodeid))}"
    postgres.query(f"CREATE DATABASE {name}")
    yield postgres.uri.replace("/postgres", f"/{name}")
    postgres.query(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory" if request.param == "memory" else str(tmp_path / "ledger.sqlite")


class Server:
    """A server process and its callers."""

    def __init__(self, process: ServerProcess, target: str, metrics: str) -> None:
        self.process = process
        self.target = target
        self.metrics = metrics
        self.tasks = ConnectorClient(target)
        self.jobs = JobClient(target)

    async def create(self, system: FiledSystem, key: str, task_type: str = "filed") -> bytes:
        request = pb.CreateTaskRequest(
            template=template(task_type, {"folder": str(system.folder)}), idempotency_key=key
        )
        return (await self.tasks.create(request)).resource_meta

    async def poll(self, handle: bytes) -> int:
        request = pb.GetTaskRequest(task_category=pb.TaskCategory(name="filed"), resource_meta=handle)
        return (await self.tasks.get(request)).resource.phase

    async def delete(self, key: str, task_type: str = "filed") -> None:
        category = pb.TaskCategory(name=task_type)
        await self.tasks.delete(pb.DeleteTaskRequest(task_category=category, idempotency_key=key))

    async def is_in(self, key: str, state: jobs_pb2.Job.State.ValueType) -> None:
        """Wait until the key's job is in this state."""
        async with asyncio.timeout(30):
            while (await self.jobs.job(key)).state != state:  # noqa: ASYNC110 - the event is in another process
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        self.process.process.kill()
        await self.process.ended()

    def measured(self) -> str:
        with urlopen(f"http://{self.metrics}/metrics") as answer:
            text: str = answer.read().decode()
        return text


@asynccontextmanager
async def serving(ledger: str, **settings: Any) -> AsyncIterator[Server]:
    told = {"modules": "tests.connector_server.filed", "addresses": "127.0.0.1:0", "ledger": ledger, "grace": 5}
    told |= {"metrics_address": "127.0.0.1:0", "ledger_lease": 2}
    async with server_process(**{**told, **settings}) as process:
        (line,) = (await process.logged("serving"))[:1]
        server = Server(process, line["addresses"][0], line["metrics"][0])
        async with server.tasks, server.jobs:
            yield server


async def test_a_delete_by_key_during_the_create_ends_the_job_when_it_lands(ledger: str, system: FiledSystem) -> None:
    system.hold("after")
    async with serving(ledger) as server:
        creating = asyncio.create_task(server.create(system, "k"))
        await system.reached("after")
        deleting = asyncio.create_task(server.delete("k"))
        await server.is_in("k", jobs_pb2.Job.DELETING)
        assert len(system.jobs) == 1
        system.release("after")
        await deleting
        assert (system.created, system.jobs) == (1, {})
        await creating
        assert (await server.jobs.job("k")).state == jobs_pb2.Job.DELETED


async def test_a_create_that_arrives_after_its_delete_is_refused(ledger: str, system: FiledSystem) -> None:
    async with serving(ledger) as server:
        await server.delete("k")
        with pytest.raises(UserError, match="deleted before it was created"):
            await server.create(system, "k")
        assert system.created == 0


async def test_a_delete_that_the_connector_does_not_confirm_is_tried_until_it_does(
    ledger: str, system: FiledSystem
) -> None:
    async with serving(ledger, reap_every=0.1) as server:
        await server.create(system, "k")
        (system.folder / "deaf").touch()
        with pytest.raises(UnavailableError, match="does not answer"):
            await server.delete("k")
        await server.is_in("k", jobs_pb2.Job.DELETING)
        await server.process.logged("cannot be dealt with yet")
        (system.folder / "deaf").unlink()
        await system.empty()
        await server.is_in("k", jobs_pb2.Job.DELETED)


async def test_a_server_that_is_killed_before_its_delete_is_confirmed(tmp_path: Path, system: FiledSystem) -> None:
    ledger = str(tmp_path / "ledger.sqlite")
    async with serving(ledger) as server:
        await server.create(system, "k")
        (system.folder / "deaf").touch()
        with pytest.raises(UnavailableError, match="does not answer"):
            await server.delete("k")
        await server.kill()
    (system.folder / "deaf").unlink()
    async with serving(ledger, reap_every=0.1) as server:
        await system.empty()
        await server.is_in("k", jobs_pb2.Job.DELETED)


async def test_a_job_that_nobody_polls_is_deleted(ledger: str, system: FiledSystem) -> None:
    async with serving(ledger, **QUICK) as server:
        await server.create(system, "k")
        await system.empty()
        await server.is_in("k", jobs_pb2.Job.DELETED)


async def test_a_job_whose_engine_and_server_died_during_the_create_is_found_and_deleted(
    tmp_path: Path, system: FiledSystem
) -> None:
    system.hold("after")
    ledger = str(tmp_path / "ledger.sqlite")
    async with serving(ledger, **QUICK) as server:
        creating = asyncio.create_task(server.create(system, "k"))
        await system.reached("after")
        await server.kill()
        with pytest.raises(UnavailableError):
            await creating
    system.release("after")
    assert len(system.jobs) == 1
    async with serving(ledger, **QUICK) as server:
        await system.empty()
        await server.is_in("k", jobs_pb2.Job.DELETED)


async def test_a_job_that_is_kept_is_reported_and_measured(ledger: str, system: FiledSystem) -> None:
    async with serving(ledger, on_orphan="keep", **QUICK) as server:
        await server.create(system, "k")
        (line,) = (await server.process.logged("is an orphan"))[:1]
        assert "job k of connector Filed" in line["message"]
        async with asyncio.timeout(30):
            while 'connectory_orphans{category="filed@0"} 1.0' not in await asyncio.to_thread(server.measured):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert 'connectory_jobs{category="filed@0"} 1.0' in await asyncio.to_thread(server.measured)
        assert len(system.jobs) == 1
        orphans = [job.key async for job in server.jobs.jobs(jobs_pb2.ListJobsRequest(orphans=True))]
        assert orphans == ["k"]


async def test_a_job_that_is_polled_through_another_replica_is_not_reaped(shared: str, system: FiledSystem) -> None:
    settings = {"lease": 2, "reap_every": 0.1}
    async with serving(shared, reap_every=0, lease=2) as polling, serving(shared, **settings) as reaping:
        handle = await polling.create(system, "polled")
        await polling.create(system, "abandoned")
        async with asyncio.timeout(60):
            while len(system.jobs) == 2:
                assert await polling.poll(handle) == 2
                await asyncio.sleep(0.05)
        await reaping.is_in("abandoned", jobs_pb2.Job.DELETED)
        assert list(system.jobs.values()) == ["polled"]
        assert (await reaping.jobs.job("polled")).state == jobs_pb2.Job.LIVE


async def test_a_job_that_ended_is_left_to_whoever_wants_its_outcome(ledger: str, system: FiledSystem) -> None:
    (system.folder / "ended").touch()
    async with serving(ledger, **QUICK) as server:
        await server.create(system, "k")
        await server.is_in("k", jobs_pb2.Job.ENDED)
        assert len(system.jobs) == 1


async def test_a_dead_replicas_doomed_create_is_ended_by_another(shared: str, system: FiledSystem) -> None:
    system.hold("after")
    async with serving(shared) as first, serving(shared, reap_every=0.1) as second:
        creating = asyncio.create_task(first.create(system, "k"))
        await system.reached("after")
        deleting = asyncio.create_task(second.delete("k"))
        await second.is_in("k", jobs_pb2.Job.DELETING)
        await first.kill()
        with pytest.raises(UnavailableError):
            await creating
        await deleting
        assert (system.created, system.jobs) == (1, {})


async def test_a_person_settles_what_nobody_can_know(tmp_path: Path, system: FiledSystem) -> None:
    system.hold("after")
    ledger = str(tmp_path / "ledger.sqlite")
    async with serving(ledger) as server:
        creating = asyncio.create_task(server.create(system, "k", "blind"))
        await system.reached("after")
        await server.kill()
        with pytest.raises(UnavailableError):
            await creating
    system.release("after")
    async with serving(ledger, ambiguous="ask") as server:
        with pytest.raises(UnavailableError, match="a person has to settle it"):
            await server.create(system, "k", "blind")
        assert (await server.jobs.job("k")).state == jobs_pb2.Job.AMBIGUOUS
        (number,) = system.jobs
        await server.jobs.settle("k", json.dumps({"number": number, "folder": str(system.folder)}).encode())
        handle = await server.create(system, "k", "blind")
        assert json.loads(handle)["job"]["number"] == number
        assert system.created == 1
