"""How a connector's process ends: with its server, however that ends, and when it hangs."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from connector_server.isolation.folders import remove_abandoned
from connector_server.isolation.kept import KeptChild
from connector_server.isolation.messages import Source
from connector_server.isolation.opening import open_child
from connector_server.isolation.process import Plan
from connector_server.settings.isolation import Apart
from connectory.connector.registry import Registry
from connectory.errors import SettingsError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import services_pb2_grpc
from tests.connector_server.harness import create_request, execute_messages, serving, template
from tests.connector_server.isolation.apart import CRAFTY, apart, child_of, gone, leftovers, until
from tests.connector_server.processes import ServerProcess, server_process

PLAN = Plan(name=CRAFTY, source=Source("module", CRAFTY), apart=Apart())


@asynccontextmanager
async def server(folder: Path, **settings: Any) -> AsyncIterator[tuple[ServerProcess, list[int]]]:
    """A server process whose connectors have processes of their own, and the numbers of those."""
    workers = settings.get("workers", 1)
    environment = {"modules": CRAFTY, "isolation": f"{CRAFTY}=process", "addresses": "127.0.0.1:0", **settings}
    async with server_process(**environment) as process:
        lines = await process.logged(f"the process of connector {CRAFTY} is there", times=workers)
        await process.logged("serving", times=workers)
        assert len(leftovers(folder)) == workers
        yield process, [line["pid"] for line in lines]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the sockets are."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2])
async def test_the_end_of_a_server_is_the_end_of_its_processes(folder: Path, workers: int) -> None:
    async with server(folder, workers=workers) as (process, pids):
        assert len(set(pids)) == workers
        assert not any(map(gone, pids))
        process.terminate()
        assert await process.ended() == 0
        assert all(map(gone, pids))
    assert leftovers(folder) == []


async def test_a_server_that_is_killed_leaves_no_process(folder: Path) -> None:
    async with server(folder) as (process, [pid]):
        process.process.kill()
        await process.ended()
        await until(lambda: gone(pid))
    assert leftovers(folder) == []


async def test_calls_in_flight_are_answered_before_the_process_ends(folder: Path, tmp_path: Path) -> None:
    system = tmp_path / "system"
    async with server(folder, addresses="", uds=tmp_path / "server.sock") as (process, [pid]):
        async with grpc.aio.insecure_channel(f"unix:{tmp_path}/server.sock") as channel:
            jobs: Any = services_pb2_grpc.AsyncConnectorServiceStub(channel)  # type: ignore[no-untyped-call]
            (system / "jobs").mkdir(parents=True)
            (system / "hold-after").touch()
            call = asyncio.ensure_future(jobs.CreateTask(create_request("crafty", {"folder": str(system)}, key="k")))
            await until((system / "at-after").exists)
            os.kill(pid, signal.SIGTERM)  # as who stops a whole group does
            process.terminate()
            await process.logged("draining")
            assert not gone(pid)
            (system / "hold-after").unlink()
            assert (await call).resource_meta
        assert await process.ended() == 0
        assert gone(pid)
    assert leftovers(folder) == []


async def test_its_log_is_part_of_the_servers(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_SECRET_SHOWN", "a value of the server")
    async with server(folder, addresses="", uds=tmp_path / "server.sock") as (process, [pid]):
        async with grpc.aio.insecure_channel(f"unix:{tmp_path}/server.sock") as channel:
            jobs: Any = services_pb2_grpc.AsyncConnectorServiceStub(channel)  # type: ignore[no-untyped-call]
            await jobs.CreateTask(create_request("crafty", {"create": "log", "secret": "shown"}))
        (line,) = await process.logged("the note is")
        (printed,) = await process.logged("printed")
    assert line["message"] == "the note is ***"
    assert (line["logger"], line["level"]) == ("connectory.connector.Crafty", "WARNING")
    assert (line["pid"], line["connector_process"], line["fact"]) == (pid, CRAFTY, 5)
    assert (printed["pid"], printed["connector_process"]) == (pid, CRAFTY)
    assert "a value of the server" not in "".join(process.text)


async def test_a_process_that_hangs_is_ended_and_started_again(caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry()
    child = KeptChild(replace(PLAN, ping_every=0.05, hung_after=0.5))
    await open_child(child, registry)
    async with serving(registry=registry) as peer:
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await peer.jobs.CreateTask(create_request("crafty", {"seconds": 60.0}), timeout=0.2)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: child.restarts == 1)
        await peer.jobs.CreateTask(create_request("crafty"))
    assert "has not come round for 0.5 seconds" in caplog.text
    assert "crafty.py" in caplog.text


async def test_the_servers_that_embed_it_leave_nothing(folder: Path) -> None:
    async with apart(CRAFTY) as peer:
        pid = child_of(peer, "Crafty").pid
        assert pid is not None
        assert len(leftovers(folder)) == 1
    assert gone(pid)
    assert leftovers(folder) == []


async def test_deadline_and_cancellation_reach_the_connector(tmp_path: Path) -> None:
    told = tmp_path / "cancelled"
    async with apart(CRAFTY) as peer:
        handle = (
            await peer.jobs.CreateTask(create_request("crafty", {"get": "wait", "create": str(tmp_path)}))
        ).resource_meta
        asked = pb.GetTaskRequest(task_category=pb.TaskCategory(name="crafty"), resource_meta=handle)
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await peer.jobs.GetTask(asked, timeout=0.3)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await until(told.exists)
        assert abs(float(told.read_text())) < 5
        told.unlink()
        (tmp_path / "waiting").unlink()
        call = peer.jobs.GetTask(asked, timeout=1000)
        await until((tmp_path / "waiting").exists)
        call.cancel()
        await until(told.exists)
        assert 900 < float(told.read_text()) < 1100  # gRPC rounds it up


async def test_a_server_that_cannot_start_leaves_no_process(folder: Path) -> None:
    with pytest.raises(SettingsError, match="ledger="):
        async with apart(CRAFTY, ledger="mysql://nobody"):
            pytest.fail("it must not serve")
    assert leftovers(folder) == []


async def test_what_a_connector_started_does_not_hide_the_end_of_its_process(tmp_path: Path) -> None:
    async with apart(CRAFTY) as peer:
        child = child_of(peer, "Crafty")
        request = create_request("crafty", {"create": "spawn and exit", "folder": str(tmp_path)})
        with pytest.raises(grpc.aio.AioRpcError):
            await peer.jobs.CreateTask(request)
        await until(lambda: child.restarts == 1)
        left = int((tmp_path / "spawned").read_text())
        assert not gone(left)
        os.kill(left, signal.SIGKILL)


async def test_what_is_left_when_all_are_killed_at_once_is_removed_by_the_next_server(folder: Path) -> None:
    async with server(folder) as (process, [pid]):
        process.process.send_signal(signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        process.process.kill()
        await process.ended()
    assert len(leftovers(folder)) == 1
    async with apart(CRAFTY):
        mine = leftovers(folder)
        async with apart(CRAFTY):
            assert len(leftovers(folder)) == 2
        assert leftovers(folder) == mine
    assert leftovers(folder) == []


@pytest.mark.timeout(20)
def test_a_pipe_in_the_place_of_a_lock_holds_no_server_up(folder: Path) -> None:
    somebodys = folder / "connectory-apart-of-somebody"
    somebodys.mkdir()
    os.mkfifo(somebodys / "lock")
    remove_abandoned()
    assert not somebodys.exists()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_server_is_stopped_while_it_waits_for_a_process(folder: Path, workers: int) -> None:
    slow = "tests.connector_server.isolation.slow_to_load"
    settings = {"modules": slow, "isolation": f"{slow}=process", "addresses": "127.0.0.1:0", "workers": workers}
    async with server_process(**settings) as process:
        lines = await process.logged("loading", times=workers)
        process.terminate()
        assert await process.ended() == 0
        assert all(gone(line["pid"]) for line in lines)
    assert leftovers(folder) == []


async def test_what_a_connector_says_while_it_is_closed_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    async with apart("tests.connector_server.isolation.parting") as peer:
        assert [part async for part in peer.sync.ExecuteTaskSync(iter(execute_messages(template("parting"))))]
    assert "the last word: the connector server that knows the secrets is gone" in caplog.text
    assert unheard == []
