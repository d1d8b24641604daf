"""A connector server that is killed between the Job's creation and its handle: the next one finds the Job."""

from pathlib import Path

import pytest

from connectory.client.connector import ConnectorClient
from connectory.connector.contract import Phase
from connectory.errors import ConnectoryError
from connectory.testing import task_call
from tests.connector_server.processes import server_process
from tests.connectors.k8s_job.conftest import handle_of
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
