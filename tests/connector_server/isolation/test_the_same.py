"""Callers see no difference: a connector gives the same answers within the server and in a process of its own."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from connectory import errors
from connectory.testing import task_call
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2, tasks_pb2
from tests.connector_server.harness import Peer, create_request, execute_messages, status_of, template
from tests.connector_server.isolation.apart import CRAFTY, apart

Case = Callable[[Peer], Awaitable[Any]]
CATEGORY = pb.TaskCategory(name="crafty")
NAMES = [
    name
    for name, error in vars(errors).items()
    if isinstance(error, type) and issubclass(error, errors.ConnectorError) and name != "RateLimitedError"
]
_CASES: dict[str, Case] = {}


def case(name: str) -> Callable[[Case], Case]:
    def remember(function: Case) -> Case:
        _CASES[name] = function
        return function

    return remember


async def outcome(call: Awaitable[Any]) -> Any:
    """What a caller gets, with the ids of errors made alike."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return re.sub(r"error id \w+", "error id X", str(status_of(error)))
    return answer if isinstance(answer, list) else str(answer)


async def created(peer: Peer, **orders: Any) -> bytes:
    response = await peer.jobs.CreateTask(create_request("crafty", orders))
    handle: bytes = response.resource_meta
    return handle


def get(handle: bytes, **more: Any) -> pb.GetTaskRequest:
    return pb.GetTaskRequest(task_category=CATEGORY, resource_meta=handle, **more)


async def drained(stream: Any) -> list[str]:
    said = []
    try:
        async for answer in stream:
            said.append(str(answer))
    except grpc.aio.AioRpcError as error:
        said.append(re.sub(r"error id \w+", "error id X", str(status_of(error))))
    return said


for _error in [*NAMES, "TypeConversionError", "StorageError", "MissingSecretError", "SettingsError"]:

    @case(f"create fails with {_error}")
    async def _(peer: Peer, error: str = _error) -> Any:
        return await outcome(peer.jobs.CreateTask(create_request("crafty", {"create": f"raise {error}"})))

    @case(f"get fails with {_error}")
    async def _(peer: Peer, error: str = _error) -> Any:
        return await outcome(peer.jobs.GetTask(get(await created(peer, get=f"raise {error}"))))

    @case(f"execute fails with {_error}")
    async def _(peer: Peer, error: str = _error) -> Any:
        task = template("crafty_sync", {"create": f"raise {error}"})
        return await drained(peer.sync.ExecuteTaskSync(iter(execute_messages(task))))


for _word in ("unexpected", "quit", "cancel", "wrong handle"):

    @case(f"create goes wrong: {_word}")
    async def _(peer: Peer, word: str = _word) -> Any:
        return await outcome(peer.jobs.CreateTask(create_request("crafty", {"create": word})))


for _config in ({"unknown": 1}, {"seconds": "soon"}, {"secret": "nowhere"}, {"secret": "hidden"}):

    @case(f"create with {_config}")
    async def _(peer: Peer, config: dict[str, Any] = _config) -> Any:
        return await outcome(peer.jobs.CreateTask(create_request("crafty", config)))


@case("everything about a task arrives")
async def _(peer: Peer) -> Any:
    task = task_call("crafty", config={"create": "tell"}, inputs={"x": 3, "when": timedelta(seconds=1)})
    request = task.create_request("the key")
    request.output_prefix = "file:///tmp/somewhere"
    request.task_execution_metadata.k8s_service_account = "robot"
    return await outcome(peer.jobs.CreateTask(request))


@case("inputs that do not fit")
async def _(peer: Peer) -> Any:
    request = task_call("crafty", inputs={"x": 3}).create_request("unfit")
    request.inputs.literals["x"].scalar.primitive.string_value = "three"
    return await outcome(peer.jobs.CreateTask(request))


@case("secrets of the connection")
async def _(peer: Peer) -> Any:
    request = create_request("crafty", {"secret": "own", "get": "secret"})
    request.connection.secrets["own"] = "a value of the connection"
    handle = (await peer.jobs.CreateTask(request)).resource_meta
    asked = get(handle, connection=request.connection)
    return [handle, await outcome(peer.jobs.GetTask(asked)), await outcome(peer.jobs.GetTask(get(handle)))]


@case("secrets of the server are taken out of what is said")
async def _(peer: Peer) -> Any:
    return await outcome(peer.jobs.GetTask(get(await created(peer, secret="shown", get="secret"))))


for _report in ("phase 2", "phase 99", "phase 0", "error", "error lost with the node", "error gone it is", "succeed"):

    @case(f"get: {_report}")
    async def _(peer: Peer, report: str = _report) -> Any:
        return await outcome(peer.jobs.GetTask(get(await created(peer, get=report), output_prefix="file:///tmp/p")))


for _fit in ("fit", "unfit"):

    @case(f"outputs: {_fit}")
    async def _(peer: Peer, fit: str = _fit) -> Any:
        task = task_call("crafty", config={"get": f"outputs {fit}"}, outputs={"rows": list[int]})
        handle = (await peer.jobs.CreateTask(task.create_request(f"outputs-{fit}"))).resource_meta
        return [handle, await outcome(peer.jobs.GetTask(get(handle)))]


def changed(handle: bytes, **facts: Any) -> bytes:
    return json.dumps({**json.loads(handle), **facts}).encode()


