"""A running server is reloaded: by a signal, by an RPC, and by its file. Real processes, over the wire."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from connectory.client.connector import ConnectorClient
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import operations_pb2, operations_pb2_grpc, services_pb2_grpc
from tests.connector_server.harness import create_request, error_info
from tests.connector_server.processes import ServerProcess, server_process

MODULE = """
import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from connectory.connector.contract import AsyncConnector, Phase, Resource

@dataclass
class Job:
    id: str

class Edited(AsyncConnector[dict[str, Any], Job]):
    name = "Edited"
    task_type = "edited"
    {more}

    async def create(self, ctx):
        folder = Path(__file__).parent
        if "hold" in ctx.config:
            (folder / "held").touch()
            while not (folder / "go").exists():
                await asyncio.sleep(0.01)
        if (folder / "closed-{says}").exists():
            raise RuntimeError("used after it was closed")
        return Job(id="{says}-" + ctx.idempotency_key)

    async def get(self, job, ctx):
        ctx.logger.debug("looked for {says}")
        return Resource(phase=Phase.RUNNING, message="{says} sees " + job.id)

    async def delete(self, job, ctx): ...

    async def close(self):
        (Path(__file__).parent / "closed-{says}").touch()
"""


class Running:
    """A server with a configuration file and one connector whose module can be edited."""

    def __init__(self, folder: Path, process: ServerProcess, target: str) -> None:
        self.folder = folder
        self.process = process
        self.target = target

    def configure(self, **settings: Any) -> None:
        configure(self.folder, **settings)

    def edit(self, says: str, more: str = "") -> None:
        (self.folder / "edited_connector.py").write_text(MODULE.format(says=says, more=more))

    def hang_up(self) -> None:
        self.process.process.send_signal(signal.SIGHUP)

    @asynccontextmanager
    async def called(self) -> AsyncIterator["Called"]:
        # A connection of its own, so that calls come to different workers.
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(self.target, options=options) as channel:
            yield Called(channel)


class Called:
    """A connection to the server."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.jobs: Any = services_pb2_grpc.AsyncConnectorServiceStub(channel)  # type: ignore[no-untyped-call, unused-ignore]
        self.metadata: Any = services_pb2_grpc.ConnectorMetadataServiceStub(channel)  # type: ignore[no-untyped-call, unused-ignore]

    async def create(self, key: str, **config: Any) -> bytes:
        answer = await self.jobs.CreateTask(create_request("edited", config, key=key), timeout=30)
        return bytes(answer.resource_meta)

    async def get(self, handle: bytes) -> str:
        category = pb.TaskCategory(name="edited")
        answer = await self.jobs.GetTask(pb.GetTaskRequest(task_category=category, resource_meta=handle), timeout=30)
        return str(answer.resource.message)

    async def reload(self, token: str = "") -> operations_pb2.ReloadResponse:
        stub: Any = operations_pb2_grpc.OperationsServiceStub(self.channel)  # type: ignore[no-untyped-call, unused-ignore]
        metadata = [("authorization", f"Bearer {token}")] if token else []
        answer: operations_pb2.ReloadResponse = await stub.Reload(
            operations_pb2.ReloadRequest(), timeout=60, metadata=metadata
        )
        return answer

    async def listed(self) -> pb.ListConnectorsResponse:
        answer: pb.ListConnectorsResponse = await self.metadata.ListConnectors(pb.ListConnectorsRequest(), timeout=30)
        return answer


def configure(folder: Path, **settings: Any) -> None:
    """Write the settings as Kubernetes brings a ConfigMap: into a new folder, to which a link is turned."""
    new = Path(mkdtemp(dir=folder))
    (new / "server.yaml").write_text(json.dumps({"modules": ["edited_connector"], "ledger": "memory", **settings}))
    turned = folder / "..data.new"
    turned.symlink_to(new)
    turned.replace(folder / "..data")
    if not (folder / "server.yaml").is_symlink():
        (folder / "server.yaml").symlink_to(Path("..data") / "server.yaml")


