"""Who blocks the event loop."""

import asyncio
import threading

import pytest

from connectory.connector.contract import JobContext, Resource
from connectory.connector.watchdog import Watchdog
from connectory.testing import FakeSecrets, dispatching, task_call
from tests.connectory.connector.fakes import FakeConnector, FakeJob

TASK = task_call("fake")


class Blocking(FakeConnector):
    """Blocks the loop until the watchdog has noticed."""

    name = "Blocking"
    watchdog: Watchdog

    async def get(self, job: FakeJob, ctx: JobContext) -> Resource:
        password_in_use = ctx.secrets.get("PASSWORD")  # noqa: F841 - it must not appear in what is logged
        self._helper()
        return Resource(phase=2)

    @staticmethod
    def _helper() -> None:
        noticed = threading.Event()
        while not Blocking.watchdog.blockages:
            noticed.wait(0.01)


async def test_a_connector_that_blocks_the_loop_is_named_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    connector = Blocking()
    async with dispatching(connector, secrets=FakeSecrets({"PASSWORD": "hunter2hunter2"})) as dispatcher:
        watchdog = Watchdog(asyncio.get_running_loop(), threshold=0.05, registry=dispatcher.registry)
        Blocking.watchdog = watchdog
        watchdog.start()
        handle = (await dispatcher.create(TASK.create_request())).resource_meta
        await dispatcher.get(TASK.get_request(handle))
        watchdog.stop()
    assert watchdog.blocked_by == "Blocking"
    assert watchdog.blockages == 1
    assert "connector Blocking has blocked the event loop" in caplog.text
    assert "_helper" in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_loop_that_goes_round_is_left_alone() -> None:
    watchdog = Watchdog(asyncio.get_running_loop(), threshold=5)
    watchdog.start()
    await asyncio.sleep(0)
    watchdog.stop()
    assert watchdog.blockages == 0
    assert watchdog.lag < 5
