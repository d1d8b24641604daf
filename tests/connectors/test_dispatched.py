"""Every connector once through the dispatcher, as tasks come over the wire."""

import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from connectors import echo, http, sensor, sleep
from connectory.connector.dispatch import Dispatcher
from connectory.connector.registry import Registry
from connectory.errors import InvalidTaskError, UserError
from connectory.secrets import EnvironmentSecrets
from connectory.storage import default_storage
from connectory.types import ConversionContext, File, default_types
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import execution_pb2, literals_pb2, tasks_pb2
from tests.connectors.http.server import Answer, site

TYPES = default_types()
SUCCEEDED, ABORTED = execution_pb2.TaskExecution.SUCCEEDED, execution_pb2.TaskExecution.ABORTED


@pytest.fixture
async def dispatcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dispatcher]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    registry = Registry()
    for package in (echo, http, sensor, sleep):
        for connector in package.connectors:
            registry.register(connector())
    secrets = EnvironmentSecrets("", {"TOKEN": "t0k3n-of-mine"})
    made = Dispatcher(registry, secrets=secrets, storage=default_storage(), types=TYPES)
    yield made
    await made.aclose()


def template(
    task_type: str, config: dict[str, Any], inputs: dict[str, Any], outputs: dict[str, Any]
) -> tasks_pb2.TaskTemplate:
    made = tasks_pb2.TaskTemplate(type=task_type)
    json_format.ParseDict(config, made.custom)
    for variables, annotations in ((made.interface.inputs, inputs), (made.interface.outputs, outputs)):
        for name, annotation in annotations.items():
            variables.variables[name].type.CopyFrom(TYPES.literal_type(annotation))
    return made


def literals(made: tasks_pb2.TaskTemplate, values: dict[str, Any]) -> literals_pb2.LiteralMap:
    return TYPES.map_to_literals(values, made.interface.inputs, ConversionContext())


def native(message: literals_pb2.LiteralMap, outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        name: TYPES.to_python(message.literals[name], annotation, ConversionContext())
        for name, annotation in outputs.items()
    }


async def ended(dispatcher: Dispatcher, made: tasks_pb2.TaskTemplate, values: dict[str, Any]) -> pb.Resource:
    request = pb.CreateTaskRequest(template=made, inputs=literals(made, values), output_prefix="memory://dispatched")
    handle = (await dispatcher.create(request)).resource_meta
    category = pb.TaskCategory(name=made.type)
    return (await dispatcher.get(pb.GetTaskRequest(resource_meta=handle, task_category=category))).resource


async def executed(dispatcher: Dispatcher, made: tasks_pb2.TaskTemplate, values: dict[str, Any]) -> pb.Resource:
    header = pb.CreateRequestHeader(template=made, output_prefix="memory://dispatched")
    answers = [answer async for answer in dispatcher.execute(header, literals(made, values))]
    return answers[0].header.resource


@pytest.mark.parametrize("size", [1, 100_000])
async def test_echo(size: int, dispatcher: Dispatcher) -> None:
    outputs = {"text": str, "numbers": list[int]}
    values = {"text": "x" * size, "numbers": [1, 2]}
    made = template("echo", {}, outputs, outputs)

    resource = await ended(dispatcher, made, values)

    assert (resource.phase, native(resource.outputs, outputs)) == (SUCCEEDED, values)


async def test_echo_sync(dispatcher: Dispatcher) -> None:
    made = template("echo_sync", {}, {"x": int}, {"x": int})

    assert native((await executed(dispatcher, made, {"x": 3})).outputs, {"x": int}) == {"x": 3}


async def test_sleep(dispatcher: Dispatcher) -> None:
    config = {"duration": 0, "outputs": {"rows": 3, "name": "x"}, "failures": [{"at": "get", "calls": 0}]}
    made = template("sleep", config, {}, {"rows": int, "name": str})

    resource = await ended(dispatcher, made, {})

    assert native(resource.outputs, {"rows": int, "name": str}) == {"rows": 3, "name": "x"}


async def test_a_deleted_sleep_is_aborted(dispatcher: Dispatcher) -> None:
    made = template("sleep", {"duration": 1000}, {}, {})
    handle = (await dispatcher.create(pb.CreateTaskRequest(template=made))).resource_meta
    category = pb.TaskCategory(name="sleep")

    for _ in range(2):
        await dispatcher.delete(pb.DeleteTaskRequest(resource_meta=handle, task_category=category))

    answer = await dispatcher.get(pb.GetTaskRequest(resource_meta=handle, task_category=category))
    assert answer.resource.phase == ABORTED


async def test_sensor(dispatcher: Dispatcher, tmp_path: Path) -> None:
    (tmp_path / "data.csv").touch()
    made = template("sensor", {"deadline": 60, "poll_interval": 1}, {"path": str}, {"path": str})

    resource = await ended(dispatcher, made, {"path": str(tmp_path / "data.csv")})

    assert native(resource.outputs, {"path": str}) == {"path": str(tmp_path / "data.csv")}


async def test_http_and_webhook(dispatcher: Dispatcher) -> None:
    with site() as web:
        web.routes["/"] = lambda asked: Answer.json(
            {"got": asked.body.decode(), "id": asked.headers.get("authorization")}
        )
        config = {
            "url": f"{web.url}/",
            "method": "POST",
            "headers": {"Authorization": "{{ .secrets.TOKEN }}"},
            "json": {"n": "{{ .inputs.n }}", "m": 2, "f": 0.5},
            "expect": [200, "201"],
        }
        outputs = {"status": int, "body": File}
        resource = await executed(dispatcher, template("http", config, {"n": int}, outputs), {"n": 1})
        got = native(resource.outputs, outputs)
        assert got["status"] == 200
        answered = json.loads(default_storage().read(got["body"].uri))
        assert json.loads(answered["got"]) == {"n": 1, "m": 2, "f": 0.5}
        assert '"m":2,' in answered["got"].replace("}", ",")
        assert answered["id"] == "t0k3n-of-mine"

        hook = {"url": f"{web.url}/", "method": "POST", "headers": {}, "data": {"n": "{inputs.n}"}, "timeout_sec": 10}
        resource = await executed(dispatcher, template("webhook", hook, {"n": int}, {"info": dict}), {"n": 1})
        assert native(resource.outputs, {"info": dict})["info"]["status_code"] == 200

        web.routes["/"] = lambda asked: Answer(400, asked.headers["authorization"].encode())
        with pytest.raises(UserError, match=r"answered 400: \*\*\*"):
            await executed(dispatcher, template("http", config, {"n": int}, {}), {"n": 1})


@pytest.mark.parametrize("task_type", ["echo", "sleep", "http", "webhook", "sensor", "echo_sync"])
async def test_a_field_that_there_is_not_is_refused_by_name(task_type: str, dispatcher: Dispatcher) -> None:
    made = template(task_type, {"url": "http://127.0.0.1:1/", "surprise": 1}, {}, {})
    call = executed if task_type in ("http", "webhook", "echo_sync") else ended

    with pytest.raises(InvalidTaskError, match=r"custom\.surprise"):
        await call(dispatcher, made, {})
