"""What a lane decides, at times that the test gives."""

from typing import Any

from connectory.connector.limits.buckets import TokenBucket
from connectory.connector.limits.lanes import Lane, Pause, Ticket
from connectory.connector.limits.slots import Slots


def lane(*, rate: float | None = None, jobs: int | None = None, **options: Any) -> Lane:
    settings: dict[str, Any] = {"pause": Pause(), "wait": 10.0, "queue": 100, **options}
    bucket = None if rate is None else TokenBucket(rate, 1)
    return Lane(
        bucket=bucket, slots=settings.pop("slots", None if jobs is None else Slots(jobs, 600.0, repr)), **settings
    )


def joined(one: Lane, project: str = "p", now: float = 0.0) -> Ticket:
    ticket = one.ticket(project, now)
    assert one.join(ticket, now) is None
    return ticket


def test_without_limits_everybody_goes() -> None:
    free = lane()
    assert all(free.go(0.0) for _ in range(1000))
    assert free.is_idle(0.0)


def test_those_beyond_the_rate_wait_and_go_one_by_one() -> None:
    one = lane(rate=2.0)
    assert one.go(0.0)
    assert not one.go(0.0)
    first, second = joined(one), joined(one)
    assert one.decide(0.0).again_in == 0.5
    assert not one.go(0.5), "nobody goes past those who wait"
    assert one.decide(0.5).go == [first]
    last = one.decide(1.0)
    assert (last.go, last.again_in, one.waiting) == ([second], None, 0)


def test_whoever_would_wait_too_long_is_turned_away_at_once_and_told_when_to_come() -> None:
    one = lane(rate=0.1)
    assert one.go(0.0)
    joined(one)
    late = one.ticket("p", 0.0)
    assert one.join(late, 0.0) is late
    assert late.retry_after == 20.0
    assert one.waiting == 1


def test_nobody_waits_where_waiting_is_not_allowed() -> None:
    for one in (lane(jobs=1, queue=0), lane(rate=1.0, wait=0.0)):
        assert one.go(0.0)
        ticket = one.ticket("p", 0.0)
        assert one.join(ticket, 0.0) is ticket
        assert ticket.retry_after > 0


def test_jobs_go_when_others_have_ended() -> None:
    slots = Slots(2, 600.0, repr)
    one = lane(slots=slots)
    assert [one.go(0.0) for _ in range(3)] == [True, True, False]
    waiting = joined(one)
    slots.opened(b"1", 0.0)
    assert one.decide(1.0).go == []
    slots.ended(b"1")
    assert one.decide(1.0).go == [waiting]
    assert slots.taken == 2


def test_a_create_that_made_no_job_gives_its_place_back() -> None:
    one = lane(jobs=1)
    assert one.go(0.0)
    one.give_back()
    assert one.go(0.0)


def test_whoever_waited_as_long_as_allowed_is_turned_away() -> None:
    one = lane(jobs=1)
    assert one.go(0.0)
    ticket = joined(one)
    assert one.decide(0.0).again_in == 10.0
    decision = one.decide(10.0)
    assert (decision.go, decision.turned_away, decision.again_in) == ([], [ticket], None)
    assert ticket.retry_after == 10.0


def test_a_full_queue_turns_away_the_newest_of_the_project_that_has_most() -> None:
    one = lane(jobs=1, queue=3)
    assert one.go(0.0)
    joined(one, "a")
    joined(one, "b")
    newest = joined(one, "a")
    another = one.ticket("a", 0.0)
    assert one.join(another, 0.0) is another
    assert one.join(one.ticket("c", 0.0), 0.0) is newest
    fourth = one.ticket("b", 0.0)
    assert one.join(fourth, 0.0) is fourth, "everybody has one place by now"
    assert one.waiting == 3


def test_a_project_that_asks_for_much_does_not_keep_another_waiting() -> None:
    one = lane(rate=1.0)
    assert one.go(0.0)
    for _ in range(9):
        joined(one, "greedy")
    other = joined(one, "modest")
    assert one.decide(1.0).go != [other]
    assert one.decide(2.0).go == [other]


def test_a_pause_holds_everybody_up_and_is_told() -> None:
    pause = Pause()
    one, two = lane(pause=pause), lane(pause=pause)
    pause.until = 3.0
    assert not one.go(0.0)
    assert not two.go(0.0)
    ticket = joined(one)
    assert one.decide(0.0).again_in == 3.0
    assert "asked to be left alone" in one.why(0.0)
    assert one.decide(3.0).go == [ticket]


def test_a_pause_beyond_what_may_be_waited_turns_away_those_who_wait_already() -> None:
    pause = Pause()
    one = lane(rate=1.0, pause=pause)
    assert one.go(0.0)
    ticket = joined(one)
    pause.until = 60.0
    assert one.decide(0.5).turned_away == [ticket]
    assert ticket.retry_after == 59.5


def test_whoever_left_has_no_turn() -> None:
    one = lane(jobs=1)
    assert one.go(0.0)
    ticket, other = joined(one), joined(one)
    one.leave(ticket)
    one.give_back()
    assert one.decide(1.0).go == [other]


def test_a_job_that_nobody_asks_about_counts_no_more() -> None:
    lapsed: list[bytes] = []
    slots = Slots(2, 5.0, lapsed.append)
    one = lane(slots=slots)
    for handle in (b"forgotten", b"polled"):
        assert one.go(0.0)
        slots.opened(handle, 0.0)
    slots.seen(b"polled", 4.0)
    assert [one.go(now) for now in (5.0, 6.0, 7.0)] == [False, True, False]
    assert lapsed == [b"forgotten"]
