"""Inputs that are not what their classes take are refused before anything starts, with the part that is wrong."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Command, wait_for_line

FOREST = """
from dataclasses import dataclass, field
from enum import Enum

from pydantic import BaseModel

from connectory import task, workflow


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Leaf:
    size: float
    color: Color = Color.RED


@dataclass
class Tree:
    name: str
    leaves: list[Leaf] = field(default_factory=list)


class Rule(BaseModel):
    most: int
    about: Leaf | None = None


@task
def planted(tree: Tree, rule: Rule, color: Color, more: list[Tree] | None, by_place: dict[str, Tree] | None) -> str:
    return f"{tree.name} {len(tree.leaves)} {rule.most} {color.value}"


@workflow
def forest(
    tree: Tree,
    rule: Rule = Rule(most=1),
    color: Color = Color.RED,
    more: list[Tree] | None = None,
    by_place: dict[str, Tree] | None = None,
) -> str:
    return planted(tree=tree, rule=rule, color=color, more=more, by_place=by_place)
"""
OAK = 'tree={"name": "oak"}'
WRONG = [
    (["tree=oak"], "input tree='oak'", "expected"),
    (['tree={"nme": "oak"}'], "input tree={'nme': 'oak'}", "nme"),
    (['tree={"leaves": []}'], "input tree=", "missing"),
    (['tree={"name": "oak", "age": 3}'], "input tree=", " age (", "name"),
    (['tree={"name": 3}'], "input tree=", "name: expected str", "got 3"),
    (['tree={"name": "oak", "leaves": [{"size": 1}, {"size": "big"}]}'], "leaves[1].size: expected ", "got 'big'"),
    (['tree={"name": "oak", "leaves": [{"size": 1, "color": "pink"}]}'], "leaves[0].color: ", "'blue', got 'pink'"),
    ([OAK, 'rule={"most": "many"}'], "input rule={'most': 'many'}", "most: ", "integer", "got 'many'"),
    ([OAK, 'rule={"most": 1, "about": {"size": "big"}}'], "input rule=", "about.size: ", "number", "got 'big'"),
    ([OAK, "color=pink"], "input color='pink'", "expected one of 'red', 'blue', got 'pink'"),
    ([OAK, 'more=[{"name": "ash"}, {"nam": "elm"}]'], "input more=", "[1]: ", "nam", "name"),
    ([OAK, 'by_place={"here": {"name": 3}}'], "input by_place=", "here", "name: expected str", "got 3"),
]
RIGHT = [OAK, 'rule={"most": 2, "about": {"size": 1, "color": "red"}}', "color=blue", 'more=[{"name": "ash"}]']


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "forest.py"
    path.write_text(FOREST)
    return path


def require_refusals(connectory: Command, *words: object, each: int = 1) -> None:
    for inputs, *parts in WRONG[::each]:
        refused = connectory(*words, *given(inputs))
        assert refused.returncode == 1, refused.stderr
        (line,) = refused.stderr.splitlines()
        assert all(part in line for part in parts), line


def given(inputs: Sequence[str]) -> list[str]:
    return [word for each in inputs for word in ("--input", each)]


def test_run_refuses_them(connectory: Command, file: Path) -> None:
    require_refusals(connectory, "run", file, each=2)
    assert connectory("executions", "list", "--json").stdout.strip() == "[]"
    done = connectory("run", file, *given(RIGHT))
    assert done.stdout == "o0 = oak 0 2 blue\n", done.stderr


def test_launch_refuses_them_with_a_store(connectory: Command, file: Path) -> None:
    assert connectory("register", file).returncode == 0
    require_refusals(connectory, "launch", "forest")
    assert connectory("executions", "list", "--json").stdout.strip() == "[]"
    done = connectory("launch", "forest", *given(RIGHT))
    assert done.stdout == "o0 = oak 0 2 blue\n", done.stderr


def test_launch_refuses_them_with_a_service(connectory: Command, tmp_path: Path, file: Path) -> None:
    service = connectory.start("runner", "serve", "--uds", tmp_path / "control.sock", "--address", "127.0.0.1:0")
    wait_for_line(service.stderr, "serving")
    endpoint = f"unix:{tmp_path}/control.sock"
    assert connectory("register", file, "--endpoint", endpoint).returncode == 0
    file.unlink()  # only what is registered is known
    require_refusals(connectory, "launch", "forest", "--endpoint", endpoint, each=3)
    assert connectory("executions", "list", "--json", "--endpoint", endpoint).stdout.strip() == "[]"
