"""Progress that nobody has seen is told only when it has something to show."""

from workflow_runner.engine.events import AttemptProgressed, AttemptSucceeded, LogLink
from workflow_runner.overtaken import without_overtaken

DONE = AttemptSucceeded(at=2.0, node="n", attempt=1, outputs=b"")


def progressed(node: str = "n", attempt: int = 1, message: str = "", *links: LogLink) -> AttemptProgressed:
    return AttemptProgressed(at=1.0, node=node, attempt=attempt, phase=3, message=message, log_links=links)


def test_a_bare_phase_of_an_attempt_that_has_ended_is_left_out() -> None:
    assert without_overtaken([progressed(), DONE]) == [DONE]


def test_words_and_links_stay() -> None:
    for event in (progressed(message="almost"), progressed("n", 1, "", LogLink(uri="http://logs"))):
        assert without_overtaken([event, DONE]) == [event, DONE]


def test_other_attempts_stay() -> None:
    others = [progressed("m"), progressed(attempt=2)]
    assert without_overtaken([*others, DONE]) == [*others, DONE]
    assert without_overtaken([progressed()]) == [progressed()]
