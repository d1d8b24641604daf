"""A compiled workflow, arranged for running: who waits for whom, and what each node means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from connectory.v1 import interface_pb2, launch_plan_pb2, literals_pb2, tasks_pb2, types_pb2, workflow_pb2
from workflow_runner.engine.limits import Limits, limits_of

__all__ = ["INPUT_NODES", "MARKERS", "Array", "Bound", "Branch", "Case", "Graph", "NodeSpec", "bound"]

INPUT_NODES = frozenset({"", "start-node"})
"""Names under which a binding refers to the workflow's own inputs."""
MARKERS = frozenset({"start-node", "end-node"})
"""Nodes that some compilers add to mark beginning and end; nothing runs there."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A variable, and where its value comes from."""

    name: str
    source: workflow_pb2.BindingData
    type: types_pb2.LiteralType | None
    """What is declared of it, if anything is."""


def bound(bindings: Iterable[workflow_pb2.Binding], declared: interface_pb2.VariableMap) -> Sequence[Bound]:
    """Bindings beside what is declared of their variables."""
    types = {name: variable.type for name, variable in declared.variables.items()}
    return [Bound(binding.var, binding.binding, types.get(binding.var)) for binding in bindings]


@dataclass(frozen=True, kw_only=True)
class NodeSpec:
    """One node of a graph. Exactly one of `task`, `graph`, `branch`, `gate` and `array` says what it does.

    What follows from its messages is worked out once.
    """

    node: workflow_pb2.Node
    task: tasks_pb2.TaskTemplate | None = None
    graph: Graph | None = None
    """The workflow that it runs."""
    branch: Branch | None = None
    gate: workflow_pb2.GateNode | None = None
    array: Array | None = None
    upstream: frozenset[str] = frozenset()
    downstream: tuple[str, ...] = ()
    interruptible: bool = False
    """What its workflow, or the launch plan around that, says of nodes that say nothing themselves."""
    overwrites_cache: bool = False
    """Whether a launch plan around it has results worked out although they are kept."""
    presets: literals_pb2.LiteralMap = field(default_factory=literals_pb2.LiteralMap)
    """Inputs of a launch plan that count when the node gives none."""
    fixed: literals_pb2.LiteralMap = field(default_factory=literals_pb2.LiteralMap)
    """Inputs of a launch plan that count whatever the node gives."""
    launch: launch_plan_pb2.LaunchPlanSpec | None = None
    """What the launch plan that it starts says of its executions."""

    @cached_property
    def most_at_once(self) -> int:
        """How many attempts the launch plan that it starts lets run inside of it at once; 0: any number."""
        return max(0, self.launch.max_parallelism) if self.launch is not None else 0

    @cached_property
    def is_eager(self) -> bool:
        """Whether its task's code calls other nodes while it runs, and waits for them."""
        return self.task is not None and self.task.metadata.is_eager

    @cached_property
    def is_cached(self) -> bool:
        """Whether results may be reused at all."""
        if self.node.metadata.WhichOneof("cacheable_value") is not None:
            return self.node.metadata.cacheable
        return self.task is not None and self.task.metadata.discoverable

    @cached_property
    def limits(self) -> Limits:
        """How long it may take."""
        return limits_of(self.node, self.task)

    @cached_property
    def sleep_time(self) -> float:
        """How many seconds a gate that sleeps is closed."""
        return self.gate.sleep.duration.ToTimedelta().total_seconds() if self.gate is not None else 0.0

    @cached_property
    def inputs(self) -> Sequence[Bound]:
        """Where its inputs come from."""
        return bound(self.node.inputs, self.interface.inputs)

    @property
    def kind(self) -> str:
        """What it is, in a word."""
        kinds = ("task", "graph", "branch", "gate", "array")
        found = next(kind for kind in kinds if getattr(self, kind) is not None)
        return "workflow" if found == "graph" else found

    @property
    def interface(self) -> interface_pb2.TypedInterface:
        """What it takes and gives, as far as that is declared."""
        if self.task is not None:
            return self.task.interface
        if self.graph is not None:
            return self.graph.interface
        return self.array.interface if self.array is not None else interface_pb2.TypedInterface()

    @property
    def title(self) -> str:
        """The name of what it runs."""
        if self.task is not None:
            return self.task.id.name
        if self.graph is not None:
            return self.graph.name
        return self.array.item.title if self.array is not None else self.node.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One way that a branch may take."""

    condition: workflow_pb2.BooleanExpression | None
    """None: the way that is taken when no other is."""
    spec: NodeSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """A choice between nodes; the first case whose condition holds is taken."""

    cases: Sequence[Case]
    failure: str
    """Why it fails when no case is taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Array:
    """A node that is repeated for every member of lists."""

    item: NodeSpec
    """What is repeated, with the interface of one repetition."""
    interface: interface_pb2.TypedInterface
    """That of all repetitions together."""
    bound: frozenset[str]
    """Inputs that are the same for all."""
    parallelism: int
    """So many run at once; 0: as many as the execution allows."""
    min_successes: int | None
    min_success_ratio: float
    run_all: bool
    """Whether the others still run when too many have failed."""

    def tolerated(self, count: int) -> int:
        """How many of so many repetitions may fail."""
        if self.min_successes is not None:
            return max(0, count - self.min_successes)
        return int(count * (1.0 - self.min_success_ratio + 1e-6))  # the ratio comes as a 32-bit float


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """One workflow: its nodes by id, in the order in which they are written."""

    name: str
    nodes: Mapping[str, NodeSpec]
    interface: interface_pb2.TypedInterface
    outputs: Sequence[workflow_pb2.Binding] = ()
    fails_at_once: bool = True
    """Whether one failed node ends the workflow, or its independent nodes may finish first."""
    failure_node: NodeSpec | None = None
    """What is run when the workflow has failed."""
