"""The job service on the wire: what it tells, and what it never tells."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from connectory.client.jobs import JobClient
from connectory.connector.contract import CreateContext, JobContext, Phase, Resource
from connectory.errors import AmbiguousError, InvalidTaskError, NotFoundError, UserError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import jobs_pb2
from tests.connector_server.fakes import Job, TrivialConnector
from tests.connector_server.harness import create_request, serving

SECRET = "hunter2-and-more"


class KeptConnector(TrivialConnector):
    """Its jobs go on, are numbered, and take a secret where they should not."""

    name = "Kept"
    task_type = "kept"
    deleted: list[str]

    def __init__(self) -> None:
        self.deleted = []

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        if ctx.config.get("lost"):
            raise AmbiguousError(f"the connection with {ctx.secrets.get('password')} broke")
        if ctx.config.get("leaks"):
            return Job(id=f"job-{ctx.secrets.get('password')}")
        return Job(id=f"job-{ctx.idempotency_key}")

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        return Resource(phase=Phase.RUNNING)

    async def delete(self, job: Job, ctx: JobContext) -> None:
        self.deleted.append(job.id)


def request(key: str, execution: str = "", **config: Any) -> pb.CreateTaskRequest:
    made = create_request("kept", config, key=key)
    made.connection.secrets["password"] = SECRET
    names = made.task_execution_metadata.task_execution_id.node_execution_id
    names.execution_id.project, names.execution_id.name, names.node_id = "p", execution, "n0"
    return made


async def keys(client: JobClient, **wanted: Any) -> list[str]:
    return [job.key async for job in client.jobs(jobs_pb2.ListJobsRequest(**wanted))]


async def test_a_job_is_told_with_all_that_is_known_of_it() -> None:
    async with serving(KeptConnector()) as peer, JobClient(peer.server.addresses[0]) as client:
        handle = (await peer.jobs.CreateTask(request("k", "f1"))).resource_meta
        await peer.jobs.GetTask(pb.GetTaskRequest(task_category=pb.TaskCategory(name="kept"), resource_meta=handle))
        job = await client.job("k")
        assert (job.key, job.category.name, job.state, job.phase) == ("k", "kept", jobs_pb2.Job.LIVE, 2)
        assert (job.execution, job.resource_meta, job.orphan) == ("/p//f1/n0/0", handle, False)
        assert job.created_at.seconds <= job.seen_at.seconds < job.lease_until.seconds
        with pytest.raises(NotFoundError, match="no job is known"):
            await client.job("unknown")
        with pytest.raises(InvalidTaskError, match="names no job"):
            await client.job("")


async def test_jobs_come_in_pages() -> None:
    async with serving(KeptConnector()) as peer, JobClient(peer.server.addresses[0]) as client:
        for number in range(5):
            await peer.jobs.CreateTask(request(f"k{number}", f"f{number % 2}"))
        stub = client._stub
        first = await stub.ListJobs(jobs_pb2.ListJobsRequest(limit=3))
        rest = await stub.ListJobs(jobs_pb2.ListJobsRequest(limit=3, token=first.token))
        assert [job.key for job in (*first.jobs, *rest.jobs)] == [f"k{number}" for number in range(5)]
        assert (bool(first.token), rest.token) == (True, "")
        assert await keys(client, execution="/p//f1/") == ["k1", "k3"]
        assert await keys(client, category="kept@0") == [f"k{number}" for number in range(5)]
        assert await keys(client, category="other") == []
        with pytest.raises(InvalidTaskError, match="no token"):
            await keys(client, token="é")


async def test_deleting_is_confirmed_and_may_be_repeated() -> None:
    connector = KeptConnector()
    async with serving(connector) as peer, JobClient(peer.server.addresses[0]) as client:
        await peer.jobs.CreateTask(request("k"))
        for _ in range(2):
            assert (await client.delete("k")).state == jobs_pb2.Job.DELETED
        assert connector.deleted == ["job-k"]
        assert await keys(client) == []
        assert await keys(client, states=[jobs_pb2.Job.DELETED]) == ["k"]


async def test_reaping_tells_what_it_did() -> None:
    connector = KeptConnector()
    settings = {"on_orphan": {"kept": "delete"}, "lease": {"kept": 0.05}, "reap_every": 0}
    async with serving(connector, **settings) as peer, JobClient(peer.server.addresses[0]) as client:
        await peer.jobs.CreateTask(request("k"))
        async with asyncio.timeout(20):
            while not (seen := await client.reap(dry_run=True)):  # noqa: ASYNC110 - a lease ends by itself
                await asyncio.sleep(0.01)
        (reaped,) = await client.reap()
        assert seen[0].outcome == reaped.outcome == jobs_pb2.ReapedJob.REMOVED
        assert (reaped.job.key, reaped.job.orphan) == ("k", True)
        assert connector.deleted == ["job-k"]


async def test_settling_is_for_ambiguous_jobs_only() -> None:
    async with serving(KeptConnector(), ambiguous="ask") as peer, JobClient(peer.server.addresses[0]) as client:
        await peer.jobs.CreateTask(request("clear"))
        with pytest.raises(Exception, match="person has to settle"):
            await peer.jobs.CreateTask(request("k", lost=True))
        with pytest.raises(UserError, match="not ambiguous"):
            await client.settle("clear", None)
        with pytest.raises(InvalidTaskError, match="fits neither"):
            await client.settle("k", b"nonsense")
        with pytest.raises(Exception, match="say what was found"):
            await client._stub.SettleJob(jobs_pb2.SettleJobRequest(key="k"))
        await client.settle("k", b'{"id": "7"}')
        handle = (await peer.jobs.CreateTask(request("k", lost=True))).resource_meta
        assert json.loads(handle)["job"] == {"id": "7"}


async def test_a_secret_is_never_told(tmp_path: Path) -> None:
    async with (
        serving(KeptConnector(), ledger=str(tmp_path / "ledger.sqlite")) as peer,
        JobClient(peer.server.addresses[0]) as client,
    ):
        with pytest.raises(Exception, match="broke"):
            await peer.jobs.CreateTask(request("lost", lost=True))
        assert not any(SECRET.encode() in data for data in contents(tmp_path))
        await peer.jobs.CreateTask(request("leaks", leaks=True))
        told = [str(job) async for job in client.jobs(jobs_pb2.ListJobsRequest())]
        assert len(told) == 2
        assert SECRET not in "".join(told)
        assert "***" in str(await client.job("lost"))


def contents(folder: Path) -> list[bytes]:
    """All that was written there."""
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


async def test_handles_are_told_as_callers_know_them(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("k" * 40)
    async with (
        serving(KeptConnector(), handle_keys=tmp_path / "keys", ambiguous="ask") as peer,
        JobClient(peer.server.addresses[0]) as client,
    ):
        handle = (await peer.jobs.CreateTask(request("k"))).resource_meta
        assert (await client.job("k")).resource_meta == handle
        with pytest.raises(Exception, match="person has to settle"):
            await peer.jobs.CreateTask(request("lost", lost=True))
        await client.settle("lost", handle)
        assert (await peer.jobs.CreateTask(request("lost", lost=True))).resource_meta == handle


async def test_the_service_is_healthy_and_counted() -> None:
    async with serving(KeptConnector()) as peer, JobClient(peer.server.addresses[0]) as client:
        health: Any = health_pb2_grpc.HealthStub(peer.channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(service="connectory.v1.JobService"))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        await keys(client)
        assert [one.operation for one in peer.server.measurements.used()] == ["ListJobs"]
