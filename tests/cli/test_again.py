"""Executions that are recovered, relaunched and looked back at from the command line."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.conftest import FLOWS, Command

FIRST = """
from pathlib import Path

from connectory import task, workflow


@task
def count(folder: str) -> int:
    with Path(folder, "count").open("a") as file:
        file.write("x")
    return 3


@task(retries=1)
def fragile(x: int) -> int:
    raise ConnectionError("no luck")


@task
def last(x: int, y: int) -> int:
    return x + y


@workflow
def flow(folder: str) -> int:
    x = count(folder=folder)
    return last(x=x, y=fragile(x=x))
"""
MENDED = FIRST.replace('raise ConnectionError("no luck")', "return 10 * x")

WRITING = """
from connectory import ProcessTask, create_node, task, workflow

writes = ProcessTask("writes", command=["sh", "-c", "echo one; echo two"])


@task
def quiet() -> None:
    return


@workflow
def written() -> None:
    create_node(writes) >> create_node(quiet)
"""

SHOWING = """
from connectory import Deck, task, workflow


@task
def quiet() -> int:
    return 1


@task(enable_deck=True)
def shows(x: int) -> int:
    Deck("story", "<p>how it went</p>")
    return x


@workflow
def shown() -> int:
    return shows(x=quiet())
"""


@pytest.fixture
def program(connectory: Command, tmp_path: Path) -> Path:
    file = tmp_path / "mended_later.py"
    file.write_text(FIRST)
    done = connectory("run", file, "--input", f"folder={tmp_path}", "--name", "broken")
    assert done.returncode == 1, done.stderr
    return file


def test_new_code_is_shown_and_goes_on_where_the_old_one_failed(
    connectory: Command, program: Path, tmp_path: Path
) -> None:
    program.write_text(MENDED)
    shown = connectory("executions", "recover", "broken", "--with-new-code", program, "--dry-run", "--json")
    changes = {row["id"]: row["change"] for row in json.loads(shown.stdout)}
    assert changes == {"n0": "reused", "n1": "changed", "n2": "unfinished"}
    done = connectory("executions", "recover", "broken", "--with-new-code", program, "--name", "mended")
    assert (done.returncode, done.stdout) == (0, "o0 = 33\n"), done.stderr
    assert "n1 fragile: changed" in done.stderr
    assert "1 of 3 nodes are taken over" in done.stderr
    assert (tmp_path / "count").read_text() == "x"
    view = json.loads(connectory("executions", "show", "mended", "--json").stdout)
    assert [node["reused_from"] for node in view["nodes"]] == ["broken", None, None]


def test_a_file_without_the_workflow_is_refused(connectory: Command, program: Path) -> None:
    done = connectory("executions", "recover", "broken", "--with-new-code", FLOWS)
    assert done.returncode == 1
    assert "flow" in done.stderr
    done = connectory("executions", "recover", "broken", "--rerun", "n7")
    assert done.returncode == 1
    assert "broken has no node 'n7' to run again; it has n0, n1" in done.stderr


def test_inputs_of_new_code_have_their_defaults_or_are_asked_for(
    connectory: Command, program: Path, tmp_path: Path
) -> None:
    changed = MENDED.replace("def flow(folder: str)", "def flow(folder: str, extra: int = 1)")
    program.write_text(changed.replace("y=fragile(x=x)", "y=extra"))
    done = connectory("executions", "recover", "broken", "--with-new-code", program, "--name", "extended")
    assert (done.returncode, done.stdout) == (0, "o0 = 4\n"), done.stderr
    program.write_text(program.read_text().replace("extra: int = 1", "extra: int"))
    for options in ([], ["--dry-run"]):
        done = connectory("executions", "recover", "broken", "--with-new-code", program, "--name", "bare", *options)
        assert done.returncode == 1
        assert "the new code cannot go on with the inputs of broken: " in done.stderr
        assert "extra" in done.stderr
    assert "there is no execution 'bare'" in connectory("executions", "show", "bare").stderr


def test_a_relaunch_begins_anew_with_the_same_inputs(connectory: Command, program: Path, tmp_path: Path) -> None:
    program.write_text(MENDED)
    done = connectory("executions", "relaunch", "broken", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outputs"] == {"o0": 33}
    assert (tmp_path / "count").read_text() == "xx"


def test_a_timeline_tells_what_happened_when(connectory: Command, program: Path) -> None:
    done = connectory("executions", "show", "broken", "--timeline", "--json")
    moments = json.loads(done.stdout)
    assert all(earlier["at"] <= later["at"] for earlier, later in pairwise(moments))
    told = list(dict.fromkeys((each["node"], each["phase"], each["attempt"]) for each in moments))
    assert [each for each in told if each[0] != "n2" and each[1] != "FAILING"] == [
        (None, "RUNNING", 0),
        ("n0", "RUNNING", 0),
        ("n0", "SUCCEEDED", 0),
        ("n1", "RUNNING", 0),
        ("n1", "RETRYING", 1),
        ("n1", "RUNNING", 1),
        ("n1", "FAILED", 1),
        (None, "FAILED", 0),
    ]
    assert ("n2", "SKIPPED", 0) in told
    waited = next(each["message"] for each in moments if each["phase"] == "RETRYING")
    assert waited.startswith("again in ")
    assert "no luck" in waited
    table = connectory("executions", "show", "broken", "--timeline").stdout
    assert "RETRYING" in table


def test_logs_of_a_job_are_there_when_its_execution_has_ended(connectory: Command, tmp_path: Path) -> None:
    file = tmp_path / "writing.py"
    file.write_text(WRITING)
    assert connectory("run", file, "--name", "written").returncode == 0
    done = connectory("executions", "logs", "written", "n0")
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n"), done.stderr
    told = json.loads(connectory("executions", "logs", "written", "n0", "--lines", "1", "--json").stdout)
    assert told["lines"] == ["one"]
    assert connectory("executions", "logs", "written", "n0", "--tail", "1", "--follow").stdout == "two\n"
    done = connectory("executions", "logs", "written", "n1")
    assert done.returncode == 1
    assert "attempt 1 of node 'n1' has no job that is known: its task, of type 'python-task'" in done.stderr


def test_decks_are_named_where_they_are(connectory: Command, tmp_path: Path) -> None:
    file = tmp_path / "showing.py"
    file.write_text(SHOWING)
    assert connectory("run", file, "--name", "shown").returncode == 0
    quiet, shows = json.loads(connectory("executions", "show", "shown", "--json").stdout)["nodes"]
    assert quiet["deck"] is None
    assert "how it went" in Path(shows["deck"]).read_text()
    assert f"n1 deck: {shows['deck']}\n" in connectory("executions", "show", "shown").stdout


def test_what_ended_long_ago_is_forgotten(connectory: Command, program: Path, tmp_path: Path) -> None:
    connectory.environment["TMPDIR"] = str(tmp_path)  # code that others have unpacked is theirs
    assert json.loads(connectory("executions", "prune", "--older-than", "1d", "--json").stdout)["executions"] == []
    would = connectory("executions", "prune", "--older-than", "0s", "--dry-run")
    assert (would.returncode, would.stdout) == (0, "broken\n"), would.stderr
    assert "1 executions, 0 cached results, 0 folders of code would be forgotten" in would.stderr
    assert json.loads(connectory("executions", "prune", "--older-than", "0s", "--keep", "1", "--json").stdout) == {
        "executions": [],
        "cached_results": 0,
        "code": [],
    }
    done = connectory("executions", "prune", "--older-than", "0s")
    assert (done.returncode, done.stdout) == (0, "broken\n"), done.stderr
    assert json.loads(connectory("executions", "list", "--json").stdout) == []
    refused = connectory("executions", "prune", "--older-than", "long")
    assert refused.returncode == 1
    assert "'long' is no age; write a number and d, h, m or s, such as 30d" in refused.stderr
