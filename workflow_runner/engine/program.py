"""From a compiled closure to graphs: every reference resolved, and what cannot be run refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from google.protobuf.message import DecodeError

from connectory.errors import InvalidTaskError
from connectory.v1 import identifiers_pb2, interface_pb2, launch_plan_pb2, literals_pb2, tasks_pb2, workflow_pb2
from workflow_runner.engine.arrays import array_of
from workflow_runner.engine.asking import disagreement
from workflow_runner.engine.graph import MARKERS, Branch, Case, Graph, NodeSpec
from workflow_runner.engine.library import Library, Said, extended, given, key_of
from workflow_runner.engine.overriding import overridden
from workflow_runner.engine.times import require_times
from workflow_runner.engine.wiring import cases_of, downstream_of, upstream_of

__all__ = ["Program", "called", "expanded", "program_in", "program_of"]


@dataclass(frozen=True, kw_only=True)
class Program:
    """Everything that an execution can run."""

    graph: Graph
    library: Library
    disagreement: str | None = None
    """What keeps it from being begun. What began before this was looked at goes on."""

    def require_agreement(self) -> None:
        """InvalidTaskError when it must not begin."""
        if self.disagreement is not None:
            raise InvalidTaskError(self.disagreement)

    @property
    def name(self) -> str:
        """The workflow's name."""
        return self.graph.name


def program_of(
    closure: workflow_pb2.CompiledWorkflowClosure, launch_plans: Iterable[launch_plan_pb2.LaunchPlan] = ()
) -> Program:
    """Arrange a compiled workflow; InvalidTaskError or UnsupportedError names the node that cannot be run."""
    program = _arranged(closure, launch_plans)
    program.require_agreement()
    return program


@lru_cache(maxsize=16)
def program_in(closure: bytes, launch_plans: tuple[bytes, ...] = ()) -> Program:
    """`program_of` for encoded messages of what was accepted; executions of one workflow share what it gives."""
    plans = [launch_plan_pb2.LaunchPlan.FromString(plan) for plan in launch_plans]
    return _arranged(workflow_pb2.CompiledWorkflowClosure.FromString(closure), plans)


def _arranged(
    closure: workflow_pb2.CompiledWorkflowClosure, launch_plans: Iterable[launch_plan_pb2.LaunchPlan]
) -> Program:
    primary = closure.primary.template
    templates = [*(compiled.template for compiled in closure.sub_workflows), primary]
    library = Library(
        tasks={key_of(compiled.template.id): compiled.template for compiled in closure.tasks},
        workflows={key_of(template.id): template for template in templates},
        plans={key_of(compiled.template.id): compiled.template for compiled in closure.launch_plans},
        launches={key_of(plan.id): plan.spec for plan in launch_plans},
    )
    builder = _Builder(library)
    graph = builder.graph(primary)
    for template in templates:  # what is not reachable is refused all the same
        builder.graph(template)
    return Program(graph=graph, library=library, disagreement=disagreement(templates))


def expanded(
    program: Program, caller: NodeSpec, task: tasks_pb2.TaskTemplate, spec: workflow_pb2.DynamicJobSpec
) -> Graph:
    """The graph that a dynamic task left behind instead of outputs."""
    library = extended(program.library, spec, _plans_of(spec))
    template = workflow_pb2.WorkflowTemplate(
        id=task.id, interface=task.interface, nodes=spec.nodes, outputs=spec.outputs
    )
    template.metadata_defaults.interruptible = caller.interruptible
    return _Builder(library, Said(overwrites_cache=caller.overwrites_cache)).graph(template)


def _plans_of(spec: workflow_pb2.DynamicJobSpec) -> Sequence[launch_plan_pb2.LaunchPlan]:
    try:
        return [launch_plan_pb2.LaunchPlan.FromString(plan) for plan in spec.launch_plans]
    except DecodeError as error:
        raise InvalidTaskError("launch_plans holds what is no LaunchPlan") from error


def called(
    program: Program,
    spec: workflow_pb2.DynamicJobSpec,
    launch_plans: Iterable[launch_plan_pb2.LaunchPlan],
    caller: NodeSpec,
) -> NodeSpec:
    """The one node that running code asks for."""
    library = extended(program.library, spec, launch_plans)
    owner = workflow_pb2.WorkflowTemplate(nodes=spec.nodes)
    owner.id.name = caller.title
    owner.metadata_defaults.interruptible = caller.interruptible
    said = Said(overwrites_cache=caller.overwrites_cache)
    (node,) = _Builder(library, said).graph(owner).nodes.values()
    return node


