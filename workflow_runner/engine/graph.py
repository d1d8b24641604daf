"""A compiled workflow, arranged for running: who waits for whom, and which task a node means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectory.errors import InvalidTaskError, UnsupportedError
from connectory.v1 import identifiers_pb2, tasks_pb2, workflow_pb2

__all__ = ["INPUT_NODES", "Graph", "NodeSpec", "Program", "program_of"]

INPUT_NODES = frozenset({"", "start-node"})
"""Names under which a binding refers to the workflow's own inputs."""
_MARKERS = frozenset({"start-node", "end-node"})
"""Nodes that some compilers add to mark beginning and end; nothing runs there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeSpec:
    """One node of a graph."""

    node: workflow_pb2.Node
    task: tasks_pb2.TaskTemplate | None
    """The task it runs; None: it is a sub-workflow."""
    workflow: str
    """The key of the workflow it runs; empty: it is a task."""
    upstream: frozenset[str]
    downstream: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """One workflow: its nodes by id, in the order in which they are written."""

    template: workflow_pb2.WorkflowTemplate
    nodes: Mapping[str, NodeSpec]

    @property
    def fails_at_once(self) -> bool:
        """Whether one failed node ends the workflow, or its independent nodes may finish first."""
        return self.template.metadata.on_failure == workflow_pb2.WorkflowMetadata.FAIL_IMMEDIATELY


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """Every graph that an execution can run."""

    primary: str
    graphs: Mapping[str, Graph]

    @property
    def name(self) -> str:
        """The primary workflow's name."""
        return self.graphs[self.primary].template.id.name


def program_of(closure: workflow_pb2.CompiledWorkflowClosure) -> Program:
    """Arrange a compiled workflow; InvalidTaskError or UnsupportedError names the node that cannot be run."""
    tasks = {_key(compiled.template.id): compiled.template for compiled in closure.tasks}
    templates = {_key(compiled.template.id): compiled.template for compiled in closure.sub_workflows}
    primary = _key(closure.primary.template.id)
    templates[primary] = closure.primary.template
    graphs = {key: _graph_of(template, tasks, templates) for key, template in templates.items()}
    _refuse_recursion(graphs)
    return Program(primary=primary, graphs=graphs)


def _key(identifier: identifiers_pb2.Identifier) -> str:
    return f"{identifier.project}:{identifier.domain}:{identifier.name}:{identifier.version}"


def _graph_of(
    template: workflow_pb2.WorkflowTemplate,
    tasks: Mapping[str, tasks_pb2.TaskTemplate],
    workflows: Mapping[str, workflow_pb2.WorkflowTemplate],
) -> Graph:
    if template.HasField("failure_node"):
        raise UnsupportedError(f"workflow {template.id.name!r} has a failure node, which this runner cannot run")
    nodes = {node.id: node for node in template.nodes if node.id not in _MARKERS}
    upstream = {node_id: _upstream(template, node, nodes) for node_id, node in nodes.items()}
    downstream: dict[str, list[str]] = {node_id: [] for node_id in nodes}
    for node_id, sources in upstream.items():
        for source in sorted(sources):
            downstream[source].append(node_id)
    _refuse_cycles(template, upstream, downstream)
    specs = {}
    for node_id, node in nodes.items():
        task, workflow = _target(template, node, tasks, workflows)
        specs[node_id] = NodeSpec(
            node=node,
            task=task,
            workflow=workflow,
            upstream=frozenset(upstream[node_id]),
            downstream=tuple(downstream[node_id]),
        )
    return Graph(template=template, nodes=specs)


def _target(
    template: workflow_pb2.WorkflowTemplate,
    node: workflow_pb2.Node,
    tasks: Mapping[str, tasks_pb2.TaskTemplate],
    workflows: Mapping[str, workflow_pb2.WorkflowTemplate],
) -> tuple[tasks_pb2.TaskTemplate | None, str]:
    kind = node.WhichOneof("target")
    where = f"node {node.id!r} of workflow {template.id.name!r}"
    if kind == "task_node":
        task = tasks.get(_key(node.task_node.reference_id))
        if task is None:
            raise InvalidTaskError(
                f"{where} refers to task {node.task_node.reference_id.name!r}, which is not included"
            )
        return task, ""
    if kind == "workflow_node" and node.workflow_node.WhichOneof("reference") == "sub_workflow_ref":
        key = _key(node.workflow_node.sub_workflow_ref)
        if key not in workflows:
            name = node.workflow_node.sub_workflow_ref.name
            raise InvalidTaskError(f"{where} refers to workflow {name!r}, which is not included")
        return None, key
    if kind is None:
        raise InvalidTaskError(f"{where} has no target")
    described = "launch plan" if kind == "workflow_node" else kind.removesuffix("_node")
    raise UnsupportedError(f"{where} is a {described} node, which this runner cannot run")


def _upstream(
    template: workflow_pb2.WorkflowTemplate, node: workflow_pb2.Node, nodes: Mapping[str, workflow_pb2.Node]
) -> set[str]:
    named = set(node.upstream_node_ids)
    for binding in node.inputs:
        named.update(_promised(binding.binding))
    found = named - INPUT_NODES - _MARKERS
    unknown = sorted(found - nodes.keys())
    if unknown:
        raise InvalidTaskError(
            f"node {node.id!r} of workflow {template.id.name!r} waits for {unknown[0]!r}, which does not exist"
        )
    return found


def _promised(binding: workflow_pb2.BindingData) -> Iterator[str]:
    kind = binding.WhichOneof("value")
    if kind == "promise":
        yield binding.promise.node_id
    elif kind == "collection":
        for item in binding.collection.bindings:
            yield from _promised(item)
    elif kind == "map":
        for item in binding.map.bindings.values():
            yield from _promised(item)


def _refuse_cycles(
    template: workflow_pb2.WorkflowTemplate,
    upstream: Mapping[str, set[str]],
    downstream: Mapping[str, list[str]],
) -> None:
    waiting = {node_id: len(sources) for node_id, sources in upstream.items()}
    free = [node_id for node_id, count in waiting.items() if count == 0]
    for node_id in free:
        for successor in downstream[node_id]:
            waiting[successor] -= 1
            if waiting[successor] == 0:
                free.append(successor)
    if len(free) < len(waiting):
        stuck = ", ".join(sorted(set(waiting) - set(free)))
        raise InvalidTaskError(f"nodes of workflow {template.id.name!r} wait for each other in a circle: {stuck}")


def _refuse_recursion(graphs: Mapping[str, Graph]) -> None:
    done: set[str] = set()

    def visit(key: str, above: tuple[str, ...]) -> None:
        if key in above:
            raise InvalidTaskError(f"workflow {graphs[key].template.id.name!r} contains itself")
        if key in done:
            return
        for spec in graphs[key].nodes.values():
            if spec.workflow:
                visit(spec.workflow, (*above, key))
        done.add(key)

    for key in graphs:
        visit(key, ())
