"""Two runner processes share a store; one of them is killed or hangs, and the other one finishes its executions."""

import signal
import tempfile
from collections.abc import Iterator

import pytest

from tests.workflow_runner.site import Site, all_succeeded, every_job_once

ELSEWHERE = "another-machine/1/1/unknown/{}"
"""The name of a runner of which nothing is known but its lease."""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "postgres":
        yield request.getfixturevalue("postgres_url")
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/runs.db"


@pytest.mark.parametrize("owner", ["", ELSEWHERE.format(1)], ids=["on-this-machine", "elsewhere"])
def test_what_a_killed_runner_left_is_finished_by_the_other_one(site: Site, owner: str) -> None:
    killed = site.runner("012", "012", owner=owner)
    other = site.runner("34", "01234")
    site.until_created(4, "1")
    killed.kill()
    said, _ = other.communicate(timeout=60)
    assert set(said.splitlines()) == all_succeeded("01234")
    assert site.created() == every_job_once("01234")


@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_runner_that_hung_lets_go_of_what_was_taken_from_it(site: Site) -> None:
    hung = site.runner("012", "012", owner=ELSEWHERE.format(1))
    site.until_created(4, "1")
    hung.send_signal(signal.SIGSTOP)
    other = site.runner("", "012")
    said, _ = other.communicate(timeout=60)
    assert set(said.splitlines()) == all_succeeded("012")
    hung.send_signal(signal.SIGCONT)
    said, _ = hung.communicate(timeout=60)
    assert all("LogConflictError" in line or line in all_succeeded("012") for line in said.splitlines()), said
    assert "another runner has taken the execution over" in said
    assert site.created() == every_job_once("012")


def test_two_runners_that_are_killed_in_turn_finish_everything_once(site: Site) -> None:
    every = "0123456789"
    runners = [site.runner("012345", every), site.runner("6789", every)]
    jobs = len(every_job_once(every))
    for kill, created in enumerate(range(10, jobs, 20)):
        site.until_created(created)
        runners[kill % 2].kill()
        runners[kill % 2] = site.runner("", every)
    for runner in runners:
        said, _ = runner.communicate(timeout=60)
        assert set(said.splitlines()) == all_succeeded(every)
    assert site.created() == every_job_once(every)
