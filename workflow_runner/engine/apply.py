"""The engine: a function from a state and an event to the next state and what is to be done.

It knows no clock, no randomness, no wire and no store. The same events, in the same order, always lead to the same
state and the same commands.
"""

from collections.abc import Iterable, Sequence

from connectory.v1 import literals_pb2, workflow_pb2
from workflow_runner.engine import attempts
from workflow_runner.engine.commands import Command
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.events import (
    AbortRequested,
    AttemptFailed,
    AttemptProgressed,
    AttemptStopped,
    AttemptSucceeded,
    Event,
    ExecutionStarted,
    TimerFired,
)
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.graph import program_of
from workflow_runner.engine.scheduling import advance
from workflow_runner.engine.scopes import end_scope, open_scope
from workflow_runner.engine.state import ROOT, NodePhase, State

__all__ = ["apply", "apply_all"]


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
        case AttemptFailed():
            attempts.on_failed(draft, event)
        case AttemptStopped():
            attempts.on_stopped(draft, event)
        case TimerFired():
            attempts.on_timer(draft, event)
        case AbortRequested():
            _abort(draft, event)
        case ExecutionStarted():
            _start(draft, event)


def _start(draft: Draft, event: ExecutionStarted) -> None:
    if draft.base.execution:
        return
    program = program_of(workflow_pb2.CompiledWorkflowClosure.FromString(event.closure))
    draft.base = State(
        execution=event.execution,
        project=event.project,
        domain=event.domain,
        key_prefix=event.key_prefix or event.execution,
        program=program,
        settings=event.settings,
        started_at=event.at,
    )
    open_scope(draft, ROOT, program.graphs[program.primary], literals_pb2.LiteralMap.FromString(event.inputs))


def _abort(draft: Draft, event: AbortRequested) -> None:
    if ROOT not in draft.scopes or draft.root.ending is NodePhase.ABORTED:
        return
    failure = Failure(code="ABORTED", message=event.cause or "aborted on request")
    end_scope(draft, draft.root, NodePhase.ABORTED, failure)
