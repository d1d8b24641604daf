"""A connector written for Flyte's SDK runs with only its imports changed."""

import importlib
import json
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from connectory.compat import ConnectorRegistry, FlyteConnectorNotFound
from connectory.connector.contract import Phase, TaskCategory
from connectory.connector.discovery import discover
from connectory.connector.dispatch import Dispatcher
from connectory.connector.registry import Registry
from connectory.errors import RegistryError
from connectory.secrets import default_secrets
from connectory.storage import default_storage
from connectory.testing import task_call
from connectory.types import default_types

EXAMPLE = "tests.compat.flyte_example"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setattr(ConnectorRegistry, "_connectors", {})
    sys.modules.pop(EXAMPLE, None)
    yield importlib.import_module(EXAMPLE)
    sys.modules.pop(EXAMPLE, None)


@pytest.fixture
def dispatcher(monkeypatch: pytest.MonkeyPatch) -> Dispatcher:
    monkeypatch.setattr(ConnectorRegistry, "_connectors", {})
    sys.modules.pop(EXAMPLE, None)
    registry = discover([EXAMPLE], entry_points=False)
    assert not registry.broken
    return _dispatcher(registry)


def _dispatcher(registry: Registry) -> Dispatcher:
    return Dispatcher(registry, secrets=default_secrets(), storage=default_storage(), types=default_types())


async def test_the_sync_example_is_found_and_executed(
    dispatcher: Dispatcher, capsys: pytest.CaptureFixture[str]
) -> None:
    task = task_call("my_sync_task", inputs={"x": 7}, outputs={"sync_output": str}, name="mine")
    header, outputs = [answer async for answer in dispatcher.execute(task.header(), task.inputs)]
    assert Phase(header.header.resource.phase) is Phase.SUCCEEDED
    said = outputs.outputs.literals["sync_output"].scalar.primitive.string_value
    assert said == "hello from sync connector"
    printed = capsys.readouterr().out
    assert "Executing sync task: mine" in printed
    assert '"integer": "7"' in printed


async def test_the_async_example_is_created_polled_and_deleted(dispatcher: Dispatcher) -> None:
    task = task_call("my_async_task", outputs={"async_output": str}, name="mine")
    handle = (await dispatcher.create(task.create_request())).resource_meta
    assert json.loads(handle)["job"] == {"job_id": f"job-{hash('mine')}"}
    resource = (await dispatcher.get(task.get_request(handle))).resource
    assert Phase(resource.phase) is Phase.RUNNING
    assert resource.message == "Job still running..."
    await dispatcher.delete(task.delete_request(handle))
    await dispatcher.aclose()


async def test_a_completed_job_of_the_async_example_has_its_output(dispatcher: Dispatcher) -> None:
    task = task_call("my_async_task", outputs={"async_output": str})
    handle = (await dispatcher.create(task.create_request())).resource_meta
    changed = json.loads(handle)
    del changed["check"]  # as in the handles of earlier servers
    changed["job"]["job_id"] = "7-completed"
    resource = (await dispatcher.get(task.get_request(json.dumps(changed).encode()))).resource
    assert resource.outputs.literals["async_output"].scalar.primitive.string_value == "Job 7-completed finished"


def test_flytes_registry_answers_as_flyte_users_know_it(example: ModuleType) -> None:
    assert isinstance(ConnectorRegistry.get_connector("my_sync_task"), example.MySyncConnector)
    assert [entry.name for entry in ConnectorRegistry.list_connectors()] == ["MySyncConnector", "MyAsyncConnector"]
    metadata = ConnectorRegistry.get_connector_metadata("MyAsyncConnector")
    assert not metadata.is_sync
    assert metadata.supported_task_categories[0].name == "my_async_task"
    with pytest.raises(FlyteConnectorNotFound, match="my_sync_task@0"):
        ConnectorRegistry.get_connector("my_sync_task", 9)
    with pytest.raises(FlyteConnectorNotFound, match="MySyncConnector"):
        ConnectorRegistry.get_connector_metadata("Unknown")
    with pytest.raises(RegistryError, match="two connectors claim"):
        ConnectorRegistry.register(example.MySyncConnector())
    ConnectorRegistry.register(example.MySyncConnector(), override=True)


def test_a_category_with_a_version_is_a_category_of_its_own(example: ModuleType) -> None:
    assert example.my_task_category == TaskCategory("my_external_job", 1)
