"""The program that carries a raw container's data, as a process of its own, between a folder and an object store."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectory import ContainerTask
from connectory.authoring.errors import TaskFailedError
from connectory.compiler import compile_task
from connectory.errors import StorageError
from connectory.execute.carry import carry
from connectory.execute.files import INPUTS_FILE, TASK_FILE
from connectory.storage import default_storage
from connectory.types import ConversionContext, Directory, File, default_types
from connectory.v1 import execution_pb2, literals_pb2
from tests.connectory.storage.s3_server import running_s3

BUCKET = "carried"

mixes = ContainerTask(
    "mixes",
    "anything",
    ["true"],
    inputs={"given": File, "numbers": list[int], "size": float},
    outputs={"made": Directory, "one": File, "total": int},
    input_data_dir="/var/in",
    output_data_dir="/var/out",
)


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with running_s3(BUCKET) as environment:
        yield environment


@pytest.fixture(params=["folder", "object store"])
def prefix(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the job's data is stored."""
    if request.param == "folder":
        return str(tmp_path / "stored")
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{secrets.token_hex(8)}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the containers of a pod share; it is there already, as a mounted volume is."""
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"


def put(prefix: str, folder: Path) -> None:
    """Store the task, and inputs one of which is a stored file."""
    storage = default_storage()
    storage.write(storage.join(prefix, "text"), b"hello ")
    template = compile_task(mixes)
    values: dict[str, Any] = {"given": File(storage.join(prefix, "text")), "numbers": [1, 2], "size": 0.5}
    inputs = default_types().map_to_literals(values, template.interface.inputs, ConversionContext(storage=storage))
    storage.write(storage.join(prefix, TASK_FILE), template.SerializeToString())
    storage.write(storage.join(prefix, INPUTS_FILE), inputs.SerializeToString())


def run(errand: str, prefix: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "connectory.execute.carry", errand, "--prefix", prefix, "--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def stored(prefix: str, name: str) -> bytes:
    return default_storage().read(default_storage().join(prefix, name))


def test_inputs_are_brought_and_outputs_are_delivered(prefix: str, folder: Path) -> None:
    put(prefix, folder)
    (folder / "inputs").mkdir()
    (folder / "inputs" / "left-by-an-earlier-start").touch()

    brought = run("bring", prefix, folder)

    assert brought.returncode == 0, brought.stderr
    assert (folder / "inputs" / "given").read_text() == "hello "
    assert (folder / "inputs" / "numbers").read_text() == "[1,2]"
    assert (folder / "inputs" / "size").read_text() == "0.5"
    assert not (folder / "inputs" / "left-by-an-earlier-start").exists()
    assert oct(os.stat(folder / "outputs").st_mode)[-3:] == "777", "the container may run as anybody"
    (folder / "outputs" / "made").mkdir()
    (folder / "outputs" / "made" / "copy").write_text("inside")
    (folder / "outputs" / "one").write_text("alone")
    (folder / "outputs" / "total").write_text("3\n")

    delivered = run("deliver", prefix, folder)

    assert delivered.returncode == 0, delivered.stderr
    outputs = literals_pb2.LiteralMap.FromString(stored(prefix, "outputs.pb")).literals
    assert outputs["total"].scalar.primitive.integer == 3
    assert outputs["one"].scalar.blob.uri.startswith(prefix)
    assert default_storage().read(outputs["one"].scalar.blob.uri) == b"alone"
    assert stored(outputs["made"].scalar.blob.uri, "copy") == b"inside"


def test_what_is_wrong_with_the_outputs_is_left_as_an_error(prefix: str, folder: Path) -> None:
    put(prefix, folder)
    assert run("bring", prefix, folder).returncode == 0
    (folder / "outputs" / "made").mkdir()

    delivered = run("deliver", prefix, folder)

    assert delivered.returncode == 1
    error = execution_pb2.ErrorDocument.FromString(stored(prefix, "error.pb")).error
    assert error.code == "OUTPUT_MISSING"
    assert error.message == "the container did not write its output 'one' to /var/out/one"
    assert error.message in delivered.stderr


def test_an_input_that_is_not_there_is_left_as_an_error(prefix: str, folder: Path) -> None:
    put(prefix, folder)
    default_storage().delete(default_storage().join(prefix, "text"))

    assert run("bring", prefix, folder).returncode == 1
    error = execution_pb2.ErrorDocument.FromString(stored(prefix, "error.pb")).error
    assert error.origin == execution_pb2.ExecutionError.USER
    assert "text" in error.message


def test_an_object_store_that_fails_for_a_while_is_asked_again(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = str(tmp_path / "stored")
    put(prefix, folder)
    storage, failures, pauses = default_storage(), ["first", "second"], list[float]()
    read = storage.read

    def fails_at_first(url: str) -> bytes:
        if failures:
            raise StorageError(f"{url}: the {failures.pop(0)} answer was 503")
        return read(url)

    monkeypatch.setattr(storage, "read", fails_at_first)
    monkeypatch.setattr("time.sleep", pauses.append)
    assert carry("bring", prefix, folder, storage) is None
    assert (folder / "inputs" / "given").exists()
    assert pauses == [0.5, 1.0]


def test_an_object_store_that_goes_on_failing_ends_it(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = default_storage()

    def fails(url: str) -> bytes:
        raise StorageError(f"{url}: 503")

    monkeypatch.setattr(storage, "read", fails)
    with pytest.raises(StorageError, match="503"):
        carry("bring", str(tmp_path), folder, storage, patience=0)


def test_an_error_says_who_caused_it(tmp_path: Path, folder: Path) -> None:
    prefix = str(tmp_path / "stored")
    put(prefix, folder)
    assert carry("bring", prefix, folder) is None
    (folder / "outputs" / "_ERROR").write_text("the table is empty")
    failed = carry("deliver", prefix, folder)
    assert isinstance(failed, TaskFailedError)
    assert (failed.kind, failed.code, failed.message) == ("user", "CONTAINER_ERROR", "the table is empty")
