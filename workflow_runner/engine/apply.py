"""The engine: a function from a state and an event to the next state and what is to be done.

It knows no clock, no randomness, no wire and no store. The same events, in the same order, always lead to the same
state and the same commands.
"""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from connectory.v1 import literals_pb2
from workflow_runner.engine import answers, attempts, calls
from workflow_runner.engine.commands import Command
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.events import (
    AbortRequested,
    AttemptExpanded,
    AttemptFailed,
    AttemptProgressed,
    AttemptStopped,
    AttemptSucceeded,
    CacheAnswered,
    Event,
    ExecutionStarted,
    JobsHandedOver,
    NodeCalled,
    NodeWithdrawn,
    SignalGiven,
    TimerFired,
)
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.program import program_in
from workflow_runner.engine.scheduling import advance
from workflow_runner.engine.scopes import end_scope, let_go, open_scope
from workflow_runner.engine.state import ROOT, NodePhase, ScopeState, State

__all__ = ["HANDED_OVER", "apply", "apply_all"]

HANDED_OVER = "HANDED_OVER"
"""The code of the failure of a node whose attempt another execution goes on with."""


def apply(state: State, event: Event) -> tuple[State, list[Command]]:
    """The state after the event, and what is to be done because of it."""
    state, commands = apply_all(state, [event])
    return state, list(commands[0])


def apply_all(state: State, events: Iterable[Event]) -> tuple[State, list[Sequence[Command]]]:
    """`apply` for several events in a row; the commands are given for each event."""
    draft = Draft(state)
    asked: list[Sequence[Command]] = []
    for event in events:
        draft.commands = []
        draft.now = event.at
        if not draft.phase.is_terminal:
            _dispatch(draft, event)
            advance(draft)
        asked.append(draft.commands)
    return draft.finish(), asked


def _dispatch(draft: Draft, event: Event) -> None:
    match event:
        case AttemptProgressed():
            attempts.on_progressed(draft, event)
        case AttemptSucceeded():
            attempts.on_succeeded(draft, event)
        case AttemptExpanded():
            attempts.on_expanded(draft, event)
        case AttemptFailed():
            attempts.on_failed(draft, event)
        case AttemptStopped():
            attempts.on_stopped(draft, event)
        case TimerFired():
            attempts.on_timer(draft, event)
        case SignalGiven():
            answers.on_signal(draft, event)
        case CacheAnswered():
            answers.on_cache_answered(draft, event)
        case NodeCalled():
            calls.on_called(draft, event)
        case NodeWithdrawn():
            calls.on_withdrawn(draft, event)
        case JobsHandedOver():
            _hand_over(draft, event)
        case AbortRequested():
            _abort(draft, event)
        case ExecutionStarted():
            _start(draft, event)


def _start(draft: Draft, event: ExecutionStarted) -> None:
    if draft.base.execution:
        return
    program = program_in(event.closure, event.launch_plans)
    draft.base = State(
        execution=event.execution,
        project=event.project,
        domain=event.domain,
        key_prefix=event.key_prefix or event.execution,
        program=program,
        rules=event.rules,
        settings=event.settings,
        reuse=event.reuse,
        started_at=event.at,
    )
    inputs = literals_pb2.LiteralMap.FromString(event.inputs)
    count = len(program.graph.nodes)
    open_scope(draft, ScopeState(path=ROOT, graph=program.graph, inputs=inputs, binds_in=ROOT, remaining=count))


def _hand_over(draft: Draft, event: JobsHandedOver) -> None:
    failure = Failure(code=HANDED_OVER, message=f"execution {event.to!r} goes on with it")
    for path, key in zip_longest(event.nodes, event.keys):
        node = draft.nodes.get(path)
        if node is not None and key in (None, draft.base.key_of(node)):
            let_go(draft, node, failure)
    if ROOT in draft.scopes:
        end_scope(draft, draft.root, NodePhase.ABORTED, failure)


def _abort(draft: Draft, event: AbortRequested) -> None:
    if ROOT not in draft.scopes or draft.root.ending is NodePhase.ABORTED:
        return
    failure = Failure(code="ABORTED", message=event.cause or "aborted on request")
    end_scope(draft, draft.root, NodePhase.ABORTED, failure)
