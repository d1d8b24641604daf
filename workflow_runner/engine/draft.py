"""A state while events are being applied to it: what changed, and what the changes ask for."""

from collections import deque
from typing import Any

import msgspec

from workflow_runner.engine.commands import Command, SetTimer, TimerKind
from workflow_runner.engine.state import ROOT, ExecutionPhase, NodeState, ScopeState, State

__all__ = ["Draft"]


class Draft:
    """A copy of a state to write on. `finish` turns it into a new state; the old one stays as it was."""

    def __init__(self, state: State) -> None:
        self.base = state
        self.nodes: dict[str, NodeState] = dict(state.nodes)
        self.scopes: dict[str, ScopeState] = dict(state.scopes)
        self.queue = deque(state.queue)
        self.running = state.running
        self.lines = {plan: deque(line) for plan, line in state.lines.items()} if state.lines else {}
        self.taken: dict[str, int] = dict(state.taken)
        self.places: dict[str, int] = dict(state.places)
        self.signals = dict(state.signals)
        self.placeless: deque[str] = deque()
        """Nodes that begin now and take no place, because they wait for others most of their time."""
        self.ready: deque[str] = deque()
        """Nodes that nothing holds back any more and that have not been looked at yet."""
        self.commands: list[Command] = []
        self.changes: dict[str, Any] = {}
        self.now = 0.0
        """The time of the event being applied."""

    def finish(self) -> State:
        """The new state."""
        return msgspec.structs.replace(
            self.base,
            nodes=self.nodes,
            scopes=self.scopes,
            queue=tuple(self.queue),
            running=self.running,
            lines={plan: tuple(line) for plan, line in self.lines.items()} if self.lines else {},
            taken=self.taken,
            places=self.places,
            signals=self.signals,
            **self.changes,
        )

    @property
    def phase(self) -> ExecutionPhase:
        """The execution's phase as of now."""
        phase: ExecutionPhase = self.changes.get("phase", self.base.phase)
        return phase

    def change(self, node: NodeState, **changes: Any) -> NodeState:
        """Replace a node by one that differs in these fields, and return it."""
        changed = msgspec.structs.replace(node, **changes)
        self.nodes[node.path] = changed
        return changed

    def change_scope(self, scope: ScopeState, **changes: Any) -> ScopeState:
        """Replace a scope by one that differs in these fields, and return it."""
        changed = msgspec.structs.replace(scope, **changes)
        self.scopes[scope.path] = changed
        return changed

    def change_execution(self, **changes: Any) -> None:
        """Set fields of the execution itself."""
        self.changes.update(changes)

    def set_timer(self, kind: TimerKind, node: NodeState, after: float, at: float) -> None:
        """Ask for a timer."""
        attempt = node.first_attempt if kind == "total" else node.attempt
        self.commands.append(SetTimer(kind=kind, node=node.path, attempt=attempt, at=at, after=after))

    @property
    def root(self) -> ScopeState:
        """The scope of the execution's own workflow."""
        return self.scopes[ROOT]
