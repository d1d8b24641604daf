"""What gates of an execution wait for, and what may be answered to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectory.errors import AlreadyExistsError, NotFoundError, TypeConversionError, UserError
from connectory.types import TypeRegistry
from connectory.types.structure_check import check_structure
from connectory.v1 import literals_pb2, types_pb2
from workflow_runner.engine.agreement import nodes_of
from workflow_runner.engine.asking import asked_by
from workflow_runner.engine.gates import signal_of
from workflow_runner.engine.graph import NodeSpec
from workflow_runner.engine.state import NodePhase, State

__all__ = ["SignalView", "check_answer", "is_waiting", "signals_of"]

_CALENDAR_END = datetime.max.replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True, kw_only=True)
class SignalView:
    """One signal that gates of an execution wait for, have waited for, or are going to wait for."""

    id: str
    is_approval: bool
    """Whether yes or no is asked for, about `shown`; otherwise a value."""
    type: types_pb2.LiteralType
    """What an answer must be; a boolean for an approval."""
    nodes: Sequence[str]
    """The nodes that wait for it now."""
    shown: literals_pb2.LiteralMap
    """What an approval is about, once that is known."""
    deadline: datetime | None
    """When the first of the nodes gives up; None: never, as far as the calendar goes."""
    answer: literals_pb2.Literal | None
    """What was answered."""

    @property
    def is_waiting(self) -> bool:
        """Whether a node waits for it now."""
        return bool(self.nodes)


def signals_of(state: State) -> Sequence[SignalView]:
    """The signals of an execution, in the order of its nodes."""
    found: dict[str, list[NodeSpec]] = {}
    for _, spec in nodes_of(state.program, state.nodes, state.scopes):
        if signal := signal_of(spec):
            found.setdefault(signal, []).append(spec)
    return [_view(state, signal, specs[0]) for signal, specs in found.items()]


def is_waiting(state: State) -> bool:
    """Whether a node waits for a signal now."""
    return any(node.phase is NodePhase.RUNNING and signal_of(node.spec) for node in state.nodes.values())


def check_answer(state: State, signal: str, value: literals_pb2.Literal, types: TypeRegistry) -> None:
    """Raise unless this may be answered: UserError, NotFoundError, TypeConversionError or AlreadyExistsError."""
    if state.phase.is_terminal:
        raise UserError(f"execution {state.execution!r} has ended; nothing waits for {signal!r}")
    views = {view.id: view for view in signals_of(state)}
    view = views.get(signal)
    if view is None:
        known = ", ".join(map(repr, views)) or "none"
        raise NotFoundError(f"execution {state.execution!r} waits for no signal {signal!r}; its signals are: {known}")
    try:
        types.check(value, view.type)
        check_structure(value, view.type)  # nobody could answer again
    except TypeConversionError as error:
        raise TypeConversionError(f"signal {signal!r} of execution {state.execution!r}: {error}") from error
    if view.answer is not None and view.answer != value:
        raise AlreadyExistsError(f"signal {signal!r} of execution {state.execution!r} was answered already")


def _view(state: State, signal: str, spec: NodeSpec) -> SignalView:
    nodes = [
        node for node in state.nodes.values() if node.phase is NodePhase.RUNNING and signal_of(node.spec) == signal
    ]
    deadlines = [node.deadline for node in nodes if node.deadline is not None]
    is_approval = spec.gate is not None and spec.gate.WhichOneof("condition") == "approve"
    asked = asked_by(spec.gate) if spec.gate is not None else None
    shown = next((node.inputs for node in nodes if node.inputs is not None), literals_pb2.LiteralMap())
    return SignalView(
        id=signal,
        is_approval=is_approval,
        type=asked[1] if asked is not None else types_pb2.LiteralType(),
        nodes=[node.path for node in nodes],
        shown=shown,
        deadline=_time(min(deadlines)) if deadlines else None,
        answer=state.signals.get(signal),
    )


def _time(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds < _CALENDAR_END else None
