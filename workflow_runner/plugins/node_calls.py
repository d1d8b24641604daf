"""Nodes that an attempt has run while it goes on, for tasks whose template says that they are eager."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from workflow_runner.engine.failures import Failure

__all__ = ["CallEnd", "NoCalls", "NodeCalls"]


@dataclass(frozen=True, kw_only=True)
class CallEnd:
    """How a node ended that was called."""

    outputs: bytes = b""
    """A `LiteralMap`."""
    failure: Failure | None = None
    """Why there are no outputs."""


class NodeCalls(Protocol):
    """Runs nodes for one attempt. Call it from the event loop."""

    def begin(
        self, call: str, spec: bytes, inputs: bytes, launch_plans: tuple[bytes, ...] = ()
    ) -> "asyncio.Future[CallEnd]":
        """Run a node inside the attempt's own; the future ends with it, or is cancelled with the attempt.

        `call` is its id: a node that was called under this id before is not run again, which an attempt that is
        resumed relies on. `spec` is a `DynamicJobSpec` with this one node, `inputs` a `LiteralMap`, `launch_plans` are
        messages of `LaunchPlan`.
        """
        ...

    def withdraw(self, call: str) -> None:
        """End a node early that was called."""
        ...


class NoCalls:
    """For attempts whose task is not eager."""

    def begin(
        self, call: str, spec: bytes, inputs: bytes, launch_plans: tuple[bytes, ...] = ()
    ) -> "asyncio.Future[CallEnd]":
        """Refuse."""
        raise NotImplementedError(f"{call!r} is called by a task that is not eager")

    def withdraw(self, call: str) -> None:
        """Refuse."""
        raise NotImplementedError(f"{call!r} is withdrawn by a task that is not eager")
