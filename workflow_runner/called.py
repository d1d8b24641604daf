"""What attempts of one execution have called, and wait for."""

import asyncio
from collections.abc import Callable

import msgspec

from workflow_runner.engine.calls import is_answerable
from workflow_runner.engine.commands import AnswerCall
from workflow_runner.engine.events import NodeCalled, NodeWithdrawn
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.state import NodePhase, NodeState, State, child_path
from workflow_runner.plugins.node_calls import CallEnd

__all__ = ["AttemptCalls", "CallDesk"]

_Key = tuple[str, int, str]


class CallDesk:
    """Turns calls into events, and gives the attempts the ends of what they called.

    A call whose end is known is answered from the state: that is how code that is run again after a restart gets on
    to where it was, without anything being run or written twice.
    """

    def __init__(
        self,
        state: Callable[[], State],
        *,
        emit: Callable[[NodeCalled | NodeWithdrawn], None],
        clock: Callable[[], float],
    ) -> None:
        self._state = state
        self._emit = emit
        self._clock = clock
        self._waiting: dict[_Key, asyncio.Future[CallEnd]] = {}

    def begin(
        self, place: tuple[str, int], call: str, spec: bytes, inputs: bytes, launch_plans: tuple[bytes, ...]
    ) -> "asyncio.Future[CallEnd]":
        """See `NodeCalls.begin`."""
        node, attempt = place
        waiting = self._waiting.get((node, attempt, call))
        if waiting is not None:
            return waiting
        future: asyncio.Future[CallEnd] = asyncio.get_running_loop().create_future()
        known = self._known(node, call)
        if known is not None and is_answerable(known):
            future.set_result(_end(known))
            return future
        self._waiting[node, attempt, call] = future
        if known is None or known.phase.is_terminal:
            called = NodeCalled(
                at=self._clock(),
                node=node,
                attempt=attempt,
                call=call,
                spec=spec,
                inputs=inputs,
                launch_plans=launch_plans,
            )
            self._emit(called)
        return future

    def withdraw(self, place: tuple[str, int], call: str) -> None:
        """See `NodeCalls.withdraw`."""
        node, attempt = place
        if self._waiting.pop((node, attempt, call), None) is not None:
            self._emit(NodeWithdrawn(at=self._clock(), node=node, attempt=attempt, call=call))

    def answer(self, command: AnswerCall) -> None:
        """A node has ended that was called."""
        future = self._waiting.pop((command.node, command.attempt, command.call), None)
        known = self._state().nodes.get(child_path(command.node, command.call))
        if future is not None and not future.done() and known is not None:
            future.set_result(_end(known))

    def leave(self, place: tuple[str, int]) -> None:
        """The attempt has ended: nothing of it waits any more."""
        for key in [key for key in self._waiting if key[:2] == place]:
            self._waiting.pop(key).cancel()

    def _known(self, node: str, call: str) -> NodeState | None:
        """The node, when this attempt, perhaps in an earlier run of the runner, called it already."""
        scope = self._state().scopes.get(node)
        return self._state().nodes.get(child_path(node, call)) if scope and call in scope.graph.nodes else None


class AttemptCalls(msgspec.Struct, eq=False):
    """The desk as one attempt, of a node and a number, sees it."""

    _desk: CallDesk
    _place: tuple[str, int]

    def begin(
        self, call: str, spec: bytes, inputs: bytes, launch_plans: tuple[bytes, ...] = ()
    ) -> "asyncio.Future[CallEnd]":
        """See `NodeCalls.begin`."""
        return self._desk.begin(self._place, call, spec, inputs, launch_plans)

    def withdraw(self, call: str) -> None:
        """See `NodeCalls.withdraw`."""
        self._desk.withdraw(self._place, call)


def _end(node: NodeState) -> CallEnd:
    if node.phase is NodePhase.SUCCEEDED:
        outputs = node.outputs
        return CallEnd(outputs=outputs.SerializeToString(deterministic=True) if outputs is not None else b"")
    failure = node.failure or Failure(code="FAILED", message=f"node {node.path!r} ended as {node.phase}")
    return CallEnd(failure=failure)
