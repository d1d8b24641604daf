"""A connector's process that ends in the middle of things harms nobody else, and no job is doubled or lost."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from connectory.v1 import connector_pb2 as pb
from tests.connector_server.filed import FiledSystem
from tests.connector_server.harness import Peer, create_request, error_info, status_of
from tests.connector_server.isolation.apart import CRAFTY, apart, child_of, killed_and_back, until

FILED = "tests.connector_server.filed"


@pytest.fixture
def system(tmp_path: Path) -> FiledSystem:
    return FiledSystem(tmp_path / "system")


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory" if request.param == "memory" else str(tmp_path / "ledger.sqlite")


@pytest.fixture
async def peer(ledger: str) -> AsyncIterator[Peer]:
    async with apart(FILED, CRAFTY, ledger=ledger) as peer:
        yield peer


def retry_seconds(error: grpc.aio.AioRpcError) -> float | None:
    for detail in status_of(error).details:
        info = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            seconds: float = info.retry_delay.ToTimedelta().total_seconds()
            return seconds
    return None


async def refused(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    return refusal.value


async def patiently(peer: Peer, request: pb.CreateTaskRequest) -> bytes:
    """Create as an engine does: again as long as it is told to come again."""
    while True:
        try:
            handle: bytes = (await peer.jobs.CreateTask(request)).resource_meta
            return handle
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or retry_seconds(error) is None:
                raise
            await asyncio.sleep(0.05)


async def killed_at(peer: Peer, system: FiledSystem, point: str, task_type: str) -> grpc.aio.AioRpcError:
    """What the caller of a create hears whose process is killed at this point."""
    system.hold(point)
    request = create_request(task_type, {"folder": str(system.folder)}, key="once")
    call = asyncio.ensure_future(refused(peer.jobs.CreateTask(request)))
    os.kill(await system.reached(point), signal.SIGKILL)
    error = await call
    system.release(point)
    return error


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_create_whose_process_is_killed_happens_once(peer: Peer, system: FiledSystem, point: str) -> None:
    error = await killed_at(peer, system, point, "filed")
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert error_info(error).reason == "CONNECTOR_CRASHED"
    assert retry_seconds(error) == 2
    request = create_request("filed", {"folder": str(system.folder)}, key="once")
    handles = {await patiently(peer, request) for _ in range(3)}
    assert len(handles) == 1
    assert system.created == 1
    assert list(system.jobs.values()) == ["once"]


async def test_without_find_nobody_can_know(peer: Peer, system: FiledSystem) -> None:
    error = await killed_at(peer, system, "after", "blind")
    again = await refused(peer.jobs.CreateTask(create_request("blind", {"folder": str(system.folder)}, key="once")))
    for told in (error, again):
        assert told.code() is grpc.StatusCode.ABORTED
        assert error_info(told).reason == "AMBIGUOUS"
        assert retry_seconds(told) is None
    assert system.created == 1


async def test_without_find_the_operator_may_want_it_again(ledger: str, system: FiledSystem) -> None:
    async with apart(FILED, ledger=ledger, ambiguous="retry") as peer:
        error = await killed_at(peer, system, "before", "blind")
        assert error_info(error).reason == "CONNECTOR_CRASHED"
        await patiently(peer, create_request("blind", {"folder": str(system.folder)}, key="once"))
    assert system.created == 1


@pytest.mark.parametrize("way", ["kill", "exit", "crash"])
async def test_however_it_ends_it_is_there_again(way: str, caplog: pytest.LogCaptureFixture) -> None:
    async with apart(CRAFTY) as peer:
        child = child_of(peer, "Crafty")
        handle = (await peer.jobs.CreateTask(create_request("crafty"))).resource_meta
        error = await refused(peer.jobs.CreateTask(create_request("crafty", {"create": way, "folder": "/"}, key="k")))
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        await until(lambda: child.restarts == 1)
        asked = pb.GetTaskRequest(task_category=pb.TaskCategory(name="crafty"), resource_meta=handle)
        assert (await peer.jobs.GetTask(asked)).resource.phase == pb.Resource(phase=3).phase
    ends = {"kill": "killed by SIGKILL", "exit": "exit code 3", "crash": "killed by SIGSEGV"}
    assert ends[way] in caplog.text
    if way == "crash":
        assert "Segmentation fault" in caplog.text


async def test_the_others_do_not_notice(peer: Peer, system: FiledSystem) -> None:
    handle = (await peer.jobs.CreateTask(create_request("crafty", {"folder": str(system.folder)}))).resource_meta
    asked = pb.GetTaskRequest(task_category=pb.TaskCategory(name="crafty"), resource_meta=handle)
    system.hold("get")
    poll = asyncio.ensure_future(refused(peer.jobs.GetTask(asked)))
    pid = await system.reached("get")
    assert pid == child_of(peer, "Crafty").pid
    other = child_of(peer, "Filed").pid
    os.kill(pid, signal.SIGKILL)
    others = await asyncio.gather(*(peer.jobs.CreateTask(create_request("echo")) for _ in range(20)))
    assert all(answer.resource_meta for answer in others)
    error = await poll
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert error_info(error).reason == "CONNECTOR_CRASHED"
    system.release("get")
    await until(lambda: child_of(peer, "Crafty").restarts == 1)
    assert (await peer.jobs.GetTask(asked)).resource.phase == 3
    assert child_of(peer, "Filed").pid == other
    assert child_of(peer, "Filed").restarts == 0


async def test_health_tells_which_connector_is_away(tmp_path: Path) -> None:
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\ntest -e {tmp_path}/away && exit 9\nexec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    async with apart(CRAFTY, isolation={CRAFTY: {"python": str(wrapper), "env": {"PYTHONPATH": os.getcwd()}}}) as peer:
        health = health_pb2_grpc.HealthStub(peer.channel)

        async def serving(name: str) -> bool:
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

        (tmp_path / "away").touch()
        child = child_of(peer, "Crafty")
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await until(lambda: not child.is_up)
        assert not await serving("connector/crafty@0")
        assert await serving("connector/echo@0")
        assert await serving("")
        error = await refused(peer.jobs.CreateTask(create_request("crafty")))
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert error_info(error).reason == "CONNECTOR_RESTARTING"
        wait = retry_seconds(error)
        assert wait is not None
        assert wait >= 2
        (tmp_path / "away").unlink()
        await until(lambda: child.is_up)
        await until(lambda: serving("connector/crafty@0"))


async def test_a_process_that_is_killed_while_nobody_calls(peer: Peer) -> None:
    await killed_and_back(child_of(peer, "Crafty"))
    await peer.jobs.CreateTask(create_request("crafty"))


async def test_restarts_are_counted() -> None:
    async with apart(CRAFTY, metrics_address="127.0.0.1:0") as peer, httpx.AsyncClient() as client:
        await killed_and_back(child_of(peer, "Crafty"))
        page = (await client.get(f"http://{peer.server.metrics_address}/metrics")).text
    assert 'connectory_isolated_up{connector="Crafty"} 1.0' in page
    assert 'connectory_isolated_restarts_total{connector="Crafty"} 1.0' in page
    assert 'connector="Echo"} ' not in "".join(line for line in page.splitlines() if "isolated" in line)
