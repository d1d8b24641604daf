"""Two runner processes share a store; one of them is killed or hangs, and the other one finishes its executions."""

import asyncio
import signal
import tempfile
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from tests.workflow_runner.site import Site, all_succeeded, every_job_once
from workflow_runner.leases import Leases
from workflow_runner.store.leases import LeaseBook
from workflow_runner.store.opening import open_store

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


class _Silent:
    """The lease book of a database that took the connection and does not answer any more."""

    def __init__(self, book: LeaseBook) -> None:
        self._book = book
        self.is_silent = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._book, name)

    async def renew(self, seconds: float) -> Collection[str]:
        if self.is_silent:
            await asyncio.Event().wait()
        return await self._book.renew(seconds)


async def test_what_is_driven_counts_as_lost_when_the_store_does_not_answer_for_as_long_as_the_lease() -> None:
    lost: asyncio.Queue[str] = asyncio.Queue()
    async with open_store("memory://") as store:
        book = _Silent(store.leases)
        store.leases = book  # type: ignore[misc, assignment]
        leases = Leases(store, 0.3, lost=lambda execution, _error: lost.put_nowait(execution))
        await leases.begin()
        leases.hold("driven")
        book.is_silent = True
        async with asyncio.timeout(20):
            assert await lost.get() == "driven"
        book.is_silent = False
        await leases.close()
        assert lost.empty()
