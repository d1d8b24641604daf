"""`connectory cache`: what is kept, why, and how to forget it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command

PROGRAM = """
from connectory import task, workflow


@task(cache=True, cache_version="1")
def grow(x: int, by: int) -> int:
    return x + by


@workflow
def grown(x: int, by: int = 1) -> int:
    return grow(x=x, by=by)
"""


def test_results_are_explained_listed_and_forgotten(connectory: Command, tmp_path: Path) -> None:
    file = tmp_path / "growing.py"
    file.write_text(PROGRAM)
    for name, x in (("first", 1), ("again", 1), ("other", 2)):
        assert connectory("run", file, "--input", f"x={x}", "--name", name).returncode == 0
    told = connectory("cache", "explain", "again", "n0").stdout
    assert "its result was taken from the cache" in told
    assert "result of: first/n0/0" in told
    told = json.loads(connectory("cache", "explain", "other", "n0", "--json").stdout)
    assert told["verdict"] == "miss"
    assert told["nearest"][0]["differences"] == [{"part": "input x", "here": "2", "there": "1"}]
    table = connectory("cache", "explain", "other", "n0").stdout
    assert "input x: 2 here, 1 there" in table
    kept = json.loads(connectory("cache", "list", "--task", "growing.grow", "--json").stdout)
    assert [row["source"] for row in kept] == ["other/n0/0", "first/n0/0"]
    anew = connectory("executions", "relaunch", "again", "--overwrite-cache", "--name", "anew", "--json")
    assert json.loads(anew.stdout)["nodes"][0]["cached_from"] is None
    assert connectory("cache", "clear").returncode == 2
    assert connectory("cache", "clear", "--task", "growing.shrink").stdout == "0 results are forgotten\n"
    assert connectory("cache", "clear", "--task", "growing.grow").stdout == "2 results are forgotten\n"
    assert json.loads(connectory("cache", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        ("cache clear --all", "--overwrite-cache"),
        ("cache list", "executions show --endpoint"),
        ("cache explain again n0", "executions show --endpoint"),
        ("executions prune --older-than 1d", "--prune-older-than"),
    ],
)
def test_what_works_on_a_store_only_says_so_where_a_service_is_meant(
    connectory: Command, tmp_path: Path, words: str, instead: str
) -> None:
    refused = connectory(*words.split(), "--endpoint", "127.0.0.1:1")
    connectory.environment["CONNECTORY_ENDPOINT"] = "127.0.0.1:1"
    meant = connectory(*words.split())
    for said, whence in ((refused, "--endpoint"), (meant, "CONNECTORY_ENDPOINT")):
        assert said.returncode == 2
        assert f"{whence} names the runner at 127.0.0.1:1, whose control API has no method for this" in said.stderr
        assert "give --store as the runner has it" in said.stderr
        assert instead in said.stderr
    assert not (tmp_path / "home").exists()
    named = connectory(*words.split(), "--store", f"sqlite:///{tmp_path}/s.db")
    assert "control API" not in named.stderr


def test_help_says_what_works_on_a_store_only(connectory: Command) -> None:
    for words in ("cache clear", "cache list", "cache explain", "executions prune"):
        said = " ".join(connectory(*words.split(), "--help").stdout.split())
        assert "This works on the store itself, not through a runner that serves" in said