for _name, _facts in {
    "of another category": {"category": "other@0"},
    "of a newer release": {"v": 3},
    "of an older release": {"v": 1},
    "of no release": {"v": 0},
    "without its job": {"job": {"id": 7}},
}.items():

    @case(f"a handle {_name}")
    async def _(peer: Peer, facts: dict[str, Any] = _facts) -> Any:
        handle = changed(await created(peer), **facts)
        delete = pb.DeleteTaskRequest(task_category=CATEGORY, resource_meta=handle)
        return [await outcome(peer.jobs.GetTask(get(handle))), await outcome(peer.jobs.DeleteTask(delete))]


@case("a handle that is none")
async def _(peer: Peer) -> Any:
    return [await outcome(peer.jobs.GetTask(get(data))) for data in (b"", b"{", b"\xff", b'{"v":2}')]


for _order in ("", "raise NotFoundError", "raise PermissionDeniedError", "unexpected"):

    @case(f"delete: {_order}")
    async def _(peer: Peer, order: str = _order) -> Any:
        handle = await created(peer, delete=order)
        return await outcome(peer.jobs.DeleteTask(pb.DeleteTaskRequest(task_category=CATEGORY, resource_meta=handle)))


for _order in ("", "raise UnavailableError", "unexpected"):

    @case(f"logs and metrics: {_order}")
    async def _(peer: Peer, order: str = _order) -> Any:
        handle = await created(peer, logs=order)
        said = []
        for lines, token in ((0, ""), (3, "4"), (0, "10")):
            wanted = pb.GetTaskLogsRequest(task_category=CATEGORY, resource_meta=handle, lines=lines, token=token)
            said += await drained(peer.jobs.GetTaskLogs(wanted))
        newest = pb.GetTaskLogsRequest(task_category=CATEGORY, resource_meta=handle, tail=2, follow=True)
        said += await drained(peer.jobs.GetTaskLogs(newest))
        metrics = pb.GetTaskMetricsRequest(task_category=CATEGORY, resource_meta=handle, queries=["a", "b"])
        bare = await outcome(peer.jobs.GetTaskMetrics(metrics))
        metrics.start_time.FromDatetime(datetime(2026, 1, 1, tzinfo=UTC))
        metrics.end_time.FromDatetime(datetime(2026, 1, 2, tzinfo=UTC))
        metrics.step.FromTimedelta(timedelta(seconds=1.5))
        return [*said, bare, await outcome(peer.jobs.GetTaskMetrics(metrics))]


@case("what a connector does not offer")
async def _(peer: Peer) -> Any:
    category = pb.TaskCategory(name="blind")
    logs = pb.GetTaskLogsRequest(task_category=category, resource_meta=b"{}")
    metrics = pb.GetTaskMetricsRequest(task_category=category, resource_meta=b"{}")
    wrong = peer.sync.ExecuteTaskSync(iter(execute_messages(template("crafty"))))
    return [
        await drained(peer.jobs.GetTaskLogs(logs)),
        await outcome(peer.jobs.GetTaskMetrics(metrics)),
        await drained(wrong),
        await outcome(peer.jobs.CreateTask(create_request("crafty_sync"))),
    ]


@case("execute")
async def _(peer: Peer) -> Any:
    task = task_call("crafty_sync", inputs={"x": 3, "text": "grün"}, outputs={"x": int, "text": str})
    request = task.create_request("of the sync call")
    header = pb.CreateRequestHeader(template=request.template, idempotency_key="of the sync call")
    calls = [pb.ExecuteTaskSyncRequest(header=header), pb.ExecuteTaskSyncRequest(inputs=request.inputs)]
    unfinished = execute_messages(template("crafty_sync", {"create": "unfinished"}), literals_pb2.LiteralMap())
    return [
        await drained(peer.sync.ExecuteTaskSync(iter(calls))),
        await drained(peer.sync.ExecuteTaskSync(iter(unfinished))),
    ]


@case("a template of no connector")
async def _(peer: Peer) -> Any:
    return await outcome(peer.jobs.CreateTask(pb.CreateTaskRequest(template=tasks_pb2.TaskTemplate(type="nobody"))))


@case("the list of connectors")
async def _(peer: Peer) -> Any:
    answer = await peer.metadata.ListConnectors(pb.ListConnectorsRequest())
    return [str(one) for one in answer.connectors]


@case("the external system asks to be left alone")
async def _(peer: Peer) -> Any:
    return await outcome(peer.jobs.CreateTask(create_request("crafty", {"create": "raise RateLimitedError"})))


@pytest.fixture
def outcomes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("CONNECTORY_SECRET_SHOWN", "a value of the server")
    monkeypatch.setenv("CONNECTORY_SECRET_HIDDEN", "another value of the server")

    async def told(**settings: Any) -> dict[str, Any]:
        modules = (CRAFTY, "tests.connector_server.filed")
        options = {"modules": modules, "ledger": "none", "secrets_allow": {"crafty": ["shown", "nowhere"]}, **settings}
        async with apart(*modules, **options) as peer:
            return {name: await run(peer) for name, run in _CASES.items()}

    return told


async def test_the_same_calls_get_the_same_answers(outcomes: Callable[..., Any]) -> None:
    within = await outcomes(isolation={})
    apart = await outcomes()
    assert len(within) == len(_CASES) > 80
    assert {name: apart[name] for name in within if apart[name] != within[name]} == {
        name: within[name] for name in within if apart[name] != within[name]
    }
