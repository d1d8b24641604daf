"""Tasks that both a plugin and a connector could carry out."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectory.client.connector import ConnectorClient
from connectory.errors import RegistryError
from connectory.v1 import workflow_pb2
from tests.workflow_runner.plugins.fake_service import FakeSystem, fake_service
from tests.workflow_runner.plugins.service import QUICK, serving
from tests.workflow_runner.workflows import (
    INTEGER,
    closure,
    constant,
    integer,
    literal_map,
    node,
    promise,
    task,
    workflow,
)
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.contract import Plugin, PluginEntry
from workflow_runner.plugins.registry import PluginRegistry
from workflow_runner.plugins.shipped import shipped_plugins
from workflow_runner.plugins.sleep import SleepPlugin, sleep_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult, NodeUpdate

ONLY_THE_CONNECTOR_KNOWS = {"outputs": {"o": 42}}


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "s")


def one(task_type: str, **custom: object) -> workflow_pb2.CompiledWorkflowClosure:
    template = task("t", task_type, inputs={"a": INTEGER}, outputs={"o": INTEGER}, custom=custom)
    nodes = [node("n", template, {"a": constant(integer(7))})]
    return closure(workflow("w", nodes, outputs={"o": (INTEGER, promise("n", "o"))}), [template])


@asynccontextmanager
async def shipped(socket: Path) -> AsyncIterator[Runner]:
    async with ConnectorClient(f"unix:{socket}") as client:
        entries = shipped_plugins([client], patience=QUICK)
        async with Runner(open_store("memory://"), entries) as runner:
            yield runner


async def run(socket: Path, made: workflow_pb2.CompiledWorkflowClosure) -> ExecutionResult:
    async with shipped(socket) as runner:
        return await runner.wait(await runner.start(made))


async def test_a_connector_that_a_service_offers_counts_before_the_plugin(socket: Path) -> None:
    async with serving(socket):
        result = await run(socket, one("sleep", duration=0, **ONLY_THE_CONNECTOR_KNOWS))
    assert result.outputs == literal_map(o=integer(42)), result.error


@pytest.mark.parametrize("made", [one("sleep", duration=0.01), one("echo")])
async def test_what_no_service_offers_runs_in_the_runner(
    socket: Path, made: workflow_pb2.CompiledWorkflowClosure
) -> None:
    system = FakeSystem()
    async with fake_service(socket, system):
        result = await run(socket, made)
    assert result.outputs == literal_map(o=integer(7)), result.error
    assert set(system.calls) == {"list"}


async def test_the_runners_own_sleep_says_what_it_does_not_know(socket: Path) -> None:
    async with fake_service(socket, FakeSystem()):
        result = await run(socket, one("sleep", **ONLY_THE_CONNECTOR_KNOWS))
    assert result.error is not None
    assert "custom.outputs: the runner's own sleep knows only `duration`" in result.error.message


async def test_a_service_that_cannot_be_asked_may_offer_it(socket: Path) -> None:
    async with shipped(socket) as runner:
        execution = await runner.start(one("sleep", duration=0, **ONLY_THE_CONNECTOR_KNOWS))
        async for update in runner.subscribe(execution):
            if isinstance(update, NodeUpdate) and "asking again" in update.node.message:
                break
        async with serving(socket):
            result = await runner.wait(execution)
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error
    assert result.outputs == literal_map(o=integer(42))


async def test_without_connectors_the_plugin_is_all_there_is() -> None:
    async with Runner(open_store("memory://"), [sleep_plugin()]) as runner:
        result = await runner.wait(await runner.start(one("sleep", duration=0)))
    assert result.outputs == literal_map(o=integer(7)), result.error


def mine(name: str, *, gives_way: bool = False) -> PluginEntry:
    return PluginEntry(
        id=name, registered_task_types=["sleep"], load_plugin=lambda setup: Plugin(), gives_way=gives_way
    )


@pytest.mark.parametrize("order", [1, -1])
async def test_another_plugin_of_the_type_counts_whoever_came_first(order: int) -> None:
    entries = [sleep_plugin(), mine("mine"), connector_plugin([])][::order]
    chosen = await PluginRegistry(entries).get(task("t", "sleep"))
    assert not isinstance(chosen, SleepPlugin)
    assert type(chosen) is Plugin


def test_two_that_give_way_cannot_both_have_a_type() -> None:
    with pytest.raises(RegistryError, match="'sleep' is claimed by plugins 'sleep' and 'other'"):
        PluginRegistry([sleep_plugin(), mine("other", gives_way=True)])
