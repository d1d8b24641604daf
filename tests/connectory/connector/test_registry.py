"""Which connector answers which category."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

import pytest

from connectory.connector.contract import AsyncConnector, Connector, SyncConnector, TaskCategory
from connectory.connector.registry import BrokenConnector, Registry
from connectory.errors import NotFoundError, RegistryError
from connectory.testing import dispatching
from tests.connectory.connector.fakes import FakeConnector, FakeJob, FakeSyncConnector


class Second(FakeConnector):
    name = "Second"


class NewVersion(FakeConnector):
    name = "NewVersion"
    task_type_version = 1


class Several(FakeConnector):
    name = "Several"

    @property
    def categories(self) -> Sequence[TaskCategory]:
        return (TaskCategory("one"), TaskCategory("two", 3))


def test_a_category_that_is_taken_is_refused_naming_both() -> None:
    registry = Registry()
    registry.register(FakeConnector(), source="entry point a")
    with pytest.raises(RegistryError, match=r"fake@0: Fake \(entry point a\) and Second \(module b\)"):
        registry.register(Second(), source="module b")
    assert registry.get(TaskCategory("fake")).name == "Fake"


def test_the_newer_takes_the_category_when_it_may() -> None:
    registry = Registry()
    registry.register(FakeConnector())
    registry.register(Second(), override=True)
    assert [registration.name for registration in registry.list()] == ["Second"]


def test_versions_of_one_task_type_are_told_apart() -> None:
    registry = Registry()
    registry.register(FakeConnector())
    registry.register(NewVersion())
    assert registry.get(TaskCategory("fake", 0)).name == "Fake"
    assert registry.get(TaskCategory("fake", 1)).name == "NewVersion"


def test_a_connector_with_a_category_that_is_taken_gets_none_of_its_categories() -> None:
    class Greedy(FakeConnector):
        @property
        def categories(self) -> Sequence[TaskCategory]:
            return (TaskCategory("free"), TaskCategory("two", 3))

    registry = Registry()
    registry.register(Several())
    with pytest.raises(RegistryError, match="two@3"):
        registry.register(Greedy())
    with pytest.raises(NotFoundError):
        registry.get(TaskCategory("free"))


def test_what_failed_to_load_is_said_to_whoever_asks_for_it() -> None:
    registry = Registry()
    registry.add_broken(BrokenConnector(name="sql", source="entry point sql", reason="ImportError: no driver"))
    with pytest.raises(NotFoundError, match="registered are: none; failed to load: sql"):
        registry.get(TaskCategory("sql"))


@pytest.mark.parametrize("missing", ["create", "get", "delete"])
def test_an_incomplete_connector_is_refused(missing: str) -> None:
    incomplete = type("Incomplete", (FakeConnector,), {missing: getattr(AsyncConnector, missing)})
    with pytest.raises(RegistryError, match=f"does not implement {missing}"):
        Registry().register(incomplete())


@pytest.mark.parametrize(
    ("declared", "value", "remedy"),
    [
        ("limits", {"jobs": 3}, "a Limits"),
        ("pool_size", 0, "a whole number of threads"),
        ("handle_version", "2", "a whole number, 1 at least"),
        ("on_orphan", "eat", '"keep" or "delete"'),
        ("lease", 60, "a timedelta"),
        ("lease", timedelta(seconds=-1), "a timedelta"),
        ("poll_every", timedelta(0), "a timedelta above 0, or None"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused(declared: str, value: object, remedy: str) -> None:
    slipped = type("Slipped", (FakeConnector,), {declared: value})
    with pytest.raises(RegistryError, match=f"connector Fake declares {declared}=.*; it must be .*{remedy}"):
        Registry().register(slipped())


@pytest.mark.parametrize(
    ("declared", "remedy"),
    [
        ({"categories": ["fake"]}, r"write TaskCategory\(NAME, VERSION\)"),
        ({"task_type_version": "1"}, "its version a whole number"),
        ({"task_type_version": -1}, "its version a whole number"),
        ({"task_type": 7}, "its task type must be text"),
    ],
)
def test_a_category_that_cannot_be_asked_for_is_refused(declared: dict[str, object], remedy: str) -> None:
    with pytest.raises(RegistryError, match=f"connector Fake has the category .*{remedy}"):
        Registry().register(type("Slipped", (FakeConnector,), declared)())


def test_a_connector_without_a_task_type_is_refused() -> None:
    class Nameless(FakeConnector):
        task_type = ""

    with pytest.raises(RegistryError, match="names no task type"):
        Registry().register(Nameless())


def test_what_is_neither_sync_nor_async_is_refused() -> None:
    with pytest.raises(RegistryError, match="neither"):
        Registry().register(Connector())


@dataclass
class Unspeakable:
    size: int
    factors: list[complex]


@pytest.mark.parametrize(
    ("handle_type", "why"), [(complex, "must be a dataclass"), (Unspeakable, "cannot hold a complex"), (str, "dict")]
)
def test_a_handle_class_that_json_cannot_hold_is_refused(handle_type: type, why: str) -> None:
    class Odd(FakeConnector):
        name = "Odd"

    connector = Odd()
    connector.handle_type = handle_type  # type: ignore[attr-defined]
    with pytest.raises(RegistryError, match=f"connector Odd: .* cannot be a handle class: .*{why}"):
        Registry().register(connector)


def test_a_config_class_that_json_cannot_hold_is_refused() -> None:
    class OddConfig(SyncConnector[Unspeakable]):
        task_type = "odd"

        async def execute(self, ctx: Any) -> Any: ...

    with pytest.raises(RegistryError, match="cannot be a config class: JSON cannot hold a complex"):
        Registry().register(OddConfig())


ConfigT = TypeVar("ConfigT")


class Base(AsyncConnector[ConfigT, FakeJob], Generic[ConfigT]):
    """A generic connector between the contract and the real one."""

    async def create(self, ctx: Any) -> FakeJob:
        return FakeJob(job_id="1")

    async def get(self, job: FakeJob, ctx: Any) -> Any: ...

    async def delete(self, job: FakeJob, ctx: Any) -> None: ...


@dataclass
class OwnConfig:
    x: int = 0


class Concrete(Base[OwnConfig]):
    task_type = "concrete"


class Deeper(Concrete):
    task_type = "deeper"


class Untyped(SyncConnector):  # type: ignore[type-arg]
    task_type = "untyped"

    def execute(self, ctx: Any) -> Any: ...


def test_config_and_handle_classes_are_read_from_the_type_arguments() -> None:
    registry = Registry()
    for cls in (Concrete, Deeper):
        registration = registry.register(cls())
        assert (registration.config_type, registration.handle_type) == (OwnConfig, FakeJob)
    assert registry.register(Untyped()).config_type is dict


async def test_the_listing_is_by_name_with_every_category() -> None:
    async with dispatching(Several(), FakeSyncConnector(), NewVersion()) as dispatcher:
        listed = dispatcher.connectors()
        assert [entry.name for entry in listed] == ["FakeSync", "NewVersion", "Several"]
        assert [(c.name, c.version) for c in listed[2].supported_task_categories] == [("one", 0), ("two", 3)]
        assert list(listed[2].supported_task_types) == ["one", "two"]
        assert dispatcher.connector("FakeSync").is_sync
        with pytest.raises(NotFoundError, match=r"'Nobody'; there are: FakeSync, NewVersion, Several"):
            dispatcher.connector("Nobody")
