"""Nodes that an attempt calls while it runs, one by one, and withdraws when it does not want them any more."""

from dataclasses import replace

from connectory.errors import ConnectoryError
from connectory.v1 import identifiers_pb2, interface_pb2, launch_plan_pb2, literals_pb2, tasks_pb2, workflow_pb2
from workflow_runner.engine.agreement import nodes_below, require_agreement
from workflow_runner.engine.commands import AnswerCall
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.events import NodeCalled, NodeWithdrawn
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.graph import Graph, NodeSpec
from workflow_runner.engine.members import new_node
from workflow_runner.engine.places import bounds_of
from workflow_runner.engine.program import called
from workflow_runner.engine.scopes import end_call
from workflow_runner.engine.state import NodePhase, NodeState, ScopeState, child_path

__all__ = ["WITHDRAWN", "is_answerable", "on_called", "on_withdrawn"]

WITHDRAWN = "WITHDRAWN"


def on_called(draft: Draft, event: NodeCalled) -> None:
    """Begin the node, or say how it ended when an earlier attempt called it with success."""
    caller = _caller(draft, event.node, event.attempt)
    if caller is None:
        return
    scope = draft.scopes.get(caller.path) or _calls_of(draft, caller)
    path = child_path(caller.path, event.call)
    known = draft.nodes.get(path)
    if event.call in scope.graph.nodes and known is not None and not _may_be_called_again(known):
        return
    spec, failure = _spec(draft, caller, event)
    graph = replace(scope.graph, nodes={**scope.graph.nodes, event.call: spec})
    scope = draft.change_scope(scope, graph=graph)
    is_repeated = caller.attempt > caller.first_attempt
    if is_repeated and known is not None and known.phase is NodePhase.SUCCEEDED:
        draft.commands.append(AnswerCall(node=caller.path, attempt=caller.attempt, call=event.call))
        return
    node = new_node(draft, scope, event.call, spec)
    if failure is not None:
        draft.change(node, phase=NodePhase.FAILED, failure=failure, ended_at=draft.now)
        draft.commands.append(AnswerCall(node=caller.path, attempt=caller.attempt, call=event.call))
        return
    draft.change_scope(scope, remaining=scope.remaining + 1)
    draft.change(node, inputs=literals_pb2.LiteralMap.FromString(event.inputs))
    draft.ready.append(path)


def on_withdrawn(draft: Draft, event: NodeWithdrawn) -> None:
    """End the node, if it still goes on."""
    caller = _caller(draft, event.node, event.attempt)
    scope = draft.scopes.get(event.node)
    if caller is None or scope is None or event.call not in scope.graph.nodes:
        return
    failure = Failure(code=WITHDRAWN, message="not wanted any more by the task that called it", node=event.node)
    end_call(draft, draft.nodes[child_path(event.node, event.call)], failure)


def is_answerable(node: NodeState) -> bool:
    """Whether an attempt that asks for this node is told at once how it ended."""
    return node.phase.is_terminal and not _may_be_called_again(node)


def _may_be_called_again(node: NodeState) -> bool:
    """A withdrawn node begins anew for code that is run once more: it won't be withdrawn before it is waited for."""
    return node.phase.is_terminal and node.failure is not None and node.failure.code == WITHDRAWN


def _caller(draft: Draft, path: str, attempt: int) -> NodeState | None:
    node = draft.nodes.get(path)
    if node is None or node.attempt != attempt or node.phase is not NodePhase.RUNNING or not node.spec.is_eager:
        return None
    return node


def _calls_of(draft: Draft, caller: NodeState) -> ScopeState:
    graph = Graph(name=caller.spec.title, nodes={}, interface=interface_pb2.TypedInterface(), fails_at_once=False)
    inputs = literals_pb2.LiteralMap()
    return ScopeState(
        path=caller.path,
        graph=graph,
        inputs=inputs,
        binds_in=caller.path,
        remaining=0,
        bounds=bounds_of(draft, caller.path),
        is_eager=True,
    )


def _spec(draft: Draft, caller: NodeState, event: NodeCalled) -> tuple[NodeSpec, Failure | None]:
    """What the node is; with a failure when it cannot be run."""
    program = draft.base.program
    made = workflow_pb2.DynamicJobSpec.FromString(event.spec)
    plans = [launch_plan_pb2.LaunchPlan.FromString(plan) for plan in event.launch_plans]
    path = child_path(caller.path, event.call)
    try:
        if program is None:
            raise ConnectoryError("nothing is known to the execution")
        spec = called(program, made, plans, caller.spec)
        require_agreement(draft, path, nodes_below(spec, path))
        return spec, None
    except ConnectoryError as error:
        failure = Failure(code="INVALID_NODES", message=f"{event.call!r} cannot be run: {error}", node=path)
        nothing = tasks_pb2.TaskTemplate(id=identifiers_pb2.Identifier(name=event.call))
        return NodeSpec(node=workflow_pb2.Node(id=event.call), task=nothing), failure
