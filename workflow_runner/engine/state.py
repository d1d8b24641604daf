"""Where an execution stands. A state is a value: applying an event makes a new one and leaves the old one alone."""

import enum
from collections.abc import Mapping

import msgspec

from connectory.v1 import literals_pb2
from workflow_runner.engine.events import LogLink
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.graph import Array, Graph, NodeSpec
from workflow_runner.engine.program import Program
from workflow_runner.engine.reuse import AdoptedJob, Reuse
from workflow_runner.engine.settings import ExecutionSettings

__all__ = ["ROOT", "ExecutionPhase", "NodePhase", "NodeState", "Outcome", "ScopeState", "State", "child_path"]

ROOT = ""
"""The path of the scope of the execution's own workflow."""


class ExecutionPhase(enum.StrEnum):
    """Where a whole execution stands."""

    RUNNING = "RUNNING"
    FAILING = "FAILING"
    ABORTING = "ABORTING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"

    @property
    def is_terminal(self) -> bool:
        """Whether the execution has ended."""
        return self in _ENDED


_ENDED = (ExecutionPhase.SUCCEEDED, ExecutionPhase.FAILED, ExecutionPhase.ABORTED)


class NodePhase(enum.StrEnum):
    """Where a node stands."""

    WAITING = "WAITING"
    """Something before it has not finished."""
    LOOKING = "LOOKING"
    """It could run; whether its result is known already is being looked up, or somebody else works it out."""
    QUEUED = "QUEUED"
    """It could run; the execution's parallelism does not allow it yet."""
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    """An attempt failed; the next one begins when its time comes."""
    STOPPING = "STOPPING"
    """An attempt is being ended; what it started is not confirmed gone yet."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"
    SKIPPED = "SKIPPED"
    """It never began, because the workflow ended before its turn."""

    @property
    def is_live(self) -> bool:
        """Whether the node has begun and not ended."""
        return self in _LIVE

    @property
    def is_terminal(self) -> bool:
        """Whether the node's phase never changes again."""
        return self is not NodePhase.WAITING and self not in _LIVE


_LIVE = frozenset({NodePhase.LOOKING, NodePhase.QUEUED, NodePhase.RUNNING, NodePhase.RETRYING, NodePhase.STOPPING})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a node once its current attempt is confirmed gone."""

    phase: NodePhase
    """RETRYING, FAILED, TIMED_OUT or ABORTED."""
    failure: Failure


class NodeState(msgspec.Struct, frozen=True, kw_only=True):
    """Where one node stands."""

    path: str
    """The ids from the outermost workflow down to this node, joined by dots."""
    scope: str
    """The path of the scope it belongs to."""
    spec: NodeSpec
    phase: NodePhase = NodePhase.WAITING
    waiting: int = 0
    """How many nodes before it have not succeeded."""
    attempt: int = 0
    """The number of the current attempt, from 0."""
    first_attempt: int = 0
    """Not 0 when its workflow is repeated: attempts are counted on."""
    failures: Mapping[str, int] = {}
    """How many attempts failed, by kind of failure."""
    inputs: literals_pb2.LiteralMap | None = None
    outputs: literals_pb2.LiteralMap | None = None
    failure: Failure | None = None
    """Why the last attempt, or the node, did not succeed."""
    outcome: Outcome | None = None
    """Set while STOPPING."""
    queued_at: float | None = None
    started_at: float | None = None
    """When the current attempt began."""
    ended_at: float | None = None
    deadline: float | None = None
    """When the current attempt's time is over."""
    queue_deadline: float | None = None
    """When the current attempt must have begun to run; None once it has."""
    total_deadline: float | None = None
    """When the node's whole time is over."""
    retry_at: float | None = None
    """When the next attempt begins. Set while RETRYING."""
    retry_delay: float = 0.0
    """How many seconds lie between the failure and `retry_at`."""
    wakes_at: float | None = None
    """When a node that sleeps is done."""
    cache_key: str = ""
    """Under which its result is looked up and kept; empty: it is not."""
    reused_from: str = ""
    """The earlier execution that its result was taken over from; empty: it was worked out here."""
    has_news: bool = False
    """Whether something that it depends on was not taken over from the earlier execution."""
    adopted: AdoptedJob | None = None
    """The job of an earlier execution that its first attempt goes on with."""
    cached_from: str = ""
    """Where its result was taken from; empty: it was worked out here."""
    is_over: bool = False
    """Whether the current attempt itself has ended while STOPPING, and only what it called still runs."""
    is_handler: bool = False
    """Whether it is run because its workflow has failed."""
    job_phase: int = 0
    """What the current attempt last reported, as a number of `TaskExecution.Phase`."""
    message: str = ""
    log_links: tuple[LogLink, ...] = ()
    facts: str = ""
    """What the external system said about the current attempt for people to see, as a JSON object."""


