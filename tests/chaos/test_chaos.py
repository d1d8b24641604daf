"""What happens to processes, the network and the clock changes neither the outputs nor the jobs outside."""

import time
from collections.abc import Callable

import pytest

from tests.chaos.monkey import killed_often
from tests.chaos.place import Place, place


def test_killed_at_random_moments() -> None:
    killed, outcome = killed_often(8, seed=20)
    print(killed)
    assert killed.total() == 8
    assert outcome.complaints() == []


def until(condition: Callable[[], object]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


@pytest.mark.parametrize("trouble", ["cut", "stall"])
def test_the_network_between_runner_and_server_fails_for_a_while(trouble: str) -> None:
    with place() as here:
        here.start("network")
        here.start("runner")
        here.answer_gate()
        for jobs in (1, 3):
            until(lambda jobs=jobs: len(here.running()) >= jobs)  # type: ignore[misc]
            here.tell_network(trouble)
            until(lambda: not here.running())
            here.tell_network("heal")
        assert here.outcome().complaints() == []


def test_the_server_is_replaced_by_one_with_newer_handles() -> None:
    with place() as here:
        here.start("runner")
        here.answer_gate()
        until(lambda: len(here.running()) >= 3)
        here.kill("server")
        here.environment["CONNECTORY_MODULES"] = "tests.chaos.newer_connector"
        here.start("server")
        assert here.outcome().complaints() == []


def test_the_clock_jumps() -> None:
    with place() as here:
        here.environment["CHAOS_CLOCK"] = "jumps"
        here.start("runner")
        here.answer_gate()
        until(lambda: len(here.running()) >= 3)
        restart(here)
        assert here.outcome().complaints() == []


def restart(here: Place) -> None:
    here.kill("runner")
    here.start("runner")
