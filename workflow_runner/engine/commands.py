"""What the engine wants done. Every command may be performed twice: its key, or its name, makes that safe."""

from collections.abc import Sequence
from typing import Literal

import msgspec

__all__ = [
    "AnswerCall",
    "CloseExecution",
    "Command",
    "GiveUp",
    "LookUp",
    "Remember",
    "SetTimer",
    "StartAttempt",
    "StopAttempt",
    "TimerKind",
    "decode_commands",
    "encode_commands",
]

TimerKind = Literal["attempt", "queue", "total", "retry", "wake"]


class StartAttempt(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Run this attempt of the node; answered by `AttemptSucceeded` or `AttemptFailed`."""

    node: str
    attempt: int
    key: str
    """Names this attempt everywhere and for ever: whatever is created for it is created under this key, once."""


class StopAttempt(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """End whatever the attempt started and make sure that it is gone; answered by `AttemptStopped`."""

    node: str
    attempt: int
    key: str
    cause: str = ""


class SetTimer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Answer with `TimerFired` at the time `at`, and in any case once `after` seconds have passed on a steady clock."""

    kind: TimerKind
    node: str
    attempt: int
    at: float
    after: float


class LookUp(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Look for a result that was kept under this key; answered by `CacheAnswered`."""

    node: str
    attempt: int
    key: str
    alone: bool = False
    """Whether only one may work the result out at a time: then wait for who does, or become that one."""
    max_age: float = 0.0
    """An older result does not count; 0: any does."""


class Remember(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Keep a result under this key, and let go those who wait for it. Nothing answers."""

    node: str
    attempt: int
    key: str
    outputs: bytes
    """A `LiteralMap`."""


class GiveUp(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The result under this key won't be worked out here: let another one try. Nothing answers."""

    node: str
    key: str


class AnswerCall(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Tell an attempt that a node which it called has ended, as the state says. Nothing answers."""

    node: str
    attempt: int
    call: str


class CloseExecution(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The execution has ended; no other command follows and no event is expected."""


Command = StartAttempt | StopAttempt | SetTimer | LookUp | Remember | GiveUp | AnswerCall | CloseExecution

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[tuple[Command, ...]] = msgspec.msgpack.Decoder(tuple[Command, ...])


def encode_commands(commands: Sequence[Command]) -> bytes:
    """The commands as they are kept in the log beside the event that led to them."""
    return _encoder.encode(tuple(commands))


def decode_commands(data: bytes) -> tuple[Command, ...]:
    """The reverse of `encode_commands`."""
    return _decoder.decode(data)