class ScopeState(msgspec.Struct, frozen=True, kw_only=True):
    """Where one running workflow stands: the execution's own, or the one inside a node."""

    path: str
    graph: Graph
    inputs: literals_pb2.LiteralMap
    binds_in: str
    """The path of the scope whose inputs and nodes bindings refer to: the way that a branch takes refers to others."""
    remaining: int
    """How many nodes have not ended."""
    array: Array | None = None
    """What is repeated, when the nodes are the repetitions of an array node."""
    begun: int = 0
    """How many repetitions were let go."""
    failed: int = 0
    """How many repetitions have failed."""
    bounds: tuple[str, ...] = ()
    """The paths of the nodes around it whose launch plans bound how much runs inside of them, the innermost first."""
    is_eager: bool = False
    """Whether the nodes are what an attempt calls while it runs: they are added one by one, and it is told how they
    end."""
    handled: bool = False
    """Whether the failure node was begun."""
    live: int = 0
    """How many nodes have begun and not ended."""
    ending: NodePhase | None = None
    """FAILED, TIMED_OUT or ABORTED once the workflow is to end without success and only waits for what still runs."""
    failure: Failure | None = None
    """The first failure."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where an execution stands."""

    execution: str = ""
    """Empty before the first event."""
    project: str = ""
    domain: str = ""
    key_prefix: str = ""
    rules: int = 0
    """What the engine knew to decide when the execution began."""
    program: Program | None = None
    settings: ExecutionSettings = ExecutionSettings()
    reuse: Reuse = Reuse()
    phase: ExecutionPhase = ExecutionPhase.RUNNING
    nodes: Mapping[str, NodeState] = {}
    scopes: Mapping[str, ScopeState] = {}
    """The workflows that run now, by path."""
    queue: tuple[str, ...] = ()
    """Nodes that wait for a place, first come first served."""
    running: int = 0
    """How many attempts run or are being stopped."""
    lines: Mapping[str, tuple[str, ...]] = {}
    """Nodes that wait for a place in a launch plan, by the path of the node that it bounds, first come first served."""
    taken: Mapping[str, int] = {}
    """How many places of each of these launch plans are taken; attempts that wait for one further out have theirs."""
    places: Mapping[str, int] = {}
    """In how many launch plans around it a node has a place, counted outwards; only nodes that wait or run."""
    signals: Mapping[str, literals_pb2.Literal] = {}
    """What was answered to gates, by signal id."""
    outputs: literals_pb2.LiteralMap | None = None
    failure: Failure | None = None
    started_at: float | None = None
    ended_at: float | None = None

    def key_of(self, node: NodeState) -> str:
        """The key of the node's current attempt."""
        if node.adopted is not None and node.attempt == 0:
            return node.adopted.key
        return f"{self.key_prefix}/{node.path}/{node.attempt}"


def child_path(scope: str, node_id: str) -> str:
    """The path of a node in a scope."""
    return f"{scope}.{node_id}" if scope else node_id
