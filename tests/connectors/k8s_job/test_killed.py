"""Between a Job's creation and its handle a server is killed, or an answer is lost: the Job is found, and is alone."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from connectory.client.connector import ConnectorClient
from connectory.connector.contract import Phase
from connectory.errors import ConnectoryError
from connectory.testing import task_call
from connectory.testing.harness import dispatching
from tests.connector_server.processes import server_process
from tests.connector_server.wires import wire_to
from tests.connectors.k8s_job.conftest import Jobs, connector, handle_of
from tests.connectors.k8s_job.killing import MARK
from tests.kubernetes.admin import Admin


async def test_the_job_of_a_server_that_was_killed_is_found(
    namespace: str, admin: Admin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "killed"
    monkeypatch.setenv(MARK, str(mark))
    monkeypatch.setenv("CONNECTORY_K8S_NAMESPACE", namespace)
    socket = tmp_path / "s"
    settings = {
        "modules": "tests.connectors.k8s_job.killing",
        "uds": str(socket),
        "ledger": str(tmp_path / "ledger.sqlite"),
        "ledger_lease": 2,
    }
    call = task_call("killing_k8s_job", config={"image": "busybox", "command": ["echo", "once"]})
    async with server_process(**settings) as server, ConnectorClient(f"unix:{socket}") as client:
        await server.logged("serving")
        with pytest.raises(ConnectoryError):
            await client.create(call.create_request("key"), timeout=20)
        assert await server.process.wait() == -9
    (job,) = admin.list(namespace, "jobs")
    assert mark.exists()
    async with server_process(**settings) as server, ConnectorClient(f"unix:{socket}") as client:
        await server.logged("serving")
        created = await client.create(call.create_request("key"), timeout=20)
        asked = call.get_request(created.resource_meta)
        while not Phase(phase := (await client.get(asked, timeout=20)).resource.phase).is_terminal:
            continue
    assert Phase(phase) is Phase.SUCCEEDED
    assert handle_of(created.resource_meta)["uid"] == job["metadata"]["uid"]
    assert len(admin.list(namespace, "pods")) == 1


def server_of(kubeconfig: Path) -> str:
    return str(yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"])


def port_of(kubeconfig: Path) -> int:
    return urlsplit(server_of(kubeconfig)).port or 443


def by_way_of(port: int, kubeconfig: Path, path: Path) -> str:
    """A file by which the cluster is reached through this port."""
    path.write_text(kubeconfig.read_text().replace(server_of(kubeconfig), f"https://127.0.0.1:{port}"))
    return str(path)


async def test_a_job_whose_creation_was_never_confirmed_is_found(
    namespace: str, admin: Admin, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wire_to(port_of(kubeconfig)) as wire:
        monkeypatch.setenv("KUBECONFIG", by_way_of(wire.port, kubeconfig, tmp_path / "config"))
        async with dispatching(connector(namespace)) as dispatcher:
            jobs = Jobs(dispatcher, namespace)
            await jobs.delete(await jobs.create("true", key="opens the connection"))
            wire.loses_answers = True
            creating = asyncio.create_task(jobs.create("echo", "once"))
            await asyncio.to_thread(admin.await_job, namespace)
            wire.loses_answers = False
            wire.cut()
            handle = await creating
            assert Phase((await jobs.end(handle)).phase) is Phase.SUCCEEDED
    (job,) = admin.list(namespace, "jobs")
    assert handle_of(handle)["uid"] == job["metadata"]["uid"]
