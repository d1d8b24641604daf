"""How a plugin tells the runner where an attempt stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connectory.connector.contract import LogLink, Phase
from connectory.texts import clipped, sendable
from connectory.v1 import literals_pb2, workflow_pb2
from workflow_runner.engine.failures import Failure, FailureKind

__all__ = ["DEFAULT_PHASE_VERSION", "PhaseInfo", "Transition", "do_transition"]

DEFAULT_PHASE_VERSION: Final = 0
_LONGEST: Final = 50_000
"""Characters of a failure's message: it is kept in logs, and goes to whoever looks at the execution."""


@dataclass(frozen=True, kw_only=True)
class PhaseInfo:
    """Where an attempt stands. Made by one of the functions below."""

    phase: Phase
    version: int = DEFAULT_PHASE_VERSION
    """Grows while the phase stays the same; a greater one also lets a plugin go back from RUNNING to an earlier phase,
    which is otherwise refused."""
    message: str = ""
    log_links: Sequence[LogLink] = ()
    facts: str = ""
    """Facts of the external system for people to see, as a JSON object; empty: none."""
    outputs: literals_pb2.LiteralMap | None = None
    """Read only with phase SUCCEEDED; None: what the output writer was given."""
    nodes: workflow_pb2.DynamicJobSpec | None = None
    """Read only with phase SUCCEEDED: nodes that are to be run, and whose outputs count in place of `outputs`."""
    failure: Failure | None = None
    """Set with the phases that mean failure, and only with them."""
    live: bool = False
    """Whether something of a failed attempt may still run; the runner then calls `abort`."""

    def __post_init__(self) -> None:
        for name in ("message", "facts"):
            object.__setattr__(self, name, sendable(getattr(self, name)))

    @classmethod
    def queued(cls, message: str = "", *, version: int = DEFAULT_PHASE_VERSION) -> "PhaseInfo":
        """What the attempt needs has been asked for."""
        return cls(phase=Phase.QUEUED, version=version, message=message)

    @classmethod
    def initializing(cls, message: str = "", *, version: int = DEFAULT_PHASE_VERSION) -> "PhaseInfo":
        """What the attempt needs is being made ready."""
        return cls(phase=Phase.INITIALIZING, version=version, message=message)

    @classmethod
    def waiting_for_resources(cls, message: str = "", *, version: int = DEFAULT_PHASE_VERSION) -> "PhaseInfo":
        """Something that the attempt needs is not free now."""
        return cls(phase=Phase.WAITING_FOR_RESOURCES, version=version, message=message)

    @classmethod
    def running(
        cls, message: str = "", log_links: Sequence[LogLink] = (), *, version: int = DEFAULT_PHASE_VERSION
    ) -> "PhaseInfo":
        """The work goes on."""
        return cls(phase=Phase.RUNNING, version=version, message=message, log_links=log_links)

    @classmethod
    def success(
        cls, outputs: literals_pb2.LiteralMap | None = None, *, message: str = "", log_links: Sequence[LogLink] = ()
    ) -> "PhaseInfo":
        """The work is done. Without `outputs`, those that the output writer was given are the task's, or there are
        none.
        """
        return cls(phase=Phase.SUCCEEDED, outputs=outputs, message=message, log_links=log_links)

    @classmethod
    def expansion(cls, nodes: workflow_pb2.DynamicJobSpec) -> "PhaseInfo":
        """The work is done, and it was to say which nodes are to be run."""
        return cls(phase=Phase.SUCCEEDED, nodes=nodes)

    @classmethod
    def retryable_failure(
        cls,
        code: str,
        message: str,
        *,
        kind: FailureKind = "user",
        retry_after: float = 0.0,
        live: bool = False,
        log_links: Sequence[LogLink] = (),
    ) -> "PhaseInfo":
        """The attempt failed; another one may succeed."""
        failure = _failure(code, message, kind, recoverable=True, retry_after=retry_after)
        return cls(phase=Phase.RETRYABLE_FAILED, message=message, failure=failure, live=live, log_links=log_links)

    @classmethod
    def permanent_failure(
        cls,
        code: str,
        message: str,
        *,
        kind: FailureKind = "user",
        live: bool = False,
        log_links: Sequence[LogLink] = (),
    ) -> "PhaseInfo":
        """The attempt failed, and another one would fail too."""
        failure = _failure(code, message, kind, recoverable=False)
        return cls(phase=Phase.FAILED, message=message, failure=failure, live=live, log_links=log_links)

    @classmethod
    def aborted(
        cls, message: str, *, code: str = "ABORTED", live: bool = False, log_links: Sequence[LogLink] = ()
    ) -> "PhaseInfo":
        """Somebody else than the runner ended the work; the node fails, and is not repeated."""
        failure = _failure(code, message, "user", recoverable=False)
        return cls(phase=Phase.ABORTED, message=message, failure=failure, live=live, log_links=log_links)


@dataclass(frozen=True, kw_only=True)
class Transition:
    """The result of a round."""

    info: PhaseInfo
    again_in: float | None = None
    """After how many seconds the next round is due; `math.inf`: when the plugin wakes the attempt, and not before;
    None: the runner decides, and waits longer every time."""


def do_transition(info: PhaseInfo, *, again_in: float | None = None) -> Transition:
    """Say where the attempt stands, and when to ask again."""
    return Transition(info=info, again_in=again_in)


def _failure(code: str, message: str, kind: FailureKind, *, recoverable: bool, retry_after: float = 0.0) -> Failure:
    if not code or not message:
        raise ValueError("a failure needs a code and a message")
    text = clipped(sendable(message), _LONGEST)
    return Failure(code=sendable(code), message=text, kind=kind, recoverable=recoverable, retry_after=retry_after)
