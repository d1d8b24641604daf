"""Checks that calls which take their time keep nobody else waiting."""

import asyncio

from grpc_health.v1 import health_pb2

from connectory.testing.wire.outcomes import Check, require
from connectory.testing.wire.session import Session
from connectory.testing.wire.skew import DEFECTS
from connectory.v1 import connector_pb2 as pb

__all__ = ["CHECKS", "others_answer"]

_MANY = 24


async def creates(session: Session) -> None:
    """Many creates, polls and deletes at once, and other calls between them."""

    async def life() -> None:
        handle = await session.created()
        await session.get(handle)
        await session.delete(handle)

    lives = [asyncio.create_task(life()) for _ in range(_MANY)]
    try:
        await others_answer(session, lives)
        await asyncio.gather(*lives)
    finally:
        for one in lives:
            one.cancel()
        await asyncio.wait(lives)


async def others_answer(session: Session, work: list["asyncio.Task[None]"]) -> None:
    """Health and the list of connectors answer while the work goes on, at least once."""
    limit = min(session.subject.meanwhile_limit, session.subject.call_limit)
    while True:
        health = await session.ask("Health", health_pb2.HealthCheckRequest(), timeout=limit)
        require(health.code not in DEFECTS, f"while {len(work)} calls were under way, health answered {health}")
        listed = await session.ask("ListConnectors", pb.ListConnectorsRequest(), timeout=limit)
        require(listed.code not in DEFECTS, f"while {len(work)} calls were under way, ListConnectors answered {listed}")
        if all(one.done() for one in work):
            return


CHECKS = (
    Check(
        name="others-answer-meanwhile",
        promise="While jobs are created, polled and deleted, others are answered: nothing blocks the server's loop.",
        run=creates,
    ),
)
