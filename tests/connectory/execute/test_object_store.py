"""A container whose every place is in an object store: a real S3 API, spoken over the network."""

import secrets
from collections.abc import Iterator

import pytest

from connectory.compiler import compile_task
from connectory.storage import default_storage
from connectory.v1 import literals_pb2
from tests.connectory.execute import tasks
from tests.connectory.execute.container import run_container, run_task
from tests.connectory.storage.s3_server import BUCKET, running_s3


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with running_s3() as environment:
        yield environment


@pytest.fixture
def prefix(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{secrets.token_hex(8)}"


def test_inputs_outputs_and_decks(prefix: str) -> None:
    outcome = run_task(tasks.show, prefix, a=4)
    assert outcome.outputs is not None, outcome.said
    assert outcome.outputs.literals["o0"].scalar.primitive.integer == 4
    assert "<i>4</i>" in outcome.deck


def test_errors(prefix: str) -> None:
    error = run_task(tasks.fail, prefix, a=4).error
    assert error is not None
    assert error.code == "ValueError"


def test_files(prefix: str) -> None:
    outputs = run_task(tasks.write, prefix, text="hello").outputs
    assert outputs is not None
    uri = outputs.literals["o0"].scalar.blob.uri
    assert uri.startswith(f"{prefix}/raw/")
    assert default_storage().read(uri) == b"hello"


def test_checkpoints_and_templates(prefix: str) -> None:
    inputs = literals_pb2.LiteralMap()
    inputs.literals["a"].scalar.primitive.integer = 5
    template = compile_task(tasks.count_on)
    run_container(template, inputs, f"{prefix}/first")
    second = run_container(template, inputs, f"{prefix}/second", previous=f"{prefix}/first/checkpoint")
    assert second.outputs is not None
    assert second.outputs.literals["o0"].scalar.primitive.integer == 5
    shim = run_task(tasks.length, f"{prefix}/shim", text="four").outputs
    assert shim is not None
    assert shim.literals["size"].scalar.primitive.integer == 12
