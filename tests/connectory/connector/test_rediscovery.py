"""Connectors loaded again: fresh code, and the last good one where the new one does not load."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from connectory.connector.discovery import discover, sources
from connectory.connector.rediscovery import Rediscovered, rediscover
from connectory.connector.registry import Registry

Write = Callable[..., None]

CONNECTOR = """
from connectory.connector.contract import SyncConnector
{imports}

class {name}(SyncConnector):
    name = "{name}"
    task_type = "{task_type}"
    says = {says}
    def execute(self, ctx): ...
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    before = set(sys.modules)

    def write(path: str, says: str = "1", *, name: str = "One", task_type: str = "one", imports: str = "") -> None:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(CONNECTOR.format(name=name, task_type=task_type, says=says, imports=imports))

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def again(current: Registry, *modules: str) -> Rediscovered:
    return rediscover(current, sources(modules, entry_points=False))


def said(registry: Registry) -> dict[str, object]:
    return {one.name: getattr(one.connector, "says", None) for one in registry.list()}


def test_an_edited_module_serves_with_its_new_code_however_soon_it_was_edited(write: Write) -> None:
    write("soon.py", "1")
    registry = discover(["soon"], entry_points=False)
    old = registry.list()[0].connector
    for digit in "23":
        write("soon.py", digit)
        found = again(registry, "soon")
        assert not found.failed
        registry = found.registry
        assert said(registry) == {"One": int(digit)}
    assert getattr(old, "says", None) == 1


def test_what_a_module_imports_from_its_own_package_or_folder_is_fresh_too(write: Write, tmp_path: Path) -> None:
    write("pack/__init__.py", name="Root", task_type="root")
    write("pack/inner/connectors.py", "value", imports="from pack.helper import value")
    write("alone.py", "value", name="Two", task_type="two", imports="from aside import value")
    (tmp_path / "pack" / "helper.py").write_text("value = 1")
    (tmp_path / "aside.py").write_text("value = 1")
    registry = discover(["pack.inner.connectors", "alone"], entry_points=False)
    (tmp_path / "pack" / "helper.py").write_text("value = 22")
    (tmp_path / "aside.py").write_text("value = 33")
    assert said(again(registry, "pack.inner.connectors", "alone").registry) == {"One": 22, "Two": 33}


@pytest.mark.parametrize("trouble", ["def", "import no_such_module", "1 / 0", "import sys; sys.exit(1)"])
def test_a_module_that_does_not_load_leaves_the_last_good_one_and_its_modules_in_place(
    write: Write, tmp_path: Path, trouble: str
) -> None:
    write("pack/__init__.py", name="Root", task_type="root")
    write("pack/one.py", "value", imports="from pack.helper import value")
    write("other.py", "1", name="Other", task_type="other")
    (tmp_path / "pack" / "helper.py").write_text("value = 1")
    registry = discover(["pack.one", "other"], entry_points=False)
    modules = {name: module for name, module in sys.modules.items() if name.startswith("pack")}
    (tmp_path / "pack" / "helper.py").write_text("value = 22")
    write("pack/one.py", "value", imports=f"from pack.helper import value\n{trouble}")
    write("other.py", "2", name="Other", task_type="other")
    found = again(registry, "pack.one", "other")
    assert said(found.registry) == {"One": 1, "Other": 2}
    assert found.registry.list()[0] is registry.list()[0]
    (failure,) = found.failed
    assert failure.source == "module pack.one"
    assert failure.reason.endswith("its last good version goes on")
    assert list(found.registry.broken) == [failure]
    assert {name: module for name, module in sys.modules.items() if name.startswith("pack")} == modules


def test_a_connector_that_cannot_be_registered_leaves_the_last_good_one(write: Write) -> None:
    write("pack/__init__.py", name="Root", task_type="root")
    write("pack/one.py", "1")
    registry = discover(["pack.one"], entry_points=False)
    write("pack/one.py", "1", task_type="")
    found = again(registry, "pack.one")
    assert said(found.registry) == {"One": 1}
    assert "names no task type" in found.failed[0].reason


def test_a_category_is_not_taken_from_the_connector_that_serves_it(write: Write) -> None:
    write("first.py", "1")
    write("second.py", "1", name="Two", task_type="two")
    registry = discover(["first", "second"], entry_points=False)
    write("elsewhere/__init__.py", "2", name="Thief", task_type="two")
    found = again(registry, "elsewhere", "first", "second")
    assert said(found.registry) == {"One": 1, "Two": 1}
    assert "served by Two (module second)" in found.registry.broken[0].reason
    assert [one.name for one in found.discarded] == ["Thief"]


def test_new_modules_appear_removed_ones_go_and_broken_ones_are_mended(write: Write, tmp_path: Path) -> None:
    write("staying/__init__.py", "1")
    write("going/__init__.py", "1", name="Going", task_type="going")
    (tmp_path / "mended.py").write_text("def")
    registry = discover(["staying", "going", "mended"], entry_points=False)
    assert [broken.name for broken in registry.broken] == ["mended"]
    write("mended.py", "1", name="Mended", task_type="mended")
    write("coming/__init__.py", "1", name="Coming", task_type="coming")
    found = again(registry, "staying", "mended", "coming")
    assert not found.failed
    assert not found.registry.broken
    assert set(said(found.registry)) == {"One", "Mended", "Coming"}


def test_a_package_in_a_shared_namespace_leaves_its_neighbours_alone(write: Write, tmp_path: Path) -> None:
    write("shared/ours/__init__.py", "1")
    (tmp_path / "shared" / "library").mkdir()
    (tmp_path / "shared" / "library" / "__init__.py").write_text("")
    registry = discover(["shared.ours"], entry_points=False)
    library: ModuleType = __import__("shared.library").library
    write("shared/ours/__init__.py", "22")
    assert said(again(registry, "shared.ours").registry) == {"One": 22}
    assert sys.modules["shared.library"] is library


def test_the_entry_points_that_are_installed_here_load_again() -> None:
    registry = discover()
    found = rediscover(registry, sources())
    assert not found.failed
    assert [one.name for one in found.registry.list()] == [one.name for one in registry.list()]
