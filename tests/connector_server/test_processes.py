"""The server as a process: its orderly stop, its workers, and what it leaves behind."""

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import grpc
import pytest

from connectory.connector.ledger.sqlite import SqliteLedger
from connectory.v1 import services_pb2_grpc
from tests.connector_server.harness import create_request
from tests.connector_server.processes import ServerProcess, server_process

FREE = "127.0.0.1:0"


async def create(target: str, task_type: str = "trivial", folder: Path | None = None) -> bytes:
    config = None if folder is None else {"folder": str(folder)}
    # A channel of its own: a connection stays with the worker that accepted it.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        stub = services_pb2_grpc.AsyncConnectorServiceStub(channel)
        request = create_request(task_type, config)
        handle: bytes = (await stub.CreateTask(request, wait_for_ready=True, timeout=15)).resource_meta
        return handle


async def target_of(server: ServerProcess) -> str:
    (line, *_) = await server.logged("serving")
    return str(line["addresses"][0])


async def appears(path: Path) -> None:
    async with asyncio.timeout(15):
        while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 - another process makes the file
            await asyncio.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this way of scheduling")
async def test_threads_of_a_server_do_not_interrupt_each_other() -> None:
    async with server_process(addresses=FREE) as server:
        assert await create(await target_of(server))
        threads = [int(name) for name in os.listdir(f"/proc/{server.process.pid}/task")]
        assert len(threads) > 1
        assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_a_create_in_flight_finish_and_ends_with_zero(
    number: signal.Signals, tmp_path: Path
) -> None:
    async with server_process(addresses=FREE) as server:
        target = await target_of(server)
        creating = asyncio.create_task(create(target, "file_gated", tmp_path))
        await appears(tmp_path / "began")
        server.process.send_signal(number)
        await server.logged("draining")
        (tmp_path / "go").touch()
        assert b"gated" in await creating
        assert await server.ended() == 0


async def test_what_does_not_finish_within_the_grace_is_ended(tmp_path: Path) -> None:
    async with server_process(addresses=FREE, grace=0.1) as server:
        target = await target_of(server)
        creating = asyncio.create_task(create(target, "file_gated", tmp_path))
        await appears(tmp_path / "began")
        server.terminate()
        with pytest.raises(grpc.aio.AioRpcError):
            await creating
        assert await server.ended() == 0


async def test_a_killed_servers_socket_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    async with server_process(uds=path) as killed:
        await killed.logged("serving")
        killed.process.kill()
        await killed.ended()
    assert path.exists()
    async with server_process(uds=path) as server:
        assert await create(await target_of(server))
        server.terminate()
        assert await server.ended() == 0
    assert not path.exists()


async def test_an_unusable_setting_ends_it_with_a_sentence() -> None:
    async with server_process(addresses="0.0.0.0:0") as server:
        assert await server.ended() == 78
        assert any("insecure_public" in text for text in server.text)


async def test_a_module_that_cannot_be_imported_is_named_and_the_rest_serves() -> None:
    async with server_process(addresses=FREE, modules="tests.connector_server.fakes,no.such.module") as server:
        (line,) = await server.logged("is broken")
        assert "no.such.module" in line["message"]
        assert await create(await target_of(server))


async def test_a_ledger_of_a_newer_release_ends_it_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = SqliteLedger(path)
    assert await ledger.job("k") is None
    await ledger.aclose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    async with server_process(addresses=FREE, ledger=path) as server:
        assert await server.ended() == 78
        assert any("was written by a newer version of this program" in text for text in server.text)


async def test_a_ledger_that_cannot_be_reached_is_told_and_the_rest_serves() -> None:
    async with server_process(addresses=FREE, ledger="postgresql://me:secret@127.0.0.1:1/jobs") as server:
        (line,) = await server.logged("creates are refused until")
        assert line["level"] == "WARNING"
        assert "Connection refused" in line["message"] or "Connect call failed" in line["message"]
        assert "secret" not in "".join(server.text)
        await target_of(server)


async def test_what_is_set_for_a_connector_that_there_is_not_is_told() -> None:
    async with server_process(addresses=FREE, limits="trivail.jobs=3", on_orphan="*=keep,trivial=delete") as server:
        (line,) = await server.logged("is never used")
        assert line["level"] == "WARNING"
        assert "limits: no connector and no task type is called 'trivail'" in line["message"]
        assert "trivial" in line["message"].partition("use one of")[2]
        await target_of(server)
        server.process.send_signal(signal.SIGHUP)
        await server.logged("is never used", times=2)


async def test_workers_share_the_port_and_a_dead_one_is_started_again() -> None:
    async with server_process(addresses=FREE, workers=2) as server:
        (first, second) = await server.logged("serving", times=2)
        assert first["addresses"] == second["addresses"]
        target = first["addresses"][0]
        pids = [line["pid"] for line in await server.logged("started", times=2)]
        os.kill(pids[0], signal.SIGKILL)
        await server.logged("died and is started again")
        assert await create(target)
        await server.logged("serving", times=3)
        for _ in range(8):
            assert await create(target)
        server.terminate()
        assert await server.ended() == 0
        await server.logged("stopped", times=2)


async def test_workers_finish_what_is_in_flight(tmp_path: Path) -> None:
    async with server_process(addresses=FREE, workers=2) as server:
        await server.logged("serving", times=2)
        creating = asyncio.create_task(create(await target_of(server), "file_gated", tmp_path))
        await appears(tmp_path / "began")
        server.terminate()
        await server.logged("draining")
        (tmp_path / "go").touch()
        assert b"gated" in await creating
        assert await server.ended() == 0


async def test_workers_do_not_outlive_a_killed_supervisor() -> None:
    async with server_process(addresses=FREE, workers=2) as server:
        await server.logged("serving", times=2)
        server.process.kill()
        await server.ended()  # only when the last worker has closed its log, too
        await server.logged("stopped", times=2)


async def test_a_taken_address_is_refused_with_workers_too() -> None:
    async with server_process(addresses=FREE) as first:
        target = await target_of(first)
        async with server_process(addresses=target, workers=2) as second:
            assert await second.ended() == 78
