"""Random workflows with every kind of node, whose outputs depend on nothing but their inputs."""

from collections.abc import Sequence
from dataclasses import dataclass

import hypothesis.strategies as st

from connectory.v1 import launch_plan_pb2, literals_pb2, tasks_pb2, types_pb2, workflow_pb2
from tests.workflow_runner.workflows import (
    INTEGER,
    approval,
    array,
    branch,
    closure,
    constant,
    integer,
    launch_plan,
    many,
    node,
    promise,
    signal,
    sleeping,
    task,
    workflow,
)

LIST = types_pb2.LiteralType(collection_type=INTEGER)
KINDS = ("task", "cached", "branch", "sleep", "approve", "signal", "array", "tolerant", "dynamic", "eager")
AROUND = ("inner", "bounded", "around", "array of bounded")
"""What runs other workflows: one, a launch plan of it, one with several of these inside, and one for every member."""


@dataclass
class Program:
    compiled: workflow_pb2.CompiledWorkflowClosure
    retries: int
    launch_plans: Sequence[launch_plan_pb2.LaunchPlan] = ()


@dataclass
class Started:
    """What nodes run workflows by."""

    inner: workflow_pb2.WorkflowTemplate
    bounded: launch_plan_pb2.LaunchPlan
    around: launch_plan_pb2.LaunchPlan


@dataclass
class Tasks:
    plain: tasks_pb2.TaskTemplate
    cached: tasks_pb2.TaskTemplate
    mapped: tasks_pb2.TaskTemplate
    dynamic: tasks_pb2.TaskTemplate
    eager: tasks_pb2.TaskTemplate


@st.composite
def tasks(draw: st.DrawFn, retries: int) -> Tasks:
    timeout, deadline, queued = draw(
        st.sampled_from([(0, 0, 0), (10, 0, 0), (0, 100, 0), (10, 100, 0), (0, 0, 5), (10, 100, 5)])
    )
    limits = {"retries": retries, "timeout": timeout, "deadline": deadline, "queued": queued}
    single = {"inputs": {"a": INTEGER}, "outputs": {"o": INTEGER}}
    cached = task("cached", **single, **limits)
    cached.metadata.discoverable, cached.metadata.discovery_version = True, "1"
    cached.metadata.cache_serializable = draw(st.booleans())
    eager = task("eager", **single, **limits)
    eager.metadata.is_eager = True
    return Tasks(
        plain=task("t", **single, **limits),
        cached=cached,
        mapped=task("mapped", inputs={"a": LIST}, outputs={"o": LIST}, **limits),
        dynamic=task("dynamic", **single, **limits),
        eager=eager,
    )


@st.composite
def graphs(draw: st.DrawFn, name: str, inner: Started | None, known: Tasks):
    count = draw(st.integers(0 if name == "inner" else 1, 6))
    nodes: list[workflow_pb2.Node] = []
    results: list[workflow_pb2.BindingData] = []
    """How to refer to the result of each node."""
    for index in range(count):
        above = draw(st.lists(st.integers(0, index - 1), unique=True, max_size=3)) if index else []
        after = draw(st.lists(st.integers(0, index - 1), unique=True, max_size=2)) if index else []
        values = [results[i] for i in above] or [promise("", "a")]
        kind = draw(st.sampled_from(KINDS if inner is None else (*KINDS, *AROUND)))
        made, result = _node(draw, kind, f"{name[0]}{index}", values, inner, known)
        made.upstream_node_ids.extend(nodes[i].id for i in after)
        nodes.append(made)
        results.append(result)
    output = results[-1] if results else constant(integer(7))
    made = workflow(
        name, nodes, inputs={"a": INTEGER}, outputs={"o": (INTEGER, output)}, fail_at_once=draw(st.booleans())
    )
    if draw(st.booleans()):
        made.failure_node.CopyFrom(node("handler", known.plain, {"a": promise("", "a")}))
    return made


