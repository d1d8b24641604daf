"""Work that is done within one call."""

from collections.abc import AsyncIterator

import pytest

from connectory.connector.contract import Phase, Resource
from connectory.errors import InternalError, InvalidTaskError
from connectory.testing import dispatching, task_call
from connectory.v1 import literals_pb2
from tests.connectory.connector.fakes import FakeSyncConnector

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
