"""The kit for servers finds what is wrong with one, and finds nothing wrong with one that keeps the contract."""

import pytest

from connectory.errors import NotFoundError, UnavailableError
from connectory.testing import task_call
from connectory.testing.wire import Outcome, Subject, run_checks
from tests.connectory.testing.servers import serving_with

SUBJECT = Subject(task=task_call("by_hand"), call_limit=5.0, time_limit=5.0, unknown_handle=b'{"v":1,"key":"never"}')
DEFECTS = {
    "hides": "listed",
    "sick": "health",
    "invents phases": "good-task",
    "doubles": "create-twice",
    "forgets content": "create-other-content",
    "deletes once": "delete-twice",
    "crashes": "garbage-handle",
    "reads anything": "newer-handle",
    "ignores old clients": "old-client",
    "ignores versions": "unknown-category",
    "dies of size": "huge-inputs",
    "shouts": "huge-errors",
    "repeats lines": "logs-resume",
    "goes on telling": "watch",
    "stumbles over garbage": "watch-garbage",
    "leaks": "secret-of-the-request",
}


async def outcomes(subject: Subject, *defects: str, only: tuple[str, ...] = ()) -> dict[str, Outcome]:
    async with serving_with(*defects) as address:
        return {result.name: result.outcome async for result in run_checks(address, subject, only=only)}


async def test_a_server_that_keeps_the_contract_passes() -> None:
    found = await outcomes(SUBJECT)
    assert not [name for name, outcome in found.items() if outcome is Outcome.FAILED]
    skipped = {name for name, outcome in found.items() if outcome is Outcome.SKIPPED}
    assert skipped == {
        "create-without-key",
        "older-handle",
        "metrics",
        "watch",
        "watch-garbage",
        "restart-between-create-and-get",
        "outage-while-polling",
        "unknown-state",
        "secret-anywhere",
    }


@pytest.mark.parametrize(("defect", "check"), DEFECTS.items(), ids=lambda text: text)
async def test_a_defect_is_found(defect: str, check: str) -> None:
    assert (await outcomes(SUBJECT, defect, only=(check,)))[check] is Outcome.FAILED


async def test_a_server_whose_jobs_can_be_watched_passes() -> None:
    found = await outcomes(SUBJECT, "watches", only=("watch", "watch-garbage"))
    assert set(found.values()) == {Outcome.PASSED}


async def test_a_job_that_outlives_its_deletion_is_found() -> None:
    impatient = Subject(task=SUBJECT.task, call_limit=0.5, time_limit=0.5)
    found = await outcomes(impatient, "undying", only=("get-deleted",))
    assert found["get-deleted"] is Outcome.FAILED


async def test_a_loop_that_is_blocked_is_found() -> None:
    impatient = Subject(task=SUBJECT.task, meanwhile_limit=0.2)
    found = await outcomes(impatient, "blocks", only=("others-answer-meanwhile",))
    assert found["others-answer-meanwhile"] is Outcome.FAILED


async def test_a_failure_names_the_broken_sentence_and_what_was_seen() -> None:
    async with serving_with("deletes once") as address:
        [result] = [result async for result in run_checks(address, SUBJECT, only=["delete-twice"])]
    assert result.promise == "Deleting a job again is no error."
    assert result.detail == "the second DeleteTask answered NOT_FOUND (there is no such job)"


async def test_nobody_at_the_address() -> None:
    subject = Subject(task=SUBJECT.task, call_limit=1.0)
    with pytest.raises(UnavailableError, match="nobody answers at unix:/no/such/socket"):
        _ = [result async for result in run_checks("unix:/no/such/socket", subject)]


async def test_a_task_type_that_the_server_does_not_know() -> None:
    async with serving_with() as address:
        subject = Subject(task=task_call("jbos"))
        with pytest.raises(NotFoundError, match="has no connector for jbos@0; it lists: by_hand@0"):
            _ = [result async for result in run_checks(address, subject)]


async def test_a_check_that_does_not_exist() -> None:
    async with serving_with() as address:
        with pytest.raises(NotFoundError, match="there is no check mistake for this connector; there are: listed"):
            _ = [result async for result in run_checks(address, SUBJECT, only=["mistake"])]
