"""Times in compiled workflows: those that nobody can wait for are refused before anything begins."""

from datetime import timedelta

from google.protobuf import duration_pb2
from google.protobuf.message import Message

from connectory.errors import InvalidTaskError

__all__ = ["require_times"]

_LONGEST = timedelta.max // timedelta(seconds=1)


def require_times(where: str, message: Message) -> None:
    """InvalidTaskError when a time anywhere in the message is longer than can be reckoned with."""
    for field, value in message.ListFields():
        if isinstance(value, duration_pb2.Duration):
            if abs(value.seconds) >= _LONGEST:
                raise InvalidTaskError(f"{where} has a {field.name} of {value.seconds} s; give 10,000 years at most")
        elif isinstance(value, Message):
            require_times(where, value)
