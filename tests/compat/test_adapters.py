"""What connectors of Flyte's contract are given, and what becomes of what they answer."""

from dataclasses import dataclass
from typing import Any

import pytest

from connectory.compat import (
    AsyncConnectorBase,
    GetTaskLogsResponse,
    GetTaskMetricsResponse,
    LiteralMap,
    Resource,
    ResourceMeta,
    SyncConnectorBase,
    TaskExecution,
    TaskLog,
    TaskTemplate,
)
from connectory.connector.contract import Phase
from connectory.errors import UnsupportedError
from connectory.testing import dispatching, task_call
from connectory.v1 import connector_pb2 as pb


@dataclass
class Meta(ResourceMeta):
    job: str
    attempt: int = 0


class Async(AsyncConnectorBase):
    """Everything `async def`, with logs and metrics."""

    def __init__(self) -> None:
        super().__init__(task_type_name="async_flyte", metadata_type=Meta)
        self.seen: dict[str, Any] = {}

    async def create(self, task_template: TaskTemplate, inputs: LiteralMap, **kwargs: Any) -> Meta:  # type: ignore[override]
        self.seen = {"custom": task_template.custom, "type": task_template.type, **kwargs}
        self.seen["outputs"] = sorted(task_template.interface.outputs)
        return Meta(job=inputs.literals["name"].scalar.primitive.string_value)

    async def get(self, resource_meta: ResourceMeta, **kwargs: Any) -> Resource:
        assert isinstance(resource_meta, Meta)
        outputs = LiteralMap()
        outputs.to_flyte_idl().literals["o"].scalar.primitive.string_value = resource_meta.job
        return Resource(
            phase=TaskExecution.SUCCEEDED,
            message="done",
            log_links=[TaskLog(uri="http://logs", name="Logs")],
            outputs=outputs,
            custom_info={"a": 1},
        )

    async def delete(self, resource_meta: ResourceMeta, **kwargs: Any) -> None: ...

    async def get_metrics(self, resource_meta: ResourceMeta, **kwargs: Any) -> GetTaskMetricsResponse:
        response = GetTaskMetricsResponse()
        response.results.add(metric="cpu").data["max"] = 2
        return response

    def get_logs(self, resource_meta: ResourceMeta, **kwargs: Any) -> GetTaskLogsResponse:
        return GetTaskLogsResponse(body=pb.GetTaskLogsResponseBody(results=["one", "two"]))


class Sync(SyncConnectorBase):
    """An `async def do`, without a name of its own."""

    def __init__(self) -> None:
        super().__init__(task_type_name="sync_flyte", task_type_version=2)

    async def do(self, task_template: TaskTemplate, output_prefix: str, inputs: Any = None, **kwargs: Any) -> Resource:
        return Resource(phase=TaskExecution.FAILED, message="no")


TASK = task_call("async_flyte", config={"a": [1, 2.5]}, inputs={"name": "j"}, outputs={"o": str})


async def test_create_gets_the_template_with_its_custom_as_a_dict() -> None:
    connector = Async()
    async with dispatching(connector.as_connector()) as dispatcher:
        await dispatcher.create(TASK.create_request())
    assert connector.seen["custom"] == {"a": [1, 2.5]}
    assert connector.seen["type"] == "async_flyte"
    assert connector.seen["outputs"] == ["o"]
    assert set(connector.seen) >= {"output_prefix", "task_execution_metadata"}


async def test_get_answers_every_field() -> None:
    async with dispatching(Async().as_connector()) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        resource = (await dispatcher.get(TASK.get_request(handle))).resource
    assert Phase(resource.phase) is Phase.SUCCEEDED
    assert resource.message == "done"
    assert resource.log_links[0].uri == "http://logs"
    assert resource.custom_info["a"] == 1
    assert resource.outputs.literals["o"].scalar.primitive.string_value == "j"


async def test_logs_and_metrics_cross() -> None:
    async with dispatching(Async().as_connector()) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        category = pb.TaskCategory(name="async_flyte")
        metrics = await dispatcher.metrics(pb.GetTaskMetricsRequest(resource_meta=handle, task_category=category))
        answers = [answer async for answer in dispatcher.logs(TASK.logs_request(handle))]
    assert metrics.results[0].data["max"] == 2
    assert [line.message for line in answers[0].body.structured_lines] == ["one", "two"]


async def test_what_is_not_overridden_is_not_offered() -> None:
    class Plain(Async):
        get_logs = AsyncConnectorBase.get_logs

    async with dispatching(Plain().as_connector()) as dispatcher:
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        with pytest.raises(UnsupportedError, match="logs"):
            _ = [answer async for answer in dispatcher.logs(TASK.logs_request(handle))]


async def test_a_sync_connector_is_called_by_its_class_when_it_has_no_name() -> None:
    async with dispatching(Sync().as_connector()) as dispatcher:
        assert [entry.name for entry in dispatcher.connectors()] == ["Sync"]
        task = task_call("sync_flyte", version=2)
        (answer,) = [answer async for answer in dispatcher.execute(task.header())]
    assert Phase(answer.header.resource.phase) is Phase.FAILED
    assert answer.header.resource.message == "no"


def test_metadata_is_a_dataclass_with_or_without_the_decorator() -> None:
    class Bare(ResourceMeta):
        job: str

    assert Bare.decode(Bare(job="x").encode()) == Bare(job="x")
    assert Meta.decode(Meta(job="y", attempt=2).encode()) == Meta(job="y", attempt=2)
