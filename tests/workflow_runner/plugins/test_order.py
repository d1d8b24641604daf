"""Which phases may follow each other."""

import pytest

from connectory.connector.contract import Phase
from workflow_runner.plugins.order import IllegalTransitionError, PhaseOrder
from workflow_runner.plugins.phases import DEFAULT_PHASE_VERSION, PhaseInfo

FAILED = PhaseInfo.permanent_failure("CODE", "why")


def report(*infos: PhaseInfo) -> None:
    order = PhaseOrder()
    for info in infos:
        order.check(info)


@pytest.mark.parametrize(
    "infos",
    [
        [PhaseInfo.success()],
        [PhaseInfo.waiting_for_resources(), PhaseInfo.queued(), PhaseInfo.initializing(), PhaseInfo.running()],
        [PhaseInfo.initializing(), PhaseInfo.queued(), PhaseInfo.retryable_failure("C", "m")],
        [PhaseInfo.running(version=1), PhaseInfo.running(version=1), PhaseInfo.running(version=2), FAILED],
        [PhaseInfo.running(), PhaseInfo.queued(version=1), PhaseInfo.running(), PhaseInfo.running()],
        [PhaseInfo.running(), PhaseInfo.aborted("by its owner"), PhaseInfo.aborted("by its owner")],
        [PhaseInfo.success(), PhaseInfo.success()],
    ],
)
def test_orders_that_mean_something(infos: list[PhaseInfo]) -> None:
    report(*infos)


@pytest.mark.parametrize(
    ("infos", "reason"),
    [
        ([PhaseInfo(phase=Phase.UNDEFINED)], "UNDEFINED, which says nothing"),
        ([PhaseInfo.running(), PhaseInfo.queued()], "went back from RUNNING to QUEUED"),
        ([PhaseInfo.running(version=3), PhaseInfo.initializing(version=3)], "a greater version than 3"),
        ([PhaseInfo.running(version=2), PhaseInfo.running(version=1)], "version 1 of RUNNING after version 2"),
        ([PhaseInfo.success(), PhaseInfo.running()], "RUNNING after SUCCEEDED, which was the end"),
        ([FAILED, PhaseInfo.success()], "SUCCEEDED after FAILED"),
        ([PhaseInfo(phase=Phase.FAILED)], "FAILED without a failure"),
        ([PhaseInfo(phase=Phase.RUNNING, failure=FAILED.failure)], "RUNNING with a failure"),
        ([PhaseInfo.running(version=-1)], "the least is 0"),
    ],
)
def test_orders_that_are_refused(infos: list[PhaseInfo], reason: str) -> None:
    with pytest.raises(IllegalTransitionError, match=reason):
        report(*infos)


@pytest.mark.parametrize("make", [PhaseInfo.permanent_failure, PhaseInfo.retryable_failure])
def test_a_failure_needs_a_code_and_a_message(make: object) -> None:
    assert callable(make)
    for code, message in (("", "why"), ("CODE", "")):
        with pytest.raises(ValueError, match="needs a code and a message"):
            make(code, message)
    with pytest.raises(ValueError, match="needs a code and a message"):
        PhaseInfo.aborted("")


def test_every_phase_can_be_said() -> None:
    made = [
        PhaseInfo.queued(),
        PhaseInfo.initializing(),
        PhaseInfo.waiting_for_resources(),
        PhaseInfo.running(),
        PhaseInfo.success(),
        PhaseInfo.retryable_failure("C", "m"),
        PhaseInfo.permanent_failure("C", "m"),
        PhaseInfo.aborted("m"),
    ]
    assert {info.phase for info in made} == set(Phase) - {Phase.UNDEFINED}
    assert {info.version for info in made} == {DEFAULT_PHASE_VERSION}
    assert [info.failure.recoverable for info in made if info.failure] == [True, False, False]