@asynccontextmanager
async def running(folder: Path, says: str = "one", *, workers: int = 1, **settings: Any) -> AsyncIterator[Running]:
    (folder / "edited_connector.py").write_text(MODULE.format(says=says, more=""))
    configure(folder, **settings)
    path = os.pathsep.join([str(folder), *(entry for entry in sys.path if entry)])
    told = {"addresses": "127.0.0.1:0", "config": folder / "server.yaml", "modules": "", "workers": workers}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", path)
        async with server_process(**told) as process:
            lines = await process.logged("serving", times=workers)
            yield Running(folder, process, lines[0]["addresses"][0])
            process.terminate()
            assert await process.ended() == 0


async def appears(path: Path) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 - another process makes the file
            await asyncio.sleep(0.01)


async def refused(called: Called, key: str) -> bool:
    try:
        await called.create(key)
    except grpc.aio.AioRpcError as error:
        if error_info(error).reason == "LIMIT_REACHED":
            return True
        raise
    return False


async def test_sighup_changes_a_limit_and_open_jobs_still_count(tmp_path: Path) -> None:
    async with running(tmp_path, limits="edited.jobs=2,wait=0") as server, server.called() as called:
        await asyncio.gather(called.create("1"), called.create("2"))
        assert await refused(called, "3")
        server.configure(limits="edited.jobs=3,wait=0", grace=5)
        server.hang_up()
        (line,) = await server.process.logged("reloaded")
        assert line["changed"] == ["limits"]
        await server.process.logged("grace changed and takes effect when the server is started again")
        assert not await refused(called, "4")
        assert await refused(called, "5")


@pytest.mark.parametrize("broken", ["limits: [", "grace: never", "unheard_of: 1", "grace: 2026-13-01", "a: !!bool b"])
async def test_a_broken_file_changes_nothing(tmp_path: Path, broken: str) -> None:
    async with running(tmp_path, limits="edited.jobs=1,wait=0") as server, server.called() as called:
        handle = await called.create("1")
        (tmp_path / "server.yaml").write_text(broken)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await called.reload()
        assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert error_info(error.value).reason == "UNUSABLE_SETTINGS"
        await server.process.logged("the configuration is not reloaded")
        assert await refused(called, "2")
        assert await called.get(handle) == "one sees one-1"


async def test_an_edited_module_serves_while_a_create_of_the_old_one_ends(tmp_path: Path) -> None:
    async with running(tmp_path) as server, server.called() as called:
        held = asyncio.create_task(called.create("held", hold=True))
        await appears(tmp_path / "held")
        server.edit("two")
        server.hang_up()
        (line,) = await server.process.logged("reloaded")
        assert "Edited" in line["reloaded"]
        assert b"two-new" in await called.create("new")
        assert not (tmp_path / "closed-one").exists()
        (tmp_path / "go").touch()
        handle = await held
        assert b"one-held" in handle
        assert await called.get(handle) == "two sees one-held"
        await appears(tmp_path / "closed-one")
        assert await called.create("held", hold=True) == handle


async def test_a_job_whose_handle_is_of_the_old_version_is_upgraded(tmp_path: Path) -> None:
    upgrading = """handle_version = 2
    def upgrade(self, handle, from_version):
        return {"id": f"{from_version} to 2: " + handle["id"]}
"""
    async with running(tmp_path) as server, server.called() as called:
        handle = await called.create("1")
        server.edit("two", more=upgrading)
        assert not (await called.reload()).failed
        assert await called.get(handle) == "two sees 1 to 2: one-1"
        assert await called.create("1") == handle


async def test_a_module_that_does_not_load_leaves_the_last_good_one(tmp_path: Path) -> None:
    async with running(tmp_path) as server, server.called() as called:
        (tmp_path / "edited_connector.py").write_text("class Edited(:")
        answer = await called.reload()
        (failed,) = answer.failed
        assert "SyntaxError" in failed.reason
        await server.process.logged("connector edited_connector is broken")
        listed = await called.listed()
        assert [one.name for one in listed.broken] == ["edited_connector"]
        assert "Edited" in [one.name for one in listed.connectors]
        assert b"one-1" in await called.create("1")
        health: Any = health_pb2_grpc.HealthStub(called.channel)
        asked = await health.Check(health_pb2.HealthCheckRequest(service="connector/edited@0"))
        assert asked.status == health_pb2.HealthCheckResponse.SERVING

        server.edit("two")
        assert "Edited" in (await called.reload()).reloaded
        assert not (await called.listed()).broken
        assert b"two-2" in await called.create("2")


