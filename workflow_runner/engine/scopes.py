"""Workflows inside an execution: how one begins, how its nodes' ends add up, and how it ends.

A scope ends with success when every node has succeeded; without success when it is to end and nothing in it is live.
Ending the outermost scope ends the execution; ending another one ends the node that it is the inside of.
"""

from connectory.errors import TypeConversionError
from connectory.v1 import literals_pb2
from workflow_runner.engine.bindings import bind
from workflow_runner.engine.commands import CloseExecution, StopAttempt
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.graph import Graph
from workflow_runner.engine.state import (
    ROOT,
    ExecutionPhase,
    NodePhase,
    NodeState,
    Outcome,
    ScopeState,
    child_path,
)

__all__ = ["end_node", "end_scope", "open_scope", "succeed_node"]


def open_scope(draft: Draft, path: str, graph: Graph, inputs: literals_pb2.LiteralMap) -> None:
    """Begin a workflow: its nodes wait, and those that wait for nothing are ready."""
    scope = ScopeState(path=path, graph=graph, inputs=inputs, remaining=len(graph.nodes))
    draft.scopes[path] = scope
    for node_id, spec in graph.nodes.items():
        node = NodeState(path=child_path(path, node_id), scope=path, spec=spec, waiting=len(spec.upstream))
        draft.nodes[node.path] = node
        if node.waiting == 0:
            draft.ready.append(node.path)
    _settle(draft, scope)


def succeed_node(draft: Draft, node: NodeState, outputs: literals_pb2.LiteralMap) -> None:
    """The node has done its work: what waited for it may go on."""
    node = draft.change(node, phase=NodePhase.SUCCEEDED, outputs=outputs, failure=None, ended_at=draft.now)
    scope = draft.scopes[node.scope]
    scope = draft.change_scope(scope, live=scope.live - 1, remaining=scope.remaining - 1)
    if scope.ending is None:
        for node_id in node.spec.downstream:
            successor = draft.nodes[child_path(scope.path, node_id)]
            successor = draft.change(successor, waiting=successor.waiting - 1)
            if successor.waiting == 0:
                draft.ready.append(successor.path)
    _settle(draft, scope)


def end_node(draft: Draft, node: NodeState, phase: NodePhase, failure: Failure) -> None:
    """The node ends without success. It must be live, and nothing that it started may run any more."""
    draft.change(node, phase=phase, failure=failure, outcome=None, ended_at=draft.now)
    scope = draft.scopes[node.scope]
    scope = draft.change_scope(scope, live=scope.live - 1, remaining=scope.remaining - 1)
    if phase is not NodePhase.ABORTED and scope.ending is None:
        scope = draft.change_scope(scope, failure=scope.failure or failure)
        if scope.graph.fails_at_once:
            end_scope(draft, scope, NodePhase.FAILED, failure)
            return
        if scope.path == ROOT:
            draft.change_execution(phase=ExecutionPhase.FAILING)
    _settle(draft, scope)


def end_scope(draft: Draft, scope: ScopeState, ending: NodePhase, failure: Failure) -> None:
    """Let the workflow end without success: nothing new begins, and what runs is stopped."""
    scope = draft.change_scope(scope, ending=ending, failure=failure)
    if scope.path == ROOT:
        phase = ExecutionPhase.ABORTING if ending is NodePhase.ABORTED else ExecutionPhase.FAILING
        draft.change_execution(phase=phase)
    for node_id in scope.graph.nodes:
        _end_within(draft, draft.nodes[child_path(scope.path, node_id)], failure)
    if scope.path in draft.scopes:
        _settle(draft, draft.scopes[scope.path])


def _end_within(draft: Draft, node: NodeState, failure: Failure) -> None:
    aborted = Outcome(phase=NodePhase.ABORTED, failure=failure)
    if node.phase is NodePhase.RUNNING and node.spec.task is None:
        end_scope(draft, draft.scopes[node.path], NodePhase.ABORTED, failure)
    elif node.phase is NodePhase.RUNNING:
        draft.change(node, phase=NodePhase.STOPPING, outcome=aborted)
        key = draft.base.key_of(node)
        draft.commands.append(StopAttempt(node=node.path, attempt=node.attempt, key=key, cause=failure.message))
    elif node.phase is NodePhase.STOPPING:
        if node.outcome is not None and node.outcome.phase is NodePhase.RETRYING:
            draft.change(node, outcome=aborted)
    elif node.phase.is_live:
        _count_end(draft, draft.change(node, phase=NodePhase.ABORTED, failure=failure, ended_at=draft.now), live=1)
    elif node.phase is NodePhase.WAITING:
        _count_end(draft, draft.change(node, phase=NodePhase.SKIPPED), live=0)


def _count_end(draft: Draft, node: NodeState, *, live: int) -> None:
    scope = draft.scopes[node.scope]
    draft.change_scope(scope, live=scope.live - live, remaining=scope.remaining - 1)


def _settle(draft: Draft, scope: ScopeState) -> None:
    if scope.live > 0 or (scope.ending is None and _has_ready(draft, scope)):
        return
    if scope.ending is None and scope.failure is None:
        if scope.remaining == 0:
            _succeed_scope(draft, scope)
        return
    ending = scope.ending or NodePhase.FAILED
    for node_id in scope.graph.nodes:
        node = draft.nodes[child_path(scope.path, node_id)]
        if node.phase is NodePhase.WAITING:
            _count_end(draft, draft.change(node, phase=NodePhase.SKIPPED), live=0)
    _close_scope(draft, draft.scopes[scope.path], ending)


def _has_ready(draft: Draft, scope: ScopeState) -> bool:
    return any(draft.nodes[path].scope == scope.path for path in draft.ready)


def _succeed_scope(draft: Draft, scope: ScopeState) -> None:
    template = scope.graph.template
    try:
        outputs = bind(template.outputs, template.interface.outputs, scope, draft.nodes)
    except TypeConversionError as error:
        message = f"the outputs of workflow {template.id.name!r} cannot be made: {error}"
        failure = Failure(code="BINDING", message=message, node=scope.path)
        _close_scope(draft, draft.change_scope(scope, failure=failure), NodePhase.FAILED)
        return
    del draft.scopes[scope.path]
    if scope.path == ROOT:
        draft.change_execution(phase=ExecutionPhase.SUCCEEDED, outputs=outputs, ended_at=draft.now)
        draft.commands.append(CloseExecution())
    else:
        succeed_node(draft, draft.nodes[scope.path], outputs)


def _close_scope(draft: Draft, scope: ScopeState, ending: NodePhase) -> None:
    failure = scope.failure or Failure(code="ABORTED", message="aborted")
    del draft.scopes[scope.path]
    if scope.path == ROOT:
        phase = ExecutionPhase.ABORTED if ending is NodePhase.ABORTED else ExecutionPhase.FAILED
        draft.change_execution(phase=phase, failure=failure, ended_at=draft.now)
        draft.commands.append(CloseExecution())
    else:
        end_node(draft, draft.nodes[scope.path], ending, failure)
