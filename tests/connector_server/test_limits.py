"""Limits over the wire: what callers are told, what operators see, and the runner, which waits."""

import asyncio
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2

from connectory.client.connector import ConnectorClient
from connectory.connector.contract import AsyncConnector, CreateContext, JobContext, Phase, Resource
from connectory.connector.limits import Limits
from connectory.errors import NotFoundError
from connectory.v1 import connector_pb2 as pb
from tests.connector_server.harness import Peer, create_request, error_info, serving, status_of
from tests.connector_server.test_metrics_endpoint import key, scrape
from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.patience import Patience
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

PATIENCE = Patience(first_poll=0.001, slowest_poll=0.01, first_retry=0.001, slowest_retry=0.01, start=0, silence=0)
"""Such a runner gives up at the first answer that counts as trouble."""


@dataclass
class Job:
    number: int


class Crowded(AsyncConnector[dict[str, Any], Job]):
    """An external system that remembers how many jobs it ever had at once; a job ends at its third poll."""

    name = "Crowded"
    task_type = "crowded"
    limits = Limits(jobs=3, wait=0.1, queue=5)

    def __init__(self) -> None:
        self.polls: dict[int, int] = {}
        self.created = 0
        self.most = 0

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> Job:
        self.created += 1
        self.polls[self.created] = 0
        self.most = max(self.most, len(self.polls))
        return Job(number=self.created)

    async def get(self, job: Job, ctx: JobContext) -> Resource:
        if job.number not in self.polls:
            raise NotFoundError("no such job")
        self.polls[job.number] += 1
        if self.polls[job.number] < 3:
            return Resource(phase=Phase.RUNNING)
        del self.polls[job.number]
        return Resource(phase=Phase.SUCCEEDED)

    async def delete(self, job: Job, ctx: JobContext) -> None:
        self.polls.pop(job.number, None)


def retry_delay(error: grpc.aio.AioRpcError) -> float:
    info = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(info) for detail in status_of(error).details)
    return info.retry_delay.ToTimedelta().total_seconds()


async def refused(peer: Peer, request_key: str) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await peer.jobs.CreateTask(create_request("crowded", key=request_key))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    return caught.value


async def test_a_caller_beyond_the_limit_is_told_when_to_come_again_and_operators_see_it() -> None:
    async with serving(Crowded(), limits="crowded.jobs=1,queue=0,wait=7", metrics_address="127.0.0.1:0") as peer:
        await peer.jobs.CreateTask(create_request("crowded", key="1"))
        error = await refused(peer, "2")
        samples = await scrape(peer)
    assert error_info(error).reason == "LIMIT_REACHED"
    assert retry_delay(error) == 7
    assert "connector Crowded may have 1 open jobs, and has them" in (error.details() or "")
    assert samples[key("connectory_limited_jobs", connector="Crowded")] == 1
    assert samples[key("connectory_limit_refused_calls_total", connector="Crowded", operation="create")] == 1
    assert samples[key("connectory_limit_waiting_calls", connector="Crowded", operation="create")] == 0


async def test_operators_see_who_waits() -> None:
    async with serving(Crowded(), limits="jobs=1,wait=60", metrics_address="127.0.0.1:0") as peer:
        first = await peer.jobs.CreateTask(create_request("crowded", key="1"))
        waiting = asyncio.ensure_future(peer.jobs.CreateTask(create_request("crowded", key="2")))
        seen = key("connectory_limit_waiting_calls", connector="Crowded", operation="create")
        while not (await scrape(peer))[seen]:
            continue
        category = pb.TaskCategory(name="crowded")
        await peer.jobs.DeleteTask(pb.DeleteTaskRequest(task_category=category, resource_meta=first.resource_meta))
        await waiting
        assert (await scrape(peer))[seen] == 0


@pytest.mark.parametrize("ledger", ["memory", "sqlite"])
async def test_the_runner_waits_for_its_turn_and_spends_no_attempt(ledger: str, tmp_path: Any) -> None:
    crowded = Crowded()
    template = task("t", "crowded")
    compiled = closure(workflow("w", [node(f"n{number}", template) for number in range(30)]), [template])
    options = {"ledger": str(tmp_path / "ledger.sqlite")} if ledger == "sqlite" else {}
    async with serving(crowded, metrics_address="127.0.0.1:0", **options) as peer:
        plugin = connector_plugin([ConnectorClient(peer.server.addresses[0])], PATIENCE)
        async with Runner(open_store("memory://"), [plugin]) as runner:
            execution = await runner.start(compiled)
            result = await runner.wait(execution)
            nodes = (await runner.show(execution)).nodes
        samples = await scrape(peer)
    assert result.phase is ExecutionPhase.SUCCEEDED
    assert {one.attempt for one in nodes} == {0}
    assert (crowded.created, crowded.most) == (30, 3)
    assert samples[key("connectory_limit_refused_calls_total", connector="Crowded", operation="create")] > 0
    assert samples[key("connectory_limited_jobs", connector="Crowded")] == 0


async def test_a_poll_that_has_to_wait_for_its_turn_is_no_silence() -> None:
    template = task("t", "crowded")
    compiled = closure(workflow("w", [node(f"n{number}", template) for number in range(3)]), [template])
    limits = "polls_per_second=100,poll_burst=1,wait=0"
    async with serving(Crowded(), limits=limits, metrics_address="127.0.0.1:0") as peer:
        plugin = connector_plugin([ConnectorClient(peer.server.addresses[0])], PATIENCE)
        async with Runner(open_store("memory://"), [plugin]) as runner:
            result = await runner.wait(await runner.start(compiled))
        samples = await scrape(peer)
    assert result.phase is ExecutionPhase.SUCCEEDED
    assert samples[key("connectory_limit_refused_calls_total", connector="Crowded", operation="get")] > 0
