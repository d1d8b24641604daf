"""The queue in which projects take turns."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from connectory.connector.limits.fairness import FairQueue


def queue_of(*items: str) -> FairQueue[str]:
    """Items are written with their project as first letter."""
    queue: FairQueue[str] = FairQueue()
    for item in items:
        queue.add(item[0], item)
    return queue


def drained(queue: FairQueue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


def test_projects_take_turns_and_keep_their_own_order() -> None:
    assert drained(queue_of("a1", "a2", "a3", "b1", "c1", "b2")) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_whoever_leaves_is_not_served() -> None:
    queue = queue_of("a1", "a2", "b1")
    queue.discard("a", "a1")
    queue.discard("b", "b1")
    queue.discard("b", "b1")
    assert len(queue) == 1
    assert drained(queue) == ["a2"]


def test_the_project_with_most_yields_its_newest_to_one_with_less() -> None:
    queue = queue_of("a1", "a2", "a3", "b1")
    assert queue.to_yield("c") == "a3"
    assert queue.to_yield("b") == "a3"
    assert queue.to_yield("a") is None
    assert queue_of("a1", "b1").to_yield("c") is None
    assert queue_of().to_yield("c") is None


def test_how_many_come_before_one_more() -> None:
    queue = queue_of("a1", "a2", "a3", "b1")
    assert [queue.ahead_of(project) for project in "abc"] == [4, 3, 2]


def test_the_longest_waiting_are_dropped_up_to_the_first_that_is_wanted() -> None:
    queue = queue_of("a1", "a2", "a3", "b1")
    assert queue.drop(lambda item: item in ("a1", "a3", "b1")) == ["a1", "b1"]
    assert queue.first() == ["a2"]
    assert drained(queue) == ["a2", "a3"]


@given(st.lists(st.sampled_from("abcd"), max_size=40))
def test_after_any_number_of_turns_no_waiting_project_is_two_behind(projects: list[str]) -> None:
    queue = queue_of(*(f"{project}{number}" for number, project in enumerate(projects)))
    wanted, served = Counter(projects), Counter[str]()
    for item in drained(queue):
        served[item[0]] += 1
        waiting = [project for project in wanted if served[project] < wanted[project]]
        assert all(served[item[0]] - served[project] <= 1 for project in waiting)
    assert served == wanted
