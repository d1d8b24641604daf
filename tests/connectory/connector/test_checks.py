"""Whether a connector can work now, and what asking for that costs the others."""

import asyncio
import threading

import pytest

from connectory.connector.contract import CreateContext, TaskCategory
from connectory.errors import InternalError
from connectory.testing import dispatching, task_call
from tests.connectory.connector.fakes import FakeConfig, FakeConnector, FakeJob

TASK = task_call("fake")


class _Stuck(FakeConnector):
    """Its check does not return before `released`; it has one thread for its work."""

    pool_size = 1

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.asked = 0

    def check(self) -> None:
        self.asked += 1
        self.released.wait(30)

    def create(self, ctx: CreateContext[FakeConfig]) -> FakeJob:  # type: ignore[override]
        return FakeJob(job_id="1")


async def test_a_check_that_does_not_return_takes_no_thread_from_the_work() -> None:
    connector = _Stuck()
    async with dispatching(connector) as dispatcher:
        try:
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await dispatcher.check(TaskCategory("fake"))
            assert connector.asked == 1
            assert (await dispatcher.create(TASK.create_request("k"))).resource_meta
        finally:
            connector.released.set()
        await dispatcher.check(TaskCategory("fake"))


async def test_a_check_that_fails_tells_no_more_than_any_call() -> None:
    class Sick(FakeConnector):
        def check(self) -> None:
            raise KeyError("password=hunter2")

    async with dispatching(Sick()) as dispatcher:
        with pytest.raises(InternalError) as failed:
            await dispatcher.check(TaskCategory("fake"))
    assert "hunter2" not in str(failed.value)
