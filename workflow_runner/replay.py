"""Rebuilding an execution from its log."""

from collections.abc import Sequence

import msgspec

from connectory.errors import StoreError
from workflow_runner.engine.apply import apply_all
from workflow_runner.engine.commands import Command, StartAttempt, StopAttempt, decode_commands
from workflow_runner.engine.events import Event, ExecutionStarted, decode_event
from workflow_runner.engine.rules import RULES
from workflow_runner.engine.state import State
from workflow_runner.store.contract import LogRecord

__all__ = ["replay"]


def replay(execution_id: str, log: Sequence[LogRecord]) -> State:
    """The state that the log leads to.

    What the engine decides on the way must be what was decided, and perhaps done, when the log was written; otherwise
    jobs could be created twice or forgotten, and a StoreError says where it differs. So it does of a record that cannot
    be read, and of an execution that a newer runner has begun by rules that are not known here.
    """
    records = [_read(execution_id, number, record) for number, record in enumerate(log)]
    begun = records[0][0] if records else None
    if isinstance(begun, ExecutionStarted) and begun.rules > RULES:
        raise StoreError(
            f"execution {execution_id!r} goes by the rules {begun.rules} of a newer runner, and this one knows those "
            f"up to {RULES}; leave it to the newer one, or upgrade this one"
        )
    state, asked = apply_all(State(), [event for event, _ in records])
    for number, ((_, written), commands) in enumerate(zip(records, asked, strict=True)):
        if _outside(written) != _outside(commands):
            raise StoreError(
                f"record {number} of execution {execution_id!r} was decided differently when it was written; "
                "resume it with the version of the runner that wrote it"
            )
    return state


def _read(execution_id: str, number: int, record: LogRecord) -> tuple[Event, Sequence[Command]]:
    try:
        return decode_event(record.event), decode_commands(record.commands)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"record {number} of execution {execution_id!r} cannot be read: {error}; it is damaged, or was written by "
            "a newer runner"
        ) from error


def _outside(commands: Sequence[Command]) -> list[tuple[str, str]]:
    return [
        (type(command).__name__, command.key) for command in commands if isinstance(command, StartAttempt | StopAttempt)
    ]
