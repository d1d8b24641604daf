"""docs/coming-from-flytekit.md: every name of the real flytekit is listed, and what is said of it is so."""

import importlib
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import connectory

ROOT = Path(__file__).parents[2]
PEER = ROOT / ".venv-flytekit" / "bin" / "python"
PAGE = (ROOT / "docs" / "coming-from-flytekit.md").read_text()

_LIST = """
import json, types, flytekit
known = {n for n in vars(flytekit) if n[0] != "_"}
hidden = {n for n, v in vars(flytekit).items() if isinstance(v, types.ModuleType)}
print(json.dumps(sorted(known - hidden)))
"""
_IMPORT = """
import importlib, json, sys
missing = []
for path in json.load(sys.stdin):
    module, _, name = path.rpartition(".")
    try:
        getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        missing.append(f"{path}: {error}")
print(json.dumps(missing))
"""
_ours = re.compile(r"`(connectory\.[\w.]+)`")

with_flytekit = pytest.mark.skipif(not PEER.exists(), reason="flytekit is not installed beside: make env-dev")


def ask(script: str, told: Any = None) -> Any:
    """What a script in the environment of flytekit answers."""
    outcome = subprocess.run(
        [PEER, "-c", script], input=json.dumps(told), capture_output=True, text=True, timeout=120, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout)


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of a section's table, without its head."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def words(cell: str) -> list[str]:
    return re.findall(r"`([\w.]+)`", cell)


TOP = [(name, state, here) for names, state, here in rows("Names of `flytekit`") for name in words(names)]


def resolve(path: str) -> Any:
    """The module, or the part of a module, that a dotted name stands for."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


@with_flytekit
def test_every_name_of_flytekit_is_listed_once() -> None:
    assert sorted(name for name, _, _ in TOP) == ask(_LIST)


@pytest.mark.parametrize(("name", "state", "here"), TOP, ids=[name for name, _, _ in TOP])
def test_the_state_of_a_name_is_as_listed(name: str, state: str, here: str) -> None:
    places = [resolve(path) for path in _ours.findall(here)]
    match state:
        case "same":
            assert name in connectory.__all__
            assert getattr(connectory, name)
        case "moved":
            assert name not in connectory.__all__
            assert any(getattr(place, name, None) or place.__name__ == name for place in places[:1])
        case "different":
            assert name not in connectory.__all__
            assert places
        case _:
            assert state == "not there"
            assert name not in connectory.__all__
            assert here


@with_flytekit
def test_names_of_other_modules_exist_there() -> None:
    assert ask(_IMPORT, [word for theirs, _ in rows("Names of other modules") for word in words(theirs)]) == []


def test_names_of_other_modules_exist_here() -> None:
    for theirs, here in rows("Names of other modules"):
        places = [resolve(path) for path in _ours.findall(here)]
        assert places or here.startswith("not needed"), here
        if here.startswith("the same names"):
            lacking: Sequence[str] = [path for path in words(theirs) if not hasattr(places[0], path.rpartition(".")[2])]
            assert lacking == []


def test_the_sample_runs() -> None:
    (sample,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(sample, "coming-from-flytekit.md", "exec", dont_inherit=True), {"__name__": "__main__"})
