"""Plugins of installed packages: wheels that are really installed, into a folder that the interpreter searches."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.contract import Plugin, PluginEntry
from workflow_runner.plugins.discovery import AvailablePlugins, available_plugins
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

GOOD = """
from workflow_runner.plugins.contract import Plugin, PluginEntry
from workflow_runner.plugins.phases import PhaseInfo, do_transition

class Warehouse(Plugin):
    async def handle(self, ctx):
        return do_transition(PhaseInfo.success())

def plugin(name, *types, **options):
    return PluginEntry(id=name, registered_task_types=types, load_plugin=lambda setup: Warehouse(), **options)

warehouse = plugin("warehouse", "warehouse_query", "warehouse_load")
"""

SHIPPED = [
    PluginEntry(id="first", registered_task_types=("taken",), load_plugin=lambda setup: Plugin(), is_default=True),
    PluginEntry(id="modest", registered_task_types=("modest",), load_plugin=lambda setup: Plugin(), gives_way=True),
]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def install(site: Path, name: str, source: str, entry_points: dict[str, str]) -> None:
    """Build a wheel and have pip install it."""
    wheel = site.parent / f"{name}-1.0-py3-none-any.whl"
    points = "\n".join(f"{point} = {value}" for point, value in entry_points.items())
    files = {
        f"{name}.py": source,
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}-1.0.dist-info/entry_points.txt": f"[connectory.plugins]\n{points}\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{name}-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{name}-1.0.dist-info/RECORD": record}.items():
            archive.writestr(path, text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", str(site), "--upgrade", str(wheel)], check=True)


def described(available: AvailablePlugins) -> dict[str, str]:
    return {broken.name: broken.reason for broken in available.broken}


async def test_an_installed_plugin_carries_its_tasks_out(site: Path) -> None:
    install(site, "warehouse_plugin", GOOD, {"warehouse": "warehouse_plugin:warehouse"})
    available = available_plugins(SHIPPED)
    assert described(available) == {}
    assert [plugin.source for plugin in available.plugins][2:] == ["entry point warehouse = warehouse_plugin:warehouse"]
    template = task("t", "warehouse_query")
    async with Runner(open_store("memory://"), available.entries) as runner:
        result = await runner.wait(await runner.start(closure(workflow("w", [node("n", template)]), [template])))
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error


async def test_what_is_broken_is_listed_with_its_reason_and_the_others_work(site: Path) -> None:
    source = f"""{GOOD}
several = [plugin("a", "a"), plugin("greedy", "taken"), plugin("own-default", is_default=True), plugin("text")]
made = lambda: plugin("made", "made")
takes_over = plugin("takes-over", "modest")
nothing = 7
text = PluginEntry(id="types-as-text", registered_task_types="abc", load_plugin=None)
"""
    names = ("several", "made", "takes_over", "nothing", "text", "absent")
    install(site, "mixed_plugins", source, {name: f"mixed_plugins:{name}" for name in names})
    install(site, "raising_plugin", "raise RuntimeError('no licence')", {"raising": "raising_plugin:x"})
    install(site, "exiting_plugin", "raise SystemExit(3)", {"exiting": "exiting_plugin:x"})
    available = available_plugins(SHIPPED)
    assert [plugin.entry.id for plugin in available.plugins] == ["first", "modest", "made", "a", "text", "takes-over"]
    assert described(available) == {
        "greedy": "task type 'taken' is claimed by plugins 'first' and 'greedy'",
        "own-default": "plugins 'first' and 'own-default' both claim to be the default",
        "nothing": "7 is no PluginEntry, and gives none",
        "types-as-text": "plugin 'types-as-text' registers 'abc'; it must be a list of task types",
        "absent": "AttributeError: module 'mixed_plugins' has no attribute 'absent'",
        "raising": "RuntimeError: no licence",
        "exiting": "SystemExit: 3",
    }


def test_installed_plugins_can_be_left_out(site: Path) -> None:
    install(site, "unwanted_plugin", GOOD, {"unwanted": "unwanted_plugin:warehouse"})
    assert [plugin.entry.id for plugin in available_plugins(SHIPPED, installed=False).plugins] == ["first", "modest"]
