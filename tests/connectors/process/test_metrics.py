"""What a command used, as series."""

import asyncio
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.process import ProcessJob
from connectors.process.folder import Result
from connectors.process.metrics import NAMES, series
from connectory.connector.contract import MetricSeries, MetricsRequest
from connectory.errors import InvalidTaskError, NotFoundError
from tests.connectors.process.conftest import Jobs

BUSY = """
import time
x = bytearray(40_000_000)
while time.process_time() < 0.5: pass
print("busy", flush=True)
"""


def read(jobs: Jobs, job: ProcessJob, *queries: str, **wanted: Any) -> dict[str, list[list[Any]]]:
    found = jobs.connector.metrics(job, MetricsRequest(queries=queries, **wanted), jobs.job_context())
    return {one.metric: values(one) for one in found}


def values(one: MetricSeries) -> list[list[Any]]:
    assert one.data["resultType"] == "matrix"
    points: list[list[Any]] = []
    for result in one.data["result"]:
        assert result["metric"]["__name__"] == one.metric
        points += result["values"]
    return points


async def test_a_running_command_and_what_it_started_are_measured(jobs: Jobs) -> None:
    lasting = BUSY.replace("'", '"') + "time.sleep(1000)"
    job = jobs.create(f"(python3 -c '{lasting}' &) ; sleep 1000", shell=True)
    await asyncio.to_thread(jobs.await_output, job, "busy")
    while True:
        found = await asyncio.to_thread(read, jobs, job)
        if found["cpu_seconds"] and float(found["cpu_seconds"][-1][1]) >= 0.4:
            break
        await asyncio.sleep(0.05)
    assert tuple(found) == NAMES
    assert float(found["memory_bytes"][-1][1]) > 40_000_000
    moments = [moment for moment, _ in found["cpu_seconds"]]
    assert moments == sorted(moments)
    assert abs(datetime.now(UTC).timestamp() - moments[-1]) < 600


def test_what_an_ended_command_used_stays_known_also_on_another_server(jobs: Jobs) -> None:
    job = jobs.create("python3", "-c", BUSY)
    resource = jobs.wait(job)
    jobs.connector = jobs.another_server()
    found = read(jobs, job, "memory_bytes", "cpu_seconds")
    assert list(found) == ["memory_bytes", "cpu_seconds"]
    assert resource.custom_info is not None
    assert float(found["cpu_seconds"][-1][1]) == pytest.approx(max(resource.custom_info["cpu_seconds"], 0.5), rel=0.2)
    assert found["memory_bytes"]
    jobs.delete(job)
    assert read(jobs, job, "cpu_seconds")


def test_an_unknown_metric_is_named(jobs: Jobs) -> None:
    job = jobs.create("true")
    with pytest.raises(InvalidTaskError, match="no metric 'disk'; it has cpu_seconds, cpu_cores, memory_bytes"):
        read(jobs, job, "cpu_seconds", "disk")


def test_an_unknown_job_has_no_metrics(jobs: Jobs) -> None:
    with pytest.raises(NotFoundError):
        read(jobs, ProcessJob(job_id="0" * 32, host="elsewhere", pid=1, start=1, boot=""))


SAMPLES = "".join(f"{1000 + second} {second * 0.5} {second * 100}\n" for second in range(11))


def at(second: float) -> datetime:
    return datetime.fromtimestamp(1000 + second, UTC)


@pytest.mark.parametrize(
    ("wanted", "points"),
    [
        ({"start": at(3), "end": at(5)}, [(1003, 300), (1004, 400), (1005, 500)]),
        ({"start": at(8)}, [(1008, 800), (1009, 900), (1010, 1000)]),
        ({"start": at(1.5), "end": at(6), "step": timedelta(seconds=2)}, [(1001.5, 100), (1003.5, 300), (1005.5, 500)]),
        ({"start": at(-2), "end": at(99), "step": timedelta(seconds=6)}, [(1004, 400), (1010, 1000)]),
        ({"end": at(2), "step": timedelta(seconds=1)}, [(1000, 0), (1001, 100), (1002, 200)]),
        ({"start": at(20), "end": at(30), "step": timedelta(seconds=1)}, []),
        ({"start": at(6), "end": at(4)}, []),
    ],
)
def test_range_and_step_are_kept_to(tmp_path: Path, wanted: dict[str, Any], points: list[tuple[float, float]]) -> None:
    (tmp_path / "usage").write_text(SAMPLES)
    (found,) = series(tmp_path, "job", MetricsRequest(queries=["memory_bytes"], **wanted), None)
    assert [(moment, float(value)) for moment, value in values(found)] == points


@pytest.mark.parametrize("seconds", [0.0001, 0.0, -1.0])
def test_a_step_that_gives_too_many_points_is_refused(tmp_path: Path, seconds: float) -> None:
    (tmp_path / "usage").write_text(SAMPLES)
    with pytest.raises(InvalidTaskError, match="take a longer one"):
        series(tmp_path, "job", MetricsRequest(queries=[], step=timedelta(seconds=seconds)), None)


def test_cores_are_processor_seconds_per_second(tmp_path: Path) -> None:
    (tmp_path / "usage").write_text(SAMPLES)
    (found,) = series(tmp_path, "job", MetricsRequest(queries=["cpu_cores"]), None)
    assert all(math.isclose(float(value), 0.5) for _, value in values(found))
    assert len(values(found)) == 10


def test_a_command_that_ended_before_it_was_measured_has_its_processor_time_and_its_peak(tmp_path: Path) -> None:
    result = Result(code=0, reason="", error=0, cpu_seconds=0.25, memory_bytes=4096, ended=1000.0)
    found = series(tmp_path, "job", MetricsRequest(queries=["cpu_seconds", "memory_bytes"]), result)
    assert [values(one) for one in found] == [[[1000.0, "0.25"]], [[1000.0, "4096"]]]


def test_a_command_that_was_not_measured_yet_has_series_without_points(tmp_path: Path) -> None:
    assert [values(one) for one in series(tmp_path, "job", MetricsRequest(queries=[]), None)] == [[], [], []]