def _node(draw, kind, name, values, inner, known):
    first, result = values[0], promise(name, "o")
    if kind == "array of bounded":
        made = array(name, inner.bounded, {"a": many(*values, first)}, own_interface=True)
        return made, promise(name, "o", 0)
    if kind in AROUND:
        made = node(name, getattr(inner, kind), {"a": first})
        made.metadata.retries.retries = draw(st.integers(0, 1))
        made.metadata.retries.backoff.base.FromMilliseconds(1)
        return made, result
    if kind == "branch":
        ways = [node(f"{name}x", known.plain, {"a": first}), node(f"{name}y", known.cached, {"a": many(*values)})]
        return branch(name, {"c": first}, "c", draw(st.sampled_from([10, 100, 10**6])), *ways), result
    if kind == "sleep":
        return sleeping(name, 5), first
    if kind == "approve":
        return approval(name, draw(st.sampled_from(["yes", "good"])), {"o": first}), result
    if kind == "signal":
        return signal(name, "number", INTEGER), result
    if kind == "array":
        return array(name, known.mapped, {"a": many(*values)}, parallelism=draw(st.integers(0, 2))), promise(
            name, "o", 0
        )
    if kind == "tolerant":  # what it gives depends on what fails
        return array(name, known.mapped, {"a": many(*values, first)}, ratio=0.5), first
    target = {"task": known.plain, "cached": known.cached, "dynamic": known.dynamic, "eager": known.eager}[kind]
    return node(name, target, {"a": many(*values)}), result


@st.composite
def programs(draw: st.DrawFn) -> Program:
    retries = draw(st.integers(0, 2))
    known = draw(tasks(retries))
    inner = draw(graphs("inner", None, known))
    bounded = launch_plan("bounded", inner, max_parallelism=draw(st.integers(0, 2)))
    middle = _middle(bounded, known.plain)
    around = launch_plan("around", middle, max_parallelism=draw(st.integers(0, 3)))
    outer = draw(graphs("outer", Started(inner, bounded, around), known))
    every = [known.plain, known.cached, known.mapped, known.dynamic, known.eager]
    return Program(closure(outer, every, [inner, middle]), retries, (bounded, around))


def _middle(bounded: launch_plan_pb2.LaunchPlan, plain: tasks_pb2.TaskTemplate) -> workflow_pb2.WorkflowTemplate:
    """Two of a launch plan and a task, side by side."""
    taken = {"a": promise("", "a")}
    nodes = [node("m0", bounded, taken), node("m1", bounded, taken), node("m2", plain, taken)]
    return workflow("middle", nodes, inputs={"a": INTEGER}, outputs={"o": (INTEGER, promise("m0", "o"))})


def work(inputs: literals_pb2.LiteralMap) -> literals_pb2.Literal:
    """What every task gives."""
    return integer(_total(inputs.literals["a"]) * 3 % 1009 + 1)


def _total(literal: literals_pb2.Literal) -> int:
    if literal.HasField("collection"):
        return sum(map(_total, literal.collection.literals))
    return literal.scalar.primitive.integer


def calls(
    inputs: literals_pb2.LiteralMap, known: dict[str, tasks_pb2.TaskTemplate]
) -> dict[str, tuple[workflow_pb2.DynamicJobSpec, literals_pb2.LiteralMap, str]]:
    """What every eager task calls, by id; each says which call's result it takes, or none."""
    total = _total(inputs.literals["a"])
    first = known["dynamic" if total % 2 else "t"]
    second = known["eager"] if total % 5 == 0 and total < 500 else known["cached"]
    given = literals_pb2.LiteralMap(literals={"a": integer(total + 1)})
    return {
        "c0": (_one("c0", first, known), given, ""),
        "c1": (_one("c1", known["t"], known), given, ""),
        "c2": (_one("c2", second, known), literals_pb2.LiteralMap(), "c0"),
    }


def _one(
    name: str, target: tasks_pb2.TaskTemplate, known: dict[str, tasks_pb2.TaskTemplate]
) -> workflow_pb2.DynamicJobSpec:
    return workflow_pb2.DynamicJobSpec(nodes=[node(name, target)], tasks=known.values())


def expansion(inputs: literals_pb2.LiteralMap, plain: tasks_pb2.TaskTemplate) -> workflow_pb2.DynamicJobSpec:
    """What every dynamic task leaves behind: a chain whose length depends on its inputs."""
    count = _total(inputs.literals["a"]) % 3
    before = constant(integer(_total(inputs.literals["a"])))
    nodes = []
    for index in range(count):
        nodes.append(node(f"d{index}", plain, {"a": before}))
        before = promise(f"d{index}", "o")
    outputs = [workflow_pb2.Binding(var="o", binding=before)]
    return workflow_pb2.DynamicJobSpec(nodes=nodes, outputs=outputs, tasks=[plain])