async def test_connectors_come_and_go(tmp_path: Path) -> None:
    async with running(tmp_path) as server, server.called() as called:
        server.configure(modules=[])
        answer = await called.reload()
        assert (answer.changed, answer.removed) == (["modules"], ["Edited"])
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await called.create("1")
        assert error.value.code() is grpc.StatusCode.NOT_FOUND
        await appears(tmp_path / "closed-one")
        server.edit("two")
        server.configure()
        assert (await called.reload()).added == ["Edited"]
        assert b"two-1" in await called.create("1")


async def test_a_file_that_is_watched_is_read_again_by_itself_and_connectors_go_on(tmp_path: Path) -> None:
    watched = {"config_check_every": 0.05, "limits": "edited.jobs=1,wait=0"}
    async with running(tmp_path, **watched) as server, server.called() as called:
        await called.create("1")
        assert await refused(called, "2")
        server.configure(config_check_every=0.05, limits="edited.jobs=2,wait=0", log_level="debug")
        (line,) = await server.process.logged("reloaded")
        assert line["changed"] == ["log_level", "limits"]
        assert "reloaded" not in line
        assert not await refused(called, "2")
        await server.process.logged("CreateTask")


async def test_all_workers_reload_whichever_is_asked_and_a_new_one_begins_with_what_holds(tmp_path: Path) -> None:
    async with running(tmp_path, workers=2, ledger=str(tmp_path / "ledger.sqlite")) as server:
        server.edit("two")
        async with server.called() as called:
            server.configure(
                ledger=str(tmp_path / "ledger.sqlite"), limits="edited.jobs=70", metrics_address="127.0.0.1:0"
            )
            answer = await called.reload()
        assert answer.changed == ["limits"]
        assert answer.after_restart == ["metrics_address"]
        assert answer.others == 1
        assert "Edited" in answer.reloaded
        await server.process.logged("reloaded", times=2)

        server.edit("three")
        server.hang_up()
        await server.process.logged("reloaded", times=4)
        started = await server.process.logged("started", times=2)
        server.edit("four")
        os.kill(started[1]["pid"], signal.SIGHUP)
        await server.process.logged("reloaded", times=6)
        for number in range(8):
            async with server.called() as called:
                assert b"four-" in await called.create(str(number))

        (tmp_path / "server.yaml").write_text("grace: never")
        async with server.called() as called:
            with pytest.raises(grpc.aio.AioRpcError, match="grace='never' cannot be used"):
                await called.reload()
        os.kill(started[0]["pid"], signal.SIGKILL)
        await server.process.logged("serving", times=3)
        for number in range(8, 16):
            async with server.called() as called:
                assert b"four-" in await called.create(str(number))


