"""Inputs come back as outputs, whatever their type and size."""

import dataclasses
import enum
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.echo import EchoConnector, EchoJob, EchoSyncConnector
from connectors.echo.connector import INLINE_LIMIT
from connectory.errors import InvalidTaskError, NotFoundError
from connectory.types import File
from tests.connectors.calling import Caller, Phase


class Colour(enum.Enum):
    RED = "red"


VALUES: dict[str, tuple[Any, Any]] = {
    "integer": (int, 7),
    "text": (str, "grün"),
    "yes": (bool, True),
    "moment": (datetime, datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)),
    "span": (timedelta, timedelta(seconds=1.5)),
    "numbers": (list[float], [0.5, 2.0]),
    "table": (dict[str, int], {"a": 1}),
    "perhaps": (int | None, None),
    "colour": (Colour, Colour.RED),
    "file": (File, File.stored("s3://bucket/key")),
}
OUTPUTS = {name: annotation for name, (annotation, _) in VALUES.items()}


async def test_values_of_every_type_come_back() -> None:
    task = Caller(EchoConnector(), inputs=VALUES, outputs=OUTPUTS)

    resource = await task.get(await task.create())

    assert resource.phase == Phase.SUCCEEDED
    assert task.native(resource) == {name: value for name, (_, value) in VALUES.items()}


async def test_the_sync_twin_gives_the_same() -> None:
    task = Caller(EchoSyncConnector(), inputs=VALUES, outputs=OUTPUTS)

    assert await task.execute() == {name: value for name, (_, value) in VALUES.items()}


async def test_only_declared_outputs_come_back() -> None:
    task = Caller(EchoSyncConnector(), inputs={"x": (int, 1), "y": (int, 2)}, outputs={"y": int})

    assert await task.execute() == {"y": 2}


async def test_one_input_and_one_output_may_have_different_names() -> None:
    task = Caller(EchoSyncConnector(), inputs={"x": (int, 1)}, outputs={"o0": int})

    assert await task.execute() == {"o0": 1}


async def test_an_absent_optional_input_comes_back_as_none() -> None:
    task = Caller(EchoSyncConnector(), inputs={"x": (int | None, ...), "y": (int, 2)}, outputs={"x": int | None})

    assert await task.execute() == {"x": None}


async def test_an_output_without_an_input_of_its_name_is_refused_by_name() -> None:
    task = Caller(EchoSyncConnector(), inputs={"x": (int, 1), "y": (int, 2)}, outputs={"z": int})

    with pytest.raises(InvalidTaskError, match="'z' has no input of the same name to echo; the inputs are: x, y"):
        await task.execute()


async def test_an_output_of_another_type_is_refused_by_name() -> None:
    task = Caller(EchoSyncConnector(), inputs={"x": (int, 1)}, outputs={"x": str})

    with pytest.raises(InvalidTaskError, match="output 'x' is declared as another type") as caught:
        await task.execute()
    assert "template.interface.outputs.x" in caught.value.fields


async def test_a_task_without_inputs_gives_nothing() -> None:
    task = Caller(EchoConnector())

    assert task.native(await task.get(await task.create())) == {}


async def test_large_outputs_are_kept_at_the_output_prefix_until_the_job_is_deleted(tmp_path: Path) -> None:
    text = "x" * (INLINE_LIMIT + 1)
    connector = EchoConnector()
    task = Caller(connector, inputs={"x": (str, text)}, outputs={"x": str}, prefix=str(tmp_path))

    job = await task.create()
    assert len(str(job)) < 1000
    assert task.native(await task.get(job)) == {"x": text}
    assert await task.create() == job

    await task.delete(job)
    await task.delete(job)
    assert list(task.storage.list(str(tmp_path))) == []
    with pytest.raises(NotFoundError, match="are gone"):
        await task.get(job)
    connector.close()


async def test_large_outputs_need_an_output_prefix() -> None:
    task = Caller(EchoConnector(), inputs={"x": (str, "x" * INLINE_LIMIT)}, outputs={"x": str})

    with pytest.raises(InvalidTaskError, match="need an output prefix"):
        await task.create()


@pytest.mark.parametrize("file", ["../../etc/passwd", "x", "A" * 32, "a" * 33])
async def test_a_made_up_handle_removes_no_other_file(file: str, tmp_path: Path) -> None:
    task = Caller(EchoConnector())
    job = dataclasses.replace(EchoJob(prefix=str(tmp_path)), file=file)

    with pytest.raises(InvalidTaskError, match="names no echo file"):
        await task.delete(job)


async def test_creating_again_is_always_safe() -> None:
    task = Caller(EchoConnector(), inputs={"x": (int, 1)}, outputs={"x": int})

    assert await EchoConnector().find("key", task.create_context()) is None
