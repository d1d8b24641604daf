"""How connectors' checks are asked: rarely, one at a time, and never for long."""

import asyncio

from grpc_health.v1 import health_pb2

from connectory.connector.contract import TaskCategory
from connectory.rpc.health import Health

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
CATEGORY = TaskCategory("fake")
NAME = "connector/fake@0"


class FakeCheck:
    """Counts how often it is asked; fails while `sick`, hangs while `stuck`."""

    def __init__(self) -> None:
        self.asked = 0
        self.sick = False
        self.stuck = False

    async def __call__(self, category: TaskCategory) -> None:
        self.asked += 1
        if self.stuck:
            await asyncio.Event().wait()
        if self.sick:
            raise ConnectionError("down")


async def test_many_questions_ask_the_connector_once() -> None:
    check = FakeCheck()
    health = Health([], [CATEGORY], check, every=60)
    assert set(await asyncio.gather(*(health.status(NAME) for _ in range(50)))) == {SERVING}
    assert check.asked == 1


async def test_a_check_that_never_answers_counts_as_failed() -> None:
    check = FakeCheck()
    check.stuck = True
    health = Health([], [CATEGORY], check, timeout=0.01)
    assert await health.status(NAME) == NOT_SERVING


async def test_a_watcher_sees_a_connector_fall_ill_and_recover() -> None:
    check = FakeCheck()
    health = Health([], [CATEGORY], check, every=0.01)
    watch = health.watch(NAME)
    assert await anext(watch) == SERVING
    check.sick = True
    assert await anext(watch) == NOT_SERVING
    check.sick = False
    assert await anext(watch) == SERVING
    health.drain()
    assert [status async for status in watch] == [NOT_SERVING]
