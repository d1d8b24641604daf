"""The connectors' pages say what is so: their samples are tasks that the connectors take, their tables are complete."""

import re
import types
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
import yaml

from connectory.connector.contract import TaskCategory
from connectory.connector.discovery import discover
from connectory.connector.registry import Registration

FOLDER = Path(__file__).parents[2] / "docs" / "connectors"
PAGES = sorted(FOLDER.glob("*.md"), key=lambda page: page.name)
REGISTRY = discover()


def samples(page: Path) -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.M | re.S)]


def registration(task_type: str) -> Registration:
    return REGISTRY.get(TaskCategory(task_type, 0))


def fields(config_type: Any) -> list[str]:
    """The names that a table must have: those of the config, and within its parts those of their fields."""
    found = []
    for name, kind in get_type_hints(config_type).items():
        found.append(name)
        for part in get_args(kind) if isinstance(kind, types.UnionType) else ():
            found += list(get_type_hints(part)) if hasattr(part, "__dataclass_fields__") else []
    return found


def test_every_connector_that_ships_has_a_page() -> None:
    shipped = {path.parent.name for path in (FOLDER.parents[1] / "connectors").glob("*/__init__.py")}
    assert {page.stem for page in PAGES} == shipped


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_samples_are_tasks_that_the_connector_takes(page: Path) -> None:
    found = samples(page)
    assert found
    for sample in found:
        assert set(sample) <= {"type", "interface", "custom"}
        msgspec.convert(sample.get("custom", {}), registration(sample["type"]).config_type)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_field_of_a_task_is_on_the_page(page: Path) -> None:
    text = page.read_text()
    for sample in samples(page):
        for name in fields(registration(sample["type"]).config_type):
            assert re.search(rf"\b{name}\b", text), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_variable_that_the_operator_can_set_is_on_the_page(page: Path) -> None:
    sources = (FOLDER.parents[1] / "connectors" / page.stem).rglob("*.py")
    named = {name for source in sources for name in re.findall(r"\bCONNECTORY_[A-Z_]+\b", source.read_text())}
    assert [name for name in sorted(named) if name not in page.read_text()] == []
