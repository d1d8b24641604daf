"""Where connectors come from."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from connectory.connector.discovery import discover

CONNECTOR = """
from connectory.connector.contract import SyncConnector

class {name}(SyncConnector):
    task_type = "{name}".lower()
    def execute(self, ctx): ...
"""

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(name: str, source: str) -> str:
        (tmp_path / f"{name}.py").write_text(source)
        return name

    yield write  # type: ignore[misc]
    for name in set(sys.modules) - before:
        del sys.modules[name]


def _names(module: str) -> list[str]:
    registry = discover([module], entry_points=False)
    assert not registry.broken
    return [registration.name for registration in registry.list()]


@pytest.mark.parametrize(
    "offer",
    [
        "connectors = One",
        "connectors = One()",
        "connectors = [One, Two()]",
        "def connectors(): return [One]",
        "def connectors(): yield One",
        "connectors = [lambda: One()]",
        "",
    ],
)
def test_a_module_may_offer_its_connectors_in_several_ways(write: Write, offer: str) -> None:
    source = CONNECTOR.format(name="One") + (CONNECTOR.format(name="Two") if "Two" in offer else "")
    assert _names(write("offering", f"{source}\n{offer}\n")) == (["One", "Two"] if "Two" in offer else ["One"])


def test_classes_that_are_imported_private_or_abstract_are_no_offer(write: Write) -> None:
    write("elsewhere", CONNECTOR.format(name="Imported"))
    source = CONNECTOR.format(name="_Private") + CONNECTOR.format(name="Own")
    source += "\nimport abc\nclass Abstract(Own, abc.ABC):\n    @abc.abstractmethod\n    def more(self): ...\n"
    assert _names(write("defining", f"from elsewhere import Imported\n{source}")) == ["Own"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_library", "ModuleNotFoundError"),
        ("raise RuntimeError('no licence')", "no licence"),
        ("x = 1", "neither defines nor registers"),
        ("connectors = 3", "no connector"),
        ("connectors = int", "no connector class"),
        ("def connectors(): raise KeyError('HOST')", "HOST"),
        (CONNECTOR.format(name="Bad").replace("def execute", "def other"), "does not implement execute"),
        (CONNECTOR.format(name="Bad") + "    def __init__(self, x): ...\n", "TypeError"),
        ("def", "SyntaxError"),
        ("import sys; sys.exit('needs another Python')", "SystemExit: needs another Python"),
        ("def connectors(): raise SystemExit(1)", "SystemExit"),
    ],
)
def test_what_cannot_be_loaded_is_listed_and_the_rest_serves(write: Write, source: str, reason: str) -> None:
    write("broken_one", source)
    write("good_one", CONNECTOR.format(name="Good"))
    registry = discover(["broken_one", "no_such_module", "good_one"], entry_points=False)
    assert [registration.name for registration in registry.list()] == ["Good"]
    broken, missing = registry.broken
    assert (broken.name, broken.source) == ("broken_one", "module broken_one")
    assert reason in broken.reason
    assert missing.name == "no_such_module"


def test_a_duplicate_is_listed_and_the_first_serves(write: Write) -> None:
    write("first", CONNECTOR.format(name="Same"))
    write("second", CONNECTOR.format(name="Same"))
    registry = discover(["first", "second"], entry_points=False)
    assert [registration.source for registration in registry.list()] == ["module first"]
    assert "two connectors claim category same@0" in registry.broken[0].reason


def test_installed_packages_name_theirs_by_entry_point(write: Write, tmp_path: Path) -> None:
    write("packaged", CONNECTOR.format(name="Packaged") + "connectors = [Packaged]\n")
    info = tmp_path / "packaged-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: packaged\nVersion: 1.0\n")
    lines = ["[connectory.connectors]", "good = packaged:connectors", "whole = packaged", "bad = packaged:missing"]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    registry = discover()
    sources = {registration.name: registration.source for registration in registry.list()}
    assert sources["Packaged"] == "entry point good = packaged:connectors"
    broken = {one.name: one.reason for one in registry.broken}
    assert "missing" in broken["bad"]
    assert "two connectors claim" in broken["whole"]


def test_the_connectors_that_ship_are_found() -> None:
    names = {registration.name for registration in discover().list()}
    assert {"Echo", "EchoSync", "Sleep"} <= names
