"""When a connector's process is started again: told by a clock and pauses of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from connector_server.isolation.kept import KeptChild
from connector_server.isolation.messages import Described, Ready, Source
from connector_server.isolation.process import Child, ChildError, Plan
from connector_server.settings.isolation import Apart
from connectory.errors import UnavailableError
from tests.connector_server.isolation.apart import until

PLAN = Plan(name="crafty", source=Source("entry point", "crafty"), apart=Apart())


def ready(name: str = "Crafty") -> Ready:
    described = Described(name=name, source="", categories=[("crafty", 0)], is_sync=True, offers=[], limits={})
    return Ready(connectors=[described], broken=[])


class FakeChild:
    """A process that ends when the test says so."""

    def __init__(self, pid: int, offered: Ready) -> None:
        self.pid = pid
        self.ready = offered
        self.end = asyncio.Event()
        self.closed = False

    async def exited(self) -> None:
        await self.end.wait()

    async def ended(self) -> str:
        return "it was killed by SIGKILL"

    async def aclose(self) -> None:
        self.closed = True


class World:
    """Time, and the processes that are started in it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        self.started: list[FakeChild] = []
        self.outcomes: list[Ready | Exception] = []
        self.may_go = asyncio.Event()
        self.may_go.set()
        self.child = KeptChild(PLAN, start=self.start, now=lambda: self.now, pause=self.pause)

    async def start(self, _plan: Plan) -> Child:
        outcome = self.outcomes.pop(0) if self.outcomes else ready()
        if isinstance(outcome, Exception):
            raise outcome
        self.started.append(FakeChild(len(self.started) + 1, outcome))
        child: Any = self.started[-1]
        return child

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.may_go.wait()
        self.now += seconds

    async def end(self, *, after: float = 0.0) -> None:
        """The present process ends when it has run for so long; returns when the next one is there."""
        before = self.child.restarts
        self.now += after
        self.started[-1].end.set()
        await until(lambda: self.child.restarts > before)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.child.open()
    yield world
    await world.child.aclose()


async def test_each_quick_end_makes_the_pause_longer(world: World) -> None:
    for _ in range(10):
        await world.end(after=1.0)
    assert world.pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    assert world.child.restarts == 10
    assert [child.closed for child in world.started] == [True] * 10 + [False]


async def test_one_that_ran_for_a_while_is_started_as_if_for_the_first_time(world: World) -> None:
    for _ in range(3):
        await world.end(after=1.0)
    await world.end(after=61.0)
    await world.end(after=1.0)
    assert world.pauses == [0.2, 0.4, 0.8, 0.2, 0.4]


async def test_a_start_that_fails_counts_as_a_quick_end(world: World) -> None:
    world.outcomes = [ChildError("no memory"), ChildError("no memory")]
    await world.end(after=100.0)
    assert world.pauses == [0.2, 0.4, 0.8]
    assert world.child.restarts == 1


async def test_a_defect_at_a_start_does_not_end_its_supervision(world: World) -> None:
    world.outcomes = [ValueError("nobody thought of it")]
    await world.end(after=100.0)
    assert world.pauses == [0.2, 0.4]
    assert world.child.restarts == 1


async def test_one_that_offers_something_else_is_not_taken(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.outcomes = [ready("Other")]
    await world.end()
    assert world.pauses == [0.2, 0.4]
    assert world.child.pid == 3
    assert world.started[1].closed
    assert "it offers something else than when the server started; reload the server" in caplog.text


async def test_meanwhile_calls_are_told_when_to_come_again(world: World) -> None:
    for _ in range(5):
        await world.end()
    world.may_go.clear()
    world.started[-1].end.set()
    await until(lambda: len(world.pauses) == 6)
    with pytest.raises(UnavailableError, match="crafty is being started again: it was killed by SIGKILL") as refusal:
        await world.child.ask("Get", None)
    assert refusal.value.reason == "CONNECTOR_RESTARTING"
    assert refusal.value.retry_after == timedelta(seconds=6.4 + 2)
    assert world.child.pid is None


async def test_the_last_connector_that_is_closed_ends_it(world: World) -> None:
    world.child.use()
    world.child.use()
    await world.child.release()
    assert not world.started[0].closed
    await world.child.release()
    assert world.started[0].closed
    with pytest.raises(UnavailableError, match="it was closed"):
        await world.child.ask("Get", None)


async def test_one_that_is_closed_while_it_pauses_is_not_started_again(world: World) -> None:
    world.may_go.clear()
    world.started[0].end.set()
    await until(lambda: len(world.pauses) == 1)
    await world.child.aclose()
    world.may_go.set()
    assert len(world.started) == 1
