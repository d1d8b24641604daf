"""Which plugin gets which task, and when it is loaded."""

import pytest

from connectory.errors import NotFoundError, RegistryError
from connectory.v1 import tasks_pb2
from tests.workflow_runner.workflows import task
from workflow_runner.plugins.contract import Plugin, PluginEntry, PluginProperties, SetupContext
from workflow_runner.plugins.phases import PhaseInfo
from workflow_runner.plugins.registry import PluginRegistry


class Named(Plugin):
    def __init__(self, longest: int | None = None) -> None:
        self.closed = 0
        self._longest = longest

    @property
    def properties(self) -> PluginProperties:
        return PluginProperties(generated_name_max_length=self._longest)

    async def close(self) -> None:
        self.closed += 1


def of(task_type: str, name: str = "t") -> tasks_pb2.TaskTemplate:
    return task(name, task_type)


def entry(name: str, *types: str, plugin: Plugin | None = None, is_default: bool = False) -> PluginEntry:
    return PluginEntry(
        id=name, registered_task_types=types, load_plugin=lambda setup: plugin or Named(), is_default=is_default
    )


async def test_a_plugin_is_loaded_once_on_its_first_task_and_closed_with_the_registry() -> None:
    loaded: list[SetupContext] = []
    plugin = Named()

    async def load(setup: SetupContext) -> Plugin:
        loaded.append(setup)
        return plugin

    setup = SetupContext()
    never = Named()
    registry = PluginRegistry(
        [PluginEntry(id="a", registered_task_types=("x", "y"), load_plugin=load), entry("b", "z", plugin=never)], setup
    )
    assert loaded == []
    assert await registry.get(of("x")) is await registry.get(of("y")) is plugin
    (given,) = loaded
    assert given.quotas is setup.quotas
    await registry.close()
    assert (plugin.closed, never.closed) == (1, 0)


async def test_the_default_takes_what_nobody_registered() -> None:
    default = Named()
    registry = PluginRegistry([entry("a", "x"), entry("d", plugin=default, is_default=True)])
    assert await registry.get(of("anything")) is default
    assert await registry.get(of("x")) is not default


async def test_without_a_default_unknown_types_are_refused_with_what_there_is() -> None:
    with pytest.raises(NotFoundError, match="'q'; there are plugins for: x, y"):
        await PluginRegistry([entry("a", "x", "y")]).get(of("q"))


def test_two_claims_to_one_place_are_refused_and_both_are_named() -> None:
    with pytest.raises(RegistryError, match="'x' is claimed by plugins 'a' and 'b'"):
        PluginRegistry([entry("a", "x"), entry("b", "x")])
    with pytest.raises(RegistryError, match="'a' and 'b' both claim to be the default"):
        PluginRegistry([entry("a", is_default=True), entry("b", is_default=True)])


async def test_names_must_be_allowed_eight_characters() -> None:
    registry = PluginRegistry([entry("short", "x", plugin=Named(7)), entry("enough", "y", plugin=Named(8))])
    with pytest.raises(RegistryError, match="'short' allows names of 7 characters; at least 8"):
        await registry.get(of("x"))
    assert await registry.get(of("y"))
    await registry.close()


def test_a_failure_says_what_and_why() -> None:
    with pytest.raises(ValueError, match="needs a code and a message"):
        PhaseInfo.permanent_failure("", "why")


async def test_a_claim_counts_after_registered_types_and_before_the_default() -> None:
    claiming, typed, default = Named(), Named(), Named()
    claim = PluginEntry(
        id="claiming",
        registered_task_types=(),
        load_plugin=lambda setup: claiming,
        claims=lambda template: template.id.name == "mine",
    )
    registry = PluginRegistry([entry("d", plugin=default, is_default=True), claim, entry("a", "x", plugin=typed)])
    assert await registry.get(of("y", "mine")) is claiming
    assert await registry.get(of("y", "other")) is default
    assert await registry.get(of("x", "mine")) is typed
