"""The sensor of the document on user containers waits for a file: here, by URL, and in a container."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from connectory.compiler import check, compile_task, compile_workflow
from connectory.storage import default_storage
from connectory.v1 import literals_pb2
from tests.connectory.execute.container import run_container
from tests.seeds import sensor


def test_the_workflow_goes_on_when_the_file_is_there(tmp_path: Path) -> None:
    f = tmp_path / "some-file"
    with open(f, "w") as w:
        w.write("Hello World!")
    assert sensor.my_workflow(path=str(f)) == str(f)


def test_it_waits_for_the_file(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "memory://seeds/sensor/arrives-later"
    default_storage().delete(url)
    looked = threading.Event()
    monkeypatch.setattr(sensor, "sleep", lambda seconds: looked.set())

    def arrive() -> None:
        looked.wait(30)
        default_storage().write(url, b"x")

    arriving = threading.Thread(target=arrive)
    arriving.start()
    try:
        assert sensor.sensor(path=url) == url
    finally:
        arriving.join()
    assert "does not exists!" in caplog.text


def test_timeout_and_retries_are_the_engines_business() -> None:
    assert check(compile_workflow(sensor.my_workflow)) == []
    metadata = compile_task(sensor.sensor).metadata
    assert metadata.retries.retries == 10
    assert metadata.timeout.ToTimedelta() == timedelta(minutes=20)


def test_it_runs_in_a_container(tmp_path: Path) -> None:
    inputs = literals_pb2.LiteralMap()
    inputs.literals["path"].scalar.primitive.string_value = __file__
    outcome = run_container(compile_task(sensor.sensor), inputs, tmp_path)
    assert outcome.outputs is not None, outcome.said
    assert outcome.outputs.literals["path"].scalar.primitive.string_value == __file__


def test_wait_and_run() -> None:
    assert sensor.wait_and_run(path=__file__) == len(__file__)
    assert check(compile_workflow(sensor.wait_and_run)) == []
    assert compile_task(sensor.patient).metadata.timeout.ToTimedelta() == timedelta(hours=1)
