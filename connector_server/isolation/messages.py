"""What the server and a connector's process tell each other beside the calls: a line of JSON for each message.

Raise `PROTOCOL` when one side would misunderstand an older other side, here or in the calls of `link` and `service`.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal, TypeAlias

import msgspec

__all__ = [
    "LONGEST_LINE",
    "PROTOCOL",
    "Assignment",
    "Broken",
    "Described",
    "FromChild",
    "LogLevel",
    "Logged",
    "Ready",
    "Refused",
    "SecretAnswer",
    "SecretWanted",
    "Source",
    "ToChild",
    "encoded",
    "release",
    "skew",
]

PROTOCOL: Final = 2
LONGEST_LINE: Final = 16 * 1024 * 1024
_encoder: Final = msgspec.json.Encoder()


class Source(msgspec.Struct, frozen=True):
    """Where the connectors come from."""

    kind: Literal["entry point", "module"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """The first line that a child reads: what it serves, and where."""

    protocol: int
    release: str
    """The server's version of this package; empty when it is not installed as one."""
    source: Source
    socket: str
    log_level: int
    patience: float
    """Seconds that the connectors may take to close."""


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector declares, and what it offers."""

    name: str
    source: str
    categories: list[tuple[str, int]]
    is_sync: bool
    offers: list[str]
    """Of the operations that a connector may leave out, those that it has: find, logs, metrics."""
    limits: dict[str, Any]
    handle_version: int = 1
    on_orphan: Literal["keep", "delete"] = "keep"
    lease: float = 0.0
    poll_every: float | None = None


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the source that could not be loaded."""

    name: str
    source: str
    reason: str


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """The child answers calls."""

    connectors: list[Described]
    broken: list[Broken]


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The child cannot serve, and ends."""

    reason: str


class SecretWanted(msgspec.Struct, frozen=True, kw_only=True, tag="secret"):
    """A connector reads a secret during a call, for which it is allowed what the call is allowed."""

    number: int
    call: str
    key: str
    group: str | None = None
    version: str | None = None


class SecretAnswer(msgspec.Struct, frozen=True, kw_only=True, tag="secret"):
    """The secret; or why there is none, as a sentence or as the bytes of a `google.rpc.Status`."""

    number: int
    value: str = ""
    missing: str = ""
    refused: bytes = b""


class LogLevel(msgspec.Struct, frozen=True, kw_only=True, tag="log level"):
    """From now on the child logs what is at least as grave as this."""

    level: int


class Logged(msgspec.Struct, frozen=True, kw_only=True, tag="log"):
    """A record of the child's log."""

    logger: str
    level: int
    message: str
    created: float
    exception: str = ""
    stack: str = ""
    extra: dict[str, Any] = {}


ToChild: TypeAlias = SecretAnswer | LogLevel
"""What the server says after the assignment."""
FromChild: TypeAlias = Ready | Refused | SecretWanted | Logged


def encoded(message: msgspec.Struct) -> bytes:
    """The message as a line."""
    return _encoder.encode(message) + b"\n"


def release() -> str:
    """Which version of this package runs here; empty when it is not installed as one."""
    try:
        return version("connectory")
    except PackageNotFoundError:
        return ""


def skew(assignment: Assignment) -> str:
    """Why this child and the server that started it do not fit together; empty: they do."""
    mine, theirs = release(), assignment.release
    fits = not mine or not theirs or mine.split(".")[:2] == theirs.split(".")[:2]
    if assignment.protocol == PROTOCOL and fits:
        return ""
    return (
        f"its environment has connectory {mine or 'of an unknown version'} (protocol {PROTOCOL}) and the server is"
        f" {theirs or 'of an unknown version'} (protocol {assignment.protocol}); install the server's version there"
    )