class _Builder:
    """Builds graphs of what a library has; within a launch plan, with what that says of all that it starts."""

    def __init__(self, library: Library, said: Said | None = None, above: Sequence[str] = ()) -> None:
        self._library = library
        self._said = said or Said()
        self._graphs: dict[str, Graph] = {}
        self._open = [*above]

    def graph(self, template: workflow_pb2.WorkflowTemplate) -> Graph:
        key = key_of(template.id)
        if key in self._open:
            raise InvalidTaskError(f"workflow {template.id.name!r} contains itself")
        if key not in self._graphs:
            self._open.append(key)
            self._graphs[key] = self._build(template)
            self._open.pop()
        return self._graphs[key]

    def _build(self, template: workflow_pb2.WorkflowTemplate) -> Graph:
        owner = template.id.name
        nodes = {node.id: node for node in template.nodes if node.id not in MARKERS}
        upstream = upstream_of(owner, nodes)
        downstream = downstream_of(owner, upstream)
        fails_at_once = template.metadata.on_failure == workflow_pb2.WorkflowMetadata.FAIL_IMMEDIATELY
        specs = {
            node_id: self._spec(template, node, upstream[node_id], downstream[node_id])
            for node_id, node in nodes.items()
        }
        return Graph(
            name=owner,
            nodes=specs,
            interface=template.interface,
            outputs=list(template.outputs),
            fails_at_once=fails_at_once,
            failure_node=self._spec(template, template.failure_node) if template.HasField("failure_node") else None,
        )

    def _spec(
        self,
        template: workflow_pb2.WorkflowTemplate,
        node: workflow_pb2.Node,
        upstream: frozenset[str] = frozenset(),
        downstream: tuple[str, ...] = (),
    ) -> NodeSpec:
        where = f"node {node.id!r} of workflow {template.id.name!r}"
        require_times(where, node.metadata)
        spec = NodeSpec(
            node=node,
            upstream=upstream,
            downstream=downstream,
            interruptible=self._is_interruptible(template),
            overwrites_cache=self._said.overwrites_cache,
        )
        match node.WhichOneof("target"):
            case "task_node":
                task = self._task(where, node.task_node.reference_id)
                return _with(spec, task=overridden(task, node.task_node.overrides))
            case "workflow_node":
                return self._workflow(where, spec)
            case "branch_node":
                block = node.branch_node.if_else
                cases = [Case(condition=when, spec=self._spec(template, then)) for when, then in cases_of(block)]
                return _with(spec, branch=Branch(cases=cases, failure=block.error.message))
            case "gate_node":
                if node.gate_node.WhichOneof("condition") is None:
                    raise InvalidTaskError(f"{where} is a gate node that waits for nothing")
                require_times(where, node.gate_node.sleep)
                return _with(spec, gate=node.gate_node)
            case "array_node":
                item = self._spec(template, node.array_node.node)
                return _with(spec, array=array_of(where, node.array_node, item))
        raise InvalidTaskError(f"{where} has no target")

    def _is_interruptible(self, template: workflow_pb2.WorkflowTemplate) -> bool:
        said = self._said.interruptible
        return template.metadata_defaults.interruptible if said is None else said

    def _task(self, where: str, reference: identifiers_pb2.Identifier) -> tasks_pb2.TaskTemplate:
        task = self._library.tasks.get(key_of(reference))
        if task is None:
            raise InvalidTaskError(f"{where} refers to task {reference.name!r}, which is not included")
        require_times(f"task {reference.name!r}", task.metadata)
        return task

    def _workflow(self, where: str, spec: NodeSpec) -> NodeSpec:
        target = spec.node.workflow_node
        if target.WhichOneof("reference") == "launchplan_ref":
            return self._launch_plan(where, spec, target.launchplan_ref)
        template = self._library.workflows.get(key_of(target.sub_workflow_ref))
        if template is None:
            name = target.sub_workflow_ref.name
            raise InvalidTaskError(f"{where} refers to workflow {name!r}, which is not included")
        return _with(spec, graph=self.graph(template))

    def _launch_plan(self, where: str, spec: NodeSpec, reference: identifiers_pb2.Identifier) -> NodeSpec:
        """A launch plan starts the workflow that it names, or, when nobody told which, the one of its own name."""
        key = key_of(reference)
        launch = self._library.launches.get(key)
        workflow = launch.workflow_id if launch is not None else reference
        template = self._library.workflows.get(key_of(workflow))
        if template is None:
            raise InvalidTaskError(
                f"{where} refers to launch plan {reference.name!r}, whose workflow {workflow.name!r} is not included"
            )
        plan = self._library.plans.get(key, workflow_pb2.LaunchPlanTemplate())
        fixed = literals_pb2.LiteralMap(literals=plan.fixed_inputs.literals)
        presets = literals_pb2.LiteralMap()
        if launch is not None:
            fixed.MergeFrom(launch.fixed_inputs)
            presets.MergeFrom(_defaults(launch.default_inputs))
        graph = self._within(launch).graph(template)
        return _with(spec, graph=graph, presets=presets, fixed=fixed, launch=launch)

    def _within(self, launch: launch_plan_pb2.LaunchPlanSpec | None) -> _Builder:
        """What builds the workflow of a launch plan: with what that says of all that it starts."""
        if launch is None:
            return self
        said = self._said.but(launch)
        if said == self._said:
            return self
        return _Builder(given(self._library, launch.envs), said, self._open)


def _defaults(parameters: interface_pb2.ParameterMap) -> literals_pb2.LiteralMap:
    given = {name: each.default for name, each in parameters.parameters.items() if each.HasField("default")}
    return literals_pb2.LiteralMap(literals=given)


def _with(spec: NodeSpec, **changes: object) -> NodeSpec:
    fields: Sequence[str] = ("node", "upstream", "downstream", "interruptible", "overwrites_cache")
    return NodeSpec(**{name: getattr(spec, name) for name in fields}, **changes)  # type: ignore[arg-type]
