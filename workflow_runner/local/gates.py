"""Gates that are open: somebody here is asked, one after the other."""

from __future__ import annotations

from collections import deque

from connectory.v1 import literals_pb2
from workflow_runner.engine.commands import SetTimer
from workflow_runner.engine.events import SignalGiven
from workflow_runner.engine.gates import signal_of
from workflow_runner.engine.state import NodePhase, State
from workflow_runner.local.names import Names

__all__ = ["OpenGates"]


class OpenGates:
    """Those that wait for an answer, in the order in which they were reached."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._paths: deque[str] = deque()

    def __bool__(self) -> bool:
        return bool(self._paths)

    def notice(self, timer: SetTimer, state: State) -> None:
        """A gate is reached when its time begins, which every gate has."""
        if timer.kind == "attempt" and signal_of(state.nodes[timer.node].spec):
            self._paths.append(timer.node)

    def ask(self, state: State, now: float) -> SignalGiven | None:
        """Ask at the first one; None when it was answered already."""
        node = state.nodes[self._paths.popleft()]
        if node.phase is not NodePhase.RUNNING:
            return None
        signal = signal_of(node.spec)
        value = self._names.gates[signal].answer(node.inputs or literals_pb2.LiteralMap())
        return SignalGiven(at=now, signal=signal, value=value.SerializeToString(deterministic=True))

    def clear(self) -> None:
        """Nobody is to be asked any more."""
        self._paths.clear()
