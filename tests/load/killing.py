"""A run in which one of the replicas is killed and started again."""

import asyncio
import tempfile

from tests.load.clients import Outcome, run
from tests.load.connector import System
from tests.load.replicas import replicas

__all__ = ["loaded"]


def loaded(ledger: str, jobs: int) -> Outcome:
    """Take jobs through two replicas, killing one when a third of them was asked for; it comes back at once."""
    with tempfile.TemporaryDirectory() as folder, replicas(ledger) as both:

        async def kill() -> None:
            both.kill(0)
            both.start(0)

        return asyncio.run(run(both, System(folder), jobs, kill))
