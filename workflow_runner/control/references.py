"""What workflows refer to in other projects, and whether the caller of a method may do so."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Final

from google.protobuf.message import Message

from connectory.v1 import identifiers_pb2

__all__ = ["Check", "check_references", "checked_by"]

Check = Callable[[tuple[str, ...], identifiers_pb2.Identifier], None]
"""Raises a `PermissionDeniedError` unless the caller may do one of the operations where that is registered."""

_checked_by: Final[ContextVar[Check | None]] = ContextVar("control_checked_by", default=None)


def checked_by(check: Check) -> None:
    """Let this decide about references for the rest of the present call."""
    _checked_by.set(check)


def check_references(message: Message, *operations: str) -> None:
    """Refuse a workflow that refers to what its caller has no right to: one of the operations, in its project.

    Nothing is refused where no caller is known: there are no tokens, or the runner itself goes on with something.
    """
    check = _checked_by.get()
    if check is not None:
        for identifier in _identifiers(message):
            check(operations, identifier)


def _identifiers(message: Message) -> Iterator[identifiers_pb2.Identifier]:
    """All identifiers within a message, however deep."""
    if isinstance(message, identifiers_pb2.Identifier):
        if message.project:
            yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            held = value.values() if field.message_type.fields_by_name["value"].message_type is not None else ()
        else:
            held = value if field.is_repeated else (value,)
        for each in held:
            yield from _identifiers(each)
