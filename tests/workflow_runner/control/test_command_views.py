"""What the command shows of executions of a runner that serves is what it shows of its own."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflow_runner.control.service import Service, command, running_service

FLOWS = """
from pathlib import Path

from connectory import Deck, task, workflow


@task(enable_deck=True)
def shows(x: int) -> int:
    Deck("story", "<p>how it went</p>")
    return x


@task(retries=1)
def fragile(x: int, folder: str) -> int:
    mark = Path(folder, "mended")
    if not mark.exists():
        raise ConnectionError("no luck")
    return x


@task(cache=True, cache_version="1")
def last(x: int) -> int:
    return x


@workflow
def cached(x: int) -> int:
    return last(x=x)


@workflow
def flow(folder: str) -> int:
    return last(x=fragile(x=shows(x=3), folder=folder))
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("views")
    (folder / "flows.py").write_text(FLOWS)
    with running_service(folder) as running:
        assert ask(running, "register", "flows.py").returncode == 0
        launched = ask(running, "launch", "flow", "-i", f"folder={folder}", "--name", "broken", "--wait")
        assert launched.returncode == 1, launched.stderr
        yield running


def ask(service: Service, *words: object) -> Any:
    return command(service.folder, *words, "--endpoint", service.endpoint)


def answer(service: Service, *words: object) -> Any:
    done = ask(service, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_timeline_tells_what_happened_when(service: Service) -> None:
    moments = answer(service, "executions", "show", "broken", "--timeline")
    assert [each["at"] for each in moments] == sorted(each["at"] for each in moments)
    told = list(dict.fromkeys((each["node"], each["phase"], each["attempt"]) for each in moments))
    assert [each for each in told if each[0] != "n2"] == [
        (None, "RUNNING", 0),
        ("n0", "RUNNING", 0),
        ("n0", "SUCCEEDED", 0),
        ("n1", "RUNNING", 0),
        ("n1", "RETRYING", 1),
        ("n1", "RUNNING", 1),
        ("n1", "FAILED", 1),
        (None, "FAILED", 0),
    ]
    assert any("no luck" in each["message"] for each in moments if each["phase"] == "RETRYING")
    table = ask(service, "executions", "show", "broken", "--timeline").stdout
    assert table.startswith("broken  began ")
    assert "RETRYING" in table


def test_decks_and_what_was_taken_over_are_shown(service: Service) -> None:
    (first, *_) = answer(service, "executions", "show", "broken")["nodes"]
    assert "how it went" in Path(first["deck"]).read_text()
    (service.folder / "mended").touch()
    assert answer(service, "executions", "recover", "broken", "--name", "mended") == {"id": "mended"}
    assert ask(service, "executions", "abort", "mended").returncode in (0, 1)  # once it has ended, however it did
    nodes = answer(service, "executions", "show", "mended")["nodes"]
    taken = {node["name"]: (node["reused_from"], node["deck"]) for node in nodes}
    assert taken["shows"] == ("broken", None)


def test_where_a_result_of_the_cache_came_from_is_shown(service: Service) -> None:
    for name, source in (("worked", None), ("taken", "worked/n0/0")):
        done = ask(service, "launch", "cached", "-i", "x=5", "--name", name, "--wait")
        assert done.returncode == 0, done.stderr
        (node,) = answer(service, "executions", "show", name)["nodes"]
        assert node["cached_from"] == source


def test_showing_what_a_recovery_would_do_starts_nothing(service: Service) -> None:
    before = answer(service, "executions", "list")
    done = ask(service, "executions", "recover", "broken", "--dry-run")
    assert (done.returncode, "change" in done.stdout) == (0, True), done.stderr
    assert answer(service, "executions", "list") == before


def test_conditions_are_not_forgotten_where_nobody_reads_them(service: Service) -> None:
    done = command(service.folder, "executions", "list", "--filter", "eq(phase,FAILED)")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--filter is for executions of a runner that serves" in " ".join(done.stderr.split())
