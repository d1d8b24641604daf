"""A sleep job takes its time, fails where it is told to, logs, and can be ended early."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sleep import SleepConnector
from connectory.errors import (
    ConnectorError,
    InvalidTaskError,
    RateLimitedError,
    UnavailableError,
    UserError,
)
from tests.connectors.calling import Caller, Phase


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connector(clock: FakeClock, tmp_path: Path) -> SleepConnector:
    return SleepConnector(clock=clock, folder=tmp_path / "aborted")


async def test_a_job_runs_for_its_duration_and_then_succeeds(connector: SleepConnector, clock: FakeClock) -> None:
    task = Caller(connector, {"duration": 5.0, "outputs": {"rows": 42.0}}, outputs={"rows": int})
    job = await task.create()

    clock.now += 3
    running = await task.get(job)
    clock.now += 2
    done = await task.get(job)

    assert (running.phase, running.message, running.poll_after) == (Phase.RUNNING, "3.0 of 5.0 s", timedelta(seconds=2))
    assert done.phase == Phase.SUCCEEDED
    assert task.native(done) == {"rows": 42}


async def test_another_server_process_knows_the_job_by_its_handle(clock: FakeClock, tmp_path: Path) -> None:
    job = await Caller(SleepConnector(clock=clock, folder=tmp_path), {"duration": 5}).create()
    clock.now += 5

    other = Caller(SleepConnector(clock=clock, folder=tmp_path))

    assert (await other.get(job)).phase == Phase.SUCCEEDED


async def test_a_clock_that_jumps_back_does_not_make_the_time_negative(
    connector: SleepConnector, clock: FakeClock
) -> None:
    task = Caller(connector, {"duration": 5})
    job = await task.create()

    clock.now -= 3600

    assert (await task.get(job)).message == "0.0 of 5.0 s"


async def test_callers_are_asked_to_look_now_and_then_at_a_long_job(connector: SleepConnector) -> None:
    task = Caller(connector, {"duration": 1e6})

    resource = await task.get(await task.create())

    assert resource.poll_after is not None
    assert resource.poll_after <= timedelta(seconds=10)


@pytest.mark.parametrize(("annotation", "value"), [(int, 3), (float, 3.0), (timedelta, timedelta(seconds=3))])
async def test_an_input_says_the_duration(
    annotation: Any, value: Any, connector: SleepConnector, clock: FakeClock
) -> None:
    task = Caller(
        connector, {"duration": 100}, inputs={"duration": (annotation, value)}, outputs={"duration": annotation}
    )
    job = await task.create()

    clock.now += 3

    assert task.native(await task.get(job)) == {"duration": value}


@pytest.mark.parametrize(("annotation", "value"), [(str, "3"), (bool, True), (float, -1.0), (float, float("nan"))])
async def test_an_input_that_is_no_duration_is_refused(annotation: Any, value: Any, connector: SleepConnector) -> None:
    task = Caller(connector, inputs={"duration": (annotation, value)})

    with pytest.raises(InvalidTaskError, match="input 'duration'"):
        await task.create()


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"duration": -1}, "custom.duration"),
        ({"failures": [{"at": "get", "calls": -1}]}, r"custom.failures\[0\].calls"),
        ({"failures": [{"at": "get", "retry_after": -0.5}]}, r"custom.failures\[0\].retry_after"),
        ({"outputs": {"x": 1}}, "output 'x' is not a declared output"),
    ],
)
async def test_a_config_that_can_not_be_is_refused_by_field(
    config: dict[str, Any], field: str, connector: SleepConnector
) -> None:
    with pytest.raises(InvalidTaskError, match=field):
        await Caller(connector, config).create()


async def test_outputs_must_come_from_somewhere_and_fit(connector: SleepConnector) -> None:
    with pytest.raises(InvalidTaskError, match=r"'x' has no value in .*, and no input has its name"):
        await Caller(connector, outputs={"x": int}).create()
    with pytest.raises(InvalidTaskError, match="'x' does not fit its declared type"):
        await Caller(connector, {"outputs": {"x": "many"}}, outputs={"x": int}).create()


async def test_delete_ends_a_job_in_every_server_process_and_again_is_no_error(
    connector: SleepConnector, clock: FakeClock, tmp_path: Path
) -> None:
    task = Caller(connector, {"duration": 5})
    job = await task.create()

    await task.delete(job)
    await task.delete(job)
    clock.now += 10

    assert (await task.get(job)).phase == Phase.ABORTED
    restarted = Caller(SleepConnector(clock=clock, folder=tmp_path / "aborted"))
    assert (await restarted.get(job)).phase == Phase.ABORTED


async def test_deleting_a_job_that_ended_changes_nothing(connector: SleepConnector, clock: FakeClock) -> None:
    task = Caller(connector, {"duration": 5})
    job = await task.create()
    clock.now += 5

    await task.delete(job)

    assert (await task.get(job)).phase == Phase.SUCCEEDED


async def test_the_same_key_makes_jobs_that_end_apart(connector: SleepConnector) -> None:
    task = Caller(connector, {"duration": 5})
    first, second = await task.create(), await task.create()

    await task.delete(first)

    assert (await task.get(second)).phase == Phase.RUNNING


@pytest.mark.parametrize("at", ["create", "get", "delete"])
async def test_a_call_fails_as_often_as_it_is_told(at: str, connector: SleepConnector) -> None:
    failure = {"at": at, "error": "rate_limited", "calls": 2, "message": "not so fast", "retry_after": 1.5}
    task = Caller(connector, {"failures": [failure]})
    job = None

    async def call() -> None:
        nonlocal job
        if at == "create" or job is None:
            job = await task.create()
        if at != "create":
            await (task.get(job) if at == "get" else task.delete(job))

    for _ in range(2):
        with pytest.raises(RateLimitedError, match="not so fast") as caught:
            await call()
        assert caught.value.retry_after == timedelta(seconds=1.5)
    await call()


@pytest.mark.parametrize(
    ("error", "kind"), [("user", UserError), ("unavailable", UnavailableError), ("defect", RuntimeError)]
)
async def test_every_error_can_be_asked_for(error: str, kind: type[Exception], connector: SleepConnector) -> None:
    task = Caller(connector, {"failures": [{"at": "get", "error": error}]})
    job = await task.create()

    for _ in range(3):
        with pytest.raises(kind) as caught:
            await task.get(job)
    assert isinstance(caught.value, ConnectorError) == (error != "defect")


@pytest.mark.parametrize(
    ("error", "phase", "kind"),
    [
        ("user", Phase.FAILED, "user"),
        ("unavailable", Phase.RETRYABLE_FAILED, "system"),
        ("defect", Phase.FAILED, "system"),
    ],
)
async def test_the_job_itself_ends_without_success(
    error: str, phase: Phase, kind: str, connector: SleepConnector, clock: FakeClock
) -> None:
    task = Caller(connector, {"failures": [{"at": "end", "error": error, "message": "no luck"}]})
    job = await task.create()
    clock.now += 1

    resource = await task.get(job)

    assert (resource.phase, resource.message) == (phase, "no luck")
    assert resource.error is not None
    assert (resource.error.kind, resource.error.recoverable) == (kind, phase is Phase.RETRYABLE_FAILED)


async def test_a_failure_happens_only_in_the_first_attempts(connector: SleepConnector, clock: FakeClock) -> None:
    config = {"duration": 0, "failures": [{"at": "end", "attempts": 1}]}
    phases = []
    for attempt in range(2):
        task = Caller(connector, config, attempt=attempt, key=f"key-{attempt}")
        phases.append((await task.get(await task.create())).phase)

    assert phases == [Phase.RETRYABLE_FAILED, Phase.SUCCEEDED]


async def test_the_log_grows_with_time_and_goes_on_where_it_was_left(
    connector: SleepConnector, clock: FakeClock
) -> None:
    task = Caller(connector, {"duration": 4, "log": ["a", "b", "c", "d"]})
    job = await task.create()
    read: list[str] = []
    token = ""

    for step in (1, 0, 1, 2, 10):
        clock.now += step
        for page in await task.logs(job, token=token, lines=2):
            read += [line.message for line in page.lines]
            token = page.token

    assert read == ["a", "b", "c", "d"]
    assert token == "4"


async def test_a_token_of_another_log_is_refused(connector: SleepConnector) -> None:
    task = Caller(connector)

    with pytest.raises(InvalidTaskError, match="'x9' is not a token"):
        await task.logs(await task.create(), token="x9")