async def test_the_rpc_needs_its_scope_and_is_written_down(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.yaml"
    callers = [
        {"name": "engine", "token": "token-of-the-engine", "scopes": ["edited:*"]},
        {"name": "operator", "token": "token-of-the-operator", "scopes": ["*:reload"]},
    ]
    tokens.write_text(json.dumps({"callers": callers}))
    audit = tmp_path / "audit.jsonl"
    async with running(tmp_path, tokens=str(tokens), audit_log=str(audit)) as server, server.called() as called:
        for token, code in [("", "UNAUTHENTICATED"), ("token-of-the-engine", "PERMISSION_DENIED")]:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await called.reload(token)
            assert error.value.code().name == code
        assert "Edited" in (await called.reload("token-of-the-operator")).reloaded
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    assert [(line["caller"], line["operation"], line["code"]) for line in lines][1:] == [
        ("engine", "Reload", "PERMISSION_DENIED"),
        ("operator", "Reload", "OK"),
    ]


async def test_a_connector_in_a_process_of_its_own_gets_a_new_process(tmp_path: Path) -> None:
    apart = {"isolation": {"edited_connector": "process"}}
    async with running(tmp_path, **apart) as server, server.called() as called:
        handle = await called.create("1")
        assert b"one-1" in handle
        held = asyncio.create_task(called.create("held", hold=True))
        await appears(tmp_path / "held")
        server.edit("two")
        assert "Edited" in (await called.reload()).reloaded
        assert b"two-2" in await called.create("2")
        assert await called.get(handle) == "two sees one-1"
        (tmp_path / "go").touch()
        assert b"one-held" in await held
        await server.process.logged("the replaced connector Edited is closed")
        await appears(tmp_path / "closed-one")

        (tmp_path / "edited_connector.py").write_text("class Edited(:")
        (failed,) = (await called.reload()).failed
        assert "SyntaxError" in failed.reason
        assert b"two-3" in await called.create("3")

        server.edit("three")
        server.configure()
        answer = await called.reload()
        assert (answer.changed, list(answer.failed)) == (["isolation"], [])
        assert b"three-4" in await called.create("4")


async def test_a_connector_in_a_process_of_its_own_logs_by_a_new_level_in_the_same_process(tmp_path: Path) -> None:
    apart = {"isolation": {"edited_connector": "process"}, "config_check_every": 0.1}
    async with running(tmp_path, **apart) as server, server.called() as called:
        handle = await called.create("1")
        assert await called.get(handle) == "one sees one-1"
        server.configure(**apart, log_level="DEBUG")
        await server.process.logged("reloaded")
        async with asyncio.timeout(20):
            while not any("looked for one" in one["message"] for one in server.process.lines):  # it is on its way
                assert await called.get(handle) == "one sees one-1"
        (line, *_) = await server.process.logged("looked for one")
        (begun,) = await server.process.logged("the process of connector edited_connector is there")
        assert line["pid"] == begun["pid"]
        server.edit("two")
        await called.reload()
        async with asyncio.timeout(20):
            while not any("looked for two" in one["message"] for one in server.process.lines):
                assert await called.get(handle) == "two sees one-1"
        (line, *_) = await server.process.logged("looked for two")
        assert line["pid"] != begun["pid"]


async def test_a_job_that_is_watched_is_asked_about_with_the_new_connector(tmp_path: Path) -> None:
    async with running(tmp_path, "none") as server, server.called() as called, ConnectorClient(server.target) as client:
        server.edit("one", more="poll_every = timedelta(milliseconds=20)")
        await called.reload()
        category = pb.TaskCategory(name="edited")
        request = pb.GetTaskRequest(task_category=category, resource_meta=await called.create("1"))
        watched = client.watch(request)
        news = aiter(watched)
        async with asyncio.timeout(20):
            assert (await anext(news)).message == "one sees one-1"
            server.edit("two", more="poll_every = timedelta(milliseconds=20)")
            await called.reload()
            assert (await anext(news)).message == "two sees one-1"
        watched.close()


async def test_a_server_whose_terminal_is_closed_stops(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    took = (
        "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
    )
    serve = [sys.executable, "-m", "connector_server"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", took, *serve),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "CONNECTORY_UDS": str(tmp_path / "s.sock")},
    )
    os.close(theirs)
    try:
        await appears(tmp_path / "s.sock")
        said = b""
        while b"serving" not in said:
            said += await asyncio.to_thread(os.read, ours, 4096)
        os.close(ours)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_what_became_of_reloads_is_measured(tmp_path: Path) -> None:
    async with running(tmp_path, metrics_address="127.0.0.1:0") as server, server.called() as called:
        (line,) = await server.process.logged("serving")

        async def measured() -> dict[str, float]:
            text = await asyncio.to_thread(_read, f"http://{line['metrics'][0]}/metrics")
            rows = [row.rpartition(" ") for row in text.splitlines() if not row.startswith("#")]
            return {name: float(value) for name, _, value in rows}

        assert (await measured())["connectory_last_reload_successful"] == 1
        await called.reload()
        (tmp_path / "edited_connector.py").write_text("class Edited(:")
        await called.reload()
        assert (await measured())["connectory_last_reload_successful"] == 0
        (tmp_path / "server.yaml").write_text("grace: never")
        server.hang_up()
        await server.process.logged("the configuration is not reloaded")
        shown = await measured()
        for outcome in ("done", "partly", "refused"):
            assert shown[f'connectory_reloads_total{{outcome="{outcome}"}}'] == 1
        assert shown["connectory_last_reload_timestamp_seconds"] > 1e9


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())
