"""What the runner and the process that runs a task's code tell each other; protobuf messages are inside as bytes."""

from typing import Literal

import msgspec

__all__ = [
    "Answered",
    "Asked",
    "Call",
    "Expanded",
    "Failed",
    "FromWorker",
    "Reply",
    "Returned",
    "ToWorker",
    "Withdrawn",
]


class Call(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What is to be run."""

    template: bytes
    inputs: bytes
    project: str = ""
    domain: str = ""
    execution: str = ""
    attempt: int = 0
    output_prefix: str = ""
    code: str = ""
    """Where the code is, as far as its template says; a process has the code of one place only."""


class Returned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code returned."""

    outputs: bytes


class Expanded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code said which nodes are to be run."""

    nodes: bytes


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code did not return what it declares."""

    code: str
    message: str
    kind: Literal["user", "system"] = "user"
    recoverable: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code calls a task, workflow or launch plan, and goes on."""

    call: str
    """The id of the node; the same code asks under the same ids when it is run again."""
    spec: bytes
    """A `DynamicJobSpec` with this node."""
    inputs: bytes
    launch_plans: tuple[bytes, ...] = ()


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code does not wait any more for what it called."""

    call: str


class Answered(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How a call ended."""

    call: str
    outputs: bytes = b""
    failed: Failed | None = None


Reply = Returned | Expanded | Failed
FromWorker = Returned | Expanded | Failed | Asked | Withdrawn
ToWorker = Call | Answered
