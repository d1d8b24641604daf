"""Work that is done within one call."""

from collections.abc import AsyncIterator

import pytest

from connectory.connector.contract import CreateContext, Phase, Resource
from connectory.errors import InternalError, InvalidTaskError
from connectory.testing import dispatching, task_call
from connectory.v1 import literals_pb2
from tests.connectory.connector.fakes import FakeConfig, FakeSyncConnector

TASK = task_call("fake_sync", inputs={"x": 1, "y": "two"}, outputs={"x": int, "y": str})


async def _parts(*names: str) -> AsyncIterator[literals_pb2.LiteralMap]:
    for name in names:
        yield literals_pb2.LiteralMap(literals={name: TASK.inputs.literals[name]})


async def test_the_answer_is_a_header_then_outputs_and_the_header_has_them_too() -> None:
    async with dispatching(FakeSyncConnector()) as dispatcher:
        header, outputs = [answer async for answer in dispatcher.execute(TASK.header(), TASK.inputs)]
    assert Phase(header.header.resource.phase) is Phase.SUCCEEDED
    assert outputs.outputs == header.header.resource.outputs == TASK.inputs


async def test_inputs_may_come_in_several_messages() -> None:
    async with dispatching(FakeSyncConnector()) as dispatcher:
        answers = [answer async for answer in dispatcher.execute(TASK.header(), _parts("x", "y"))]
    assert answers[1].outputs == TASK.inputs


async def test_an_input_that_comes_twice_is_refused() -> None:
    async with dispatching(FakeSyncConnector()) as dispatcher:
        with pytest.raises(InvalidTaskError, match="x twice"):
            _ = [answer async for answer in dispatcher.execute(TASK.header(), _parts("x", "y", "x"))]


async def test_an_input_that_never_comes_is_named() -> None:
    async with dispatching(FakeSyncConnector()) as dispatcher:
        with pytest.raises(InvalidTaskError, match="missing y"):
            _ = [answer async for answer in dispatcher.execute(TASK.header(), _parts("x"))]


async def test_a_failure_is_only_a_header() -> None:
    connector = FakeSyncConnector()
    connector.next = Resource(phase=Phase.FAILED, message="no")
    async with dispatching(connector) as dispatcher:
        (answer,) = [answer async for answer in dispatcher.execute(TASK.header(), TASK.inputs)]
    assert answer.header.resource.message == "no"


async def test_work_that_is_not_at_its_end_is_a_defect() -> None:
    connector = FakeSyncConnector()
    connector.next = Resource(phase=Phase.RUNNING)
    async with dispatching(connector) as dispatcher:
        with pytest.raises(InternalError, match="not the end"):
            _ = [answer async for answer in dispatcher.execute(TASK.header(), TASK.inputs)]


class _NotesKeys(FakeSyncConnector):
    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []

    def execute(self, ctx: CreateContext[FakeConfig]) -> Resource:
        self.keys.append(ctx.idempotency_key)
        return super().execute(ctx)


async def test_an_attempt_that_is_repeated_has_the_same_key_and_another_attempt_has_another() -> None:
    connector = _NotesKeys()
    async with dispatching(connector) as dispatcher:
        for attempt in (0, 0, 1):
            header = TASK.header()
            execution = header.task_execution_metadata.task_execution_id
            execution.node_execution_id.execution_id.name = "f1"
            execution.node_execution_id.node_id = "n0"
            execution.retry_attempt = attempt
            _ = [answer async for answer in dispatcher.execute(header, TASK.inputs)]
    first, again, next_attempt = connector.keys
    assert first == again != next_attempt
    assert first


async def test_the_callers_own_key_comes_first_and_without_any_each_call_has_a_new_one() -> None:
    connector = _NotesKeys()
    named = TASK.header()
    named.idempotency_key = "mine"
    async with dispatching(connector) as dispatcher:
        for header in (named, TASK.header(), TASK.header()):
            _ = [answer async for answer in dispatcher.execute(header, TASK.inputs)]
    assert connector.keys[0] == "mine"
    assert len({*connector.keys, ""}) == 4
