"""Rebuilding an execution from its log."""

from collections.abc import Sequence

from connectory.errors import StoreError
from workflow_runner.engine.apply import apply_all
from workflow_runner.engine.commands import Command, StartAttempt, StopAttempt, decode_commands
from workflow_runner.engine.events import decode_event
from workflow_runner.engine.state import State
from workflow_runner.store.contract import LogRecord

__all__ = ["replay"]


def replay(execution_id: str, log: Sequence[LogRecord]) -> State:
    """The state that the log leads to.

    What the engine decides on the way must be what was decided, and perhaps done, when the log was written; otherwise
    jobs could be created twice or forgotten, and a StoreError says where it differs.
    """
    state, asked = apply_all(State(), (decode_event(record.event) for record in log))
    for number, (record, commands) in enumerate(zip(log, asked, strict=True)):
        if _outside(decode_commands(record.commands)) != _outside(commands):
            raise StoreError(
                f"record {number} of execution {execution_id!r} was decided differently when it was written; "
                "resume it with the version of the runner that wrote it"
            )
    return state


def _outside(commands: Sequence[Command]) -> list[tuple[str, str]]:
    return [
        (type(command).__name__, command.key) for command in commands if isinstance(command, StartAttempt | StopAttempt)
    ]
