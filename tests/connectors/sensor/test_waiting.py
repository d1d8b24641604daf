"""The life of a sensor job, whatever it waits for: looks, the deadline, the end that never changes."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sensor import SensorConnector
from connectory.errors import InvalidTaskError, StorageError, UnavailableError
from tests.connectors.calling import Caller, Phase
from tests.connectors.sensor.conftest import FakeClock

PATH = "memory://sensor/data.csv"


def file_task(sensor: SensorConnector, path: str, **config: Any) -> Caller:
    task = Caller(sensor, config, inputs={"path": (str, path)}, outputs={"path": str})
    task.storage.delete(path)
    return task


async def test_a_job_waits_until_the_file_is_there_and_gives_its_path(sensor: SensorConnector) -> None:
    task = file_task(sensor, PATH, poll_interval=3)
    job = await task.create()

    before = await task.get(job)
    task.storage.write(PATH, b"a,b\n")
    after = await task.get(job)

    assert (before.phase, before.poll_after) == (Phase.RUNNING, timedelta(seconds=3))
    assert before.message == f"{PATH} is not there yet"
    assert (after.phase, task.native(after)) == (Phase.SUCCEEDED, {"path": PATH})


async def test_a_job_that_succeeded_stays_so_when_the_file_is_gone(sensor: SensorConnector, clock: FakeClock) -> None:
    task = file_task(sensor, PATH, deadline=60)
    job = await task.create()
    task.storage.write(PATH, b"")
    await task.get(job)

    task.storage.delete(PATH)
    clock.now += 100
    await task.delete(job)

    again = await task.get(job)
    assert (again.phase, task.native(again)) == (Phase.SUCCEEDED, {"path": PATH})


async def test_the_deadline_fails_the_job_for_good(sensor: SensorConnector, clock: FakeClock) -> None:
    task = file_task(sensor, PATH, deadline=60, poll_interval=50)
    job = await task.create()
    clock.now += 40
    assert (await task.get(job)).poll_after == timedelta(seconds=20)

    clock.now += 20
    failed = await task.get(job)
    task.storage.write(PATH, b"")
    again = await task.get(job)

    for resource in (failed, again):
        assert (resource.phase, resource.message) == (Phase.FAILED, f"not within 60 s: {PATH} is not there yet")
        assert resource.error is not None
        assert (resource.error.code, resource.error.kind) == ("SENSOR_DEADLINE", "user")


async def test_what_is_there_at_a_late_look_still_counts(sensor: SensorConnector, clock: FakeClock) -> None:
    task = file_task(sensor, PATH, deadline=60)
    job = await task.create()
    task.storage.write(PATH, b"")

    clock.now += 3600

    assert (await task.get(job)).phase == Phase.SUCCEEDED


@pytest.mark.parametrize("prefix", ["", "memory://sensor/outputs"])
async def test_delete_ends_the_wait_in_every_server_process_and_again_is_no_error(
    prefix: str, sensor: SensorConnector, clock: FakeClock
) -> None:
    task = Caller(sensor, {"time": {"after": 60}}, prefix=prefix)
    job = await task.create()

    await task.delete(job)
    await task.delete(job)
    clock.now += 100

    other = Caller(SensorConnector(clock=clock), prefix=prefix)
    assert (await task.get(job)).phase == Phase.ABORTED
    assert (await other.get(job)).phase == Phase.ABORTED


async def test_a_look_that_fails_for_now_leaves_the_job_waiting(
    sensor: SensorConnector, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = file_task(sensor, PATH, deadline=60)
    job = await task.create()

    def unreachable(url: str) -> None:
        raise StorageError(f"{url} cannot be reached")

    with monkeypatch.context() as patched:
        patched.setattr(task.storage, "head", unreachable)
        waiting = await task.get(job)
        clock.now += 60
        failed = await task.get(job)

    assert waiting.phase == Phase.WAITING_FOR_RESOURCES
    assert waiting.message == f"cannot look now: {PATH} cannot be reached"
    assert failed.phase == Phase.FAILED
    assert failed.message.startswith("not within 60 s: cannot look now")


async def test_an_end_that_cannot_be_written_down_is_asked_for_again(
    sensor: SensorConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = file_task(sensor, PATH)
    job = await task.create()
    task.storage.write(PATH, b"")

    def full(url: str, data: bytes, *, if_absent: bool = False) -> None:
        raise StorageError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(task.storage, "write", full)
        with pytest.raises(UnavailableError, match="no space left"):
            await task.get(job)

    assert (await task.get(job)).phase == Phase.SUCCEEDED


async def test_a_secret_that_is_missing_ends_the_wait(sensor: SensorConnector) -> None:
    task = Caller(sensor, {"file": {"url": "s3://{{ .secrets.BUCKET }}/x"}})

    resource = await task.get(await task.create())

    assert resource.phase == Phase.FAILED
    assert "BUCKET" in resource.message
    assert resource.error is not None
    assert resource.error.kind == "system"


async def test_the_handle_and_the_messages_hold_no_secret(sensor: SensorConnector, tmp_path: Path) -> None:
    config = {"file": {"url": f"{tmp_path}/{{{{ .secrets.NAME }}}}"}}
    task = Caller(sensor, config, outputs={"path": str, "size": int}, secrets={"NAME": "hidden.csv"})
    task.storage.write(f"{tmp_path}/hidden.csv", b"123")
    job = await task.create()

    resource = await task.get(job)

    assert task.native(resource) == {"path": f"{tmp_path}/***", "size": 3}
    assert "hidden" not in f"{job} {resource}"


async def test_a_secret_reference_in_an_input_stays_text(sensor: SensorConnector) -> None:
    task = Caller(sensor, inputs={"path": (str, "memory://x/{{ .secrets.KEY }}")}, secrets={"KEY": "k3y"})

    resource = await task.get(await task.create())

    assert resource.message == "memory://x/{{ .secrets.KEY }} is not there yet"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, r"inputs\.path"),
        ({"file": {"url": "x"}, "time": {"after": 1}}, r"custom\.time: a sensor waits for one thing"),
        ({"file": {"url": "{{ .inputs.nothing }}"}}, r"inputs\.nothing"),
        ({"file": {"url": "https://example.com/x"}}, r"custom\.file\.url names a web server, which custom\.http asks"),
        ({"file": {"url": "ftp://example.com/x"}}, r"custom\.file\.url has a scheme that no object store has"),
        ({"http": {"url": "http://x/", "method": "POST"}}, r"custom\.http\.method"),
        ({"http": {"url": "http://x/", "timeout": 0}}, r"custom\.http\.timeout"),
        ({"http": {"url": "http://x/", "expect": ["ok"]}}, r"custom\.http\.expect\[0\]"),
        ({"http": {"url": "http://x/", "fail": [0]}}, r"custom\.http\.fail\[0\]"),
        ({"time": {}}, r"custom\.time: exactly one of at and after"),
        ({"time": {"after": float("nan")}}, r"custom\.time\.after: nan is not"),
        ({"time": {"after": float("inf")}}, r"custom\.time\.after: inf is not"),
        ({"time": {"after": 1e300}}, r"custom\.time\.after: 1e\+300 is not"),
        ({"time": {"at": "9999-12-31T23:59:59-12:00"}}, r"custom\.time\.at: .* in no year"),
        ({"time": {"after": 1}, "poll_interval": 1e300}, r"custom\.poll_interval: 1e\+300 is not"),
        ({"time": {"at": "noon"}}, r"custom\.time\.at: 'noon' is not a moment"),
        ({"time": {"at": "2030-01-01T00:00:00"}}, "does not say its offset"),
        ({"time": {"after": 1}, "poll_interval": 0}, r"custom\.poll_interval"),
        ({"time": {"after": 1}, "deadline": -1}, r"custom\.deadline"),
        ({"sql": {"uri": "mysql://x/y", "query": "select 1"}}, r"custom\.sql\.uri is not of a database"),
        ({"sql": {"uri": "postgresql://u:pw@x/y", "query": "select 1"}}, "holds a password as plain text"),
        ({"sql": {"uri": "sqlite:////x", "query": "select {{ .inputs.nothing }}"}}, r"inputs\.nothing"),
    ],
)
async def test_a_task_that_can_not_end_well_is_refused_at_once(
    config: dict[str, Any], message: str, sensor: SensorConnector
) -> None:
    with pytest.raises(InvalidTaskError, match=message):
        await Caller(sensor, config).create()


async def test_outputs_that_nothing_fills_are_refused_by_name(sensor: SensorConnector) -> None:
    task = Caller(sensor, {"time": {"after": 1}}, inputs={"x": (int, 1)}, outputs={"path": str, "x": int})

    with pytest.raises(InvalidTaskError, match="output path: unknown; this sensor gives x"):
        await task.create()


async def test_inputs_must_fit_into_a_handle(sensor: SensorConnector) -> None:
    with pytest.raises(InvalidTaskError, match=r"the inputs have \d+ bytes"):
        await Caller(sensor, {"time": {"after": 1}}, inputs={"x": (str, "x" * 70_000)}).create()


@pytest.mark.parametrize("job_id", ["../../x", "", "A" * 32])
async def test_a_made_up_handle_writes_no_other_file(job_id: str, sensor: SensorConnector) -> None:
    task = Caller(sensor, {"time": {"after": 1}})
    job = dataclasses.replace(await task.create(), id=job_id)

    with pytest.raises(InvalidTaskError, match="not of a sensor job"):
        await task.delete(job)
    with pytest.raises(InvalidTaskError, match="not of a sensor job"):
        await task.get(job)


async def test_creating_again_is_always_safe(sensor: SensorConnector) -> None:
    task = Caller(sensor, {"time": {"after": 1}})

    assert await sensor.find("key", task.create_context()) is None
