"""What happened: the only input of the engine, and the log that an execution is rebuilt from.

Every event carries the time at which it happened, in seconds since 1970 (UTC). Protobuf messages are inside as bytes.
An event about an attempt that is no longer the node's current one changes nothing, so an event may come twice or late.
"""

from typing import Final

import msgspec

from workflow_runner.engine.failures import Failure
from workflow_runner.engine.reuse import Reuse
from workflow_runner.engine.settings import ExecutionSettings

__all__ = [
    "ATTEMPT_ENDS",
    "AbortRequested",
    "AttemptExpanded",
    "AttemptFailed",
    "AttemptProgressed",
    "AttemptStopped",
    "AttemptSucceeded",
    "CacheAnswered",
    "Event",
    "ExecutionStarted",
    "JobsHandedOver",
    "LogLink",
    "NodeCalled",
    "NodeWithdrawn",
    "SignalGiven",
    "TimerFired",
    "decode_event",
    "encode_event",
]


class LogLink(msgspec.Struct, frozen=True, kw_only=True):
    """A page where a person can read about the attempt."""

    uri: str
    name: str = ""


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    at: float


class _AttemptEvent(_Event, frozen=True, kw_only=True):
    node: str
    attempt: int


class ExecutionStarted(_Event, frozen=True, kw_only=True):
    """Always the first event, and only the first."""

    execution: str
    project: str = ""
    domain: str = ""
    key_prefix: str = ""
    """What keys of attempts begin with; unlike an execution's name it is never used twice. Empty: the name."""
    closure: bytes
    """The compiled workflow, a `CompiledWorkflowClosure`."""
    inputs: bytes
    """The inputs, a `LiteralMap`."""
    launch_plans: tuple[bytes, ...] = ()
    """What launch plans of the closure start: messages of `LaunchPlan`."""
    settings: ExecutionSettings = ExecutionSettings()
    reuse: Reuse = Reuse()
    """What is taken over from an earlier execution."""
    rules: int = 0
    """Which of the engine's rules hold, see `rules.RULES`; 0: those from before there was a choice."""


class AttemptProgressed(_AttemptEvent, frozen=True, kw_only=True):
    """The attempt has something new to show. It decides nothing and may be lost."""

    phase: int
    """A number of `TaskExecution.Phase`."""
    message: str = ""
    log_links: tuple[LogLink, ...] = ()
    facts: str = ""
    """Facts of the external system for people, as a JSON object; empty: there are none, or no new ones."""


class AttemptSucceeded(_AttemptEvent, frozen=True, kw_only=True):
    """The attempt ended well, and nothing of it runs any more."""

    outputs: bytes
    """A `LiteralMap`."""
    message: str = ""
    log_links: tuple[LogLink, ...] = ()
    facts: str = ""


class AttemptExpanded(_AttemptEvent, frozen=True, kw_only=True):
    """The attempt ended well and left nodes behind, whose outputs are to be its own."""

    spec: bytes
    """A `DynamicJobSpec`."""
    message: str = ""
    log_links: tuple[LogLink, ...] = ()
    facts: str = ""


class AttemptFailed(_AttemptEvent, frozen=True, kw_only=True):
    """The attempt ended badly."""

    failure: Failure
    live: bool = False
    """Whether something of it may still run, so that it must be stopped before the node goes on."""
    log_links: tuple[LogLink, ...] = ()
    facts: str = ""


class AttemptStopped(_AttemptEvent, frozen=True, kw_only=True):
    """The answer to `StopAttempt`: nothing of the attempt runs any more."""

    unconfirmed: str = ""
    """Not empty: why that could not be confirmed."""


class TimerFired(_Event, frozen=True, kw_only=True):
    """A time that `SetTimer` named has come."""

    kind: str
    node: str
    attempt: int


class SignalGiven(_Event, frozen=True, kw_only=True):
    """Somebody answered to the gates that wait for this signal, now or later. The first answer counts."""

    signal: str
    value: bytes
    """A `Literal`."""


class CacheAnswered(_AttemptEvent, frozen=True, kw_only=True):
    """The answer to `LookUp`."""

    outputs: bytes | None = None
    """A `LiteralMap`; None: the result has to be worked out."""
    source: str = ""
    """Who worked it out."""


class NodeCalled(_AttemptEvent, frozen=True, kw_only=True):
    """An attempt asks for a node to be run while it goes on; `AnswerCall` tells it that the node has ended."""

    call: str
    """The node's id. It follows from what is called: the same code calls the same nodes when it is run again."""
    spec: bytes
    """A `DynamicJobSpec` with this one node, and the tasks and workflows that it takes."""
    inputs: bytes
    """A `LiteralMap`."""
    launch_plans: tuple[bytes, ...] = ()
    """What launch plans among them start: messages of `LaunchPlan`."""


class NodeWithdrawn(_AttemptEvent, frozen=True, kw_only=True):
    """An attempt does not want a node any more that it called."""

    call: str


class JobsHandedOver(_Event, frozen=True, kw_only=True):
    """Another execution goes on with attempts of this one: they are not ended when this one is."""

    to: str
    nodes: tuple[str, ...]
    """The paths of their nodes."""
    keys: tuple[str, ...] = ()
    """The keys of these attempts, beside their nodes; a node that has another attempt by now is not handed over. Empty:
    whatever attempts the nodes have."""


class AbortRequested(_Event, frozen=True, kw_only=True):
    """Somebody wants the execution to end now."""

    cause: str = ""


Event = (
    ExecutionStarted
    | AttemptProgressed
    | AttemptSucceeded
    | AttemptExpanded
    | AttemptFailed
    | AttemptStopped
    | TimerFired
    | SignalGiven
    | CacheAnswered
    | NodeCalled
    | NodeWithdrawn
    | JobsHandedOver
    | AbortRequested
)

ATTEMPT_ENDS: Final = (AttemptSucceeded, AttemptExpanded, AttemptFailed, AttemptStopped)
"""Events after which an attempt does nothing more, unless it failed while something of it still ran."""

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode_event(event: Event) -> bytes:
    """The event as it is kept in the log."""
    return _encoder.encode(event)


def decode_event(data: bytes) -> Event:
    """The reverse of `encode_event`."""
    return _decoder.decode(data)
