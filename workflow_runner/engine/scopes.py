"""Workflows inside an execution: how one begins, how its nodes' ends add up, and how it ends.

A scope ends with success when every node has succeeded; without success when it is to end and nothing in it is live.
Ending the outermost scope ends the execution; ending another one ends the node that it is the inside of. The way that
a branch takes and the repetitions of an array node are scopes like any other.
"""

import msgspec

from connectory.errors import TypeConversionError
from connectory.v1 import literals_pb2
from workflow_runner.engine.arrays import collected
from workflow_runner.engine.bindings import bind
from workflow_runner.engine.commands import CloseExecution, GiveUp, Remember, StopAttempt
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.graph import NodeSpec
from workflow_runner.engine.members import (
    answer_call,
    begin_items,
    count_end,
    count_failure,
    end_now,
    give_up,
    inside,
    new_node,
    note_handler,
)
from workflow_runner.engine.places import bounds_of, give_back, leave_place
from workflow_runner.engine.repeating import may_repeat, repeat
from workflow_runner.engine.state import (
    ROOT,
    ExecutionPhase,
    NodePhase,
    NodeState,
    Outcome,
    ScopeState,
    child_path,
)

__all__ = [
    "conclude",
    "end_call",
    "end_calls",
    "end_node",
    "end_scope",
    "let_go",
    "open_scope",
    "stop",
    "succeed_node",
]


def open_scope(draft: Draft, scope: ScopeState) -> None:
    """Begin a workflow: its nodes wait, and those that wait for nothing are ready."""
    scope = draft.change_scope(scope, bounds=bounds_of(draft, scope.path))
    for node_id, spec in scope.graph.nodes.items():
        node = new_node(draft, scope, node_id, spec)
        if node.waiting == 0 and scope.array is None:
            draft.ready.append(node.path)
    if scope.array is not None:
        scope = begin_items(draft, scope)
    _settle(draft, scope)


def _share_result(draft: Draft, node: NodeState, outputs: literals_pb2.LiteralMap) -> None:
    """Keep the result for others, unless there is none: a task may have ignored its outputs this time."""
    if not node.spec.interface.outputs.variables.keys() <= outputs.literals.keys():
        draft.commands.append(GiveUp(node=node.path, key=node.cache_key))
        return
    kept = outputs.SerializeToString(deterministic=True)
    draft.commands.append(Remember(node=node.path, attempt=node.attempt, key=node.cache_key, outputs=kept))


def succeed_node(draft: Draft, node: NodeState, outputs: literals_pb2.LiteralMap) -> None:
    """The node has done its work: what waited for it may go on."""
    for alias in node.spec.node.output_aliases:
        if alias.var in outputs.literals:
            outputs.literals[alias.alias].CopyFrom(outputs.literals[alias.var])
    if node.cache_key and not node.cached_from:
        _share_result(draft, node, outputs)
    node = draft.change(
        node, phase=NodePhase.SUCCEEDED, outputs=outputs, failure=None, deadline=None, ended_at=draft.now
    )
    scope = draft.scopes[node.scope]
    answer_call(draft, scope, node)
    scope = draft.change_scope(scope, live=scope.live - 1, remaining=scope.remaining - 1)
    if scope.ending is None:
        for node_id in node.spec.downstream:
            successor = draft.nodes[child_path(scope.path, node_id)]
            successor = draft.change(successor, waiting=successor.waiting - 1)
            if successor.waiting == 0:
                draft.ready.append(successor.path)
        scope = begin_items(draft, scope)
    _settle(draft, scope)


def end_node(draft: Draft, node: NodeState, phase: NodePhase, failure: Failure) -> None:
    """The node ends without success. It must be live, and nothing that it started may run any more."""
    give_up(draft, node)
    give_back(draft, node)
    draft.change(node, phase=phase, failure=failure, outcome=None, ended_at=draft.now)
    scope = draft.scopes[node.scope]
    answer_call(draft, scope, node)
    scope = draft.change_scope(scope, live=scope.live - 1, remaining=scope.remaining - 1)
    if node.is_handler:
        scope = note_handler(draft, scope, failure)
    elif phase is not NodePhase.ABORTED and scope.ending is None and not scope.is_eager:
        scope = count_failure(draft, scope, failure)
        if scope.failure is not None and scope.graph.fails_at_once:
            end_scope(draft, scope, NodePhase.FAILED, scope.failure)
            return
        if scope.failure is not None and scope.path == ROOT:
            draft.change_execution(phase=ExecutionPhase.FAILING)
        scope = begin_items(draft, scope)
    _settle(draft, scope)


def end_call(draft: Draft, node: NodeState, failure: Failure) -> None:
    """The task that called the node does not want it any more."""
    _end_within(draft, node, failure)


def end_calls(draft: Draft, node: NodeState) -> None:
    """The attempt itself has ended: what it called and did not wait for ends too, and then the node."""
    draft.change(node, phase=NodePhase.STOPPING, is_over=True, deadline=None)
    failure = Failure(code="ABORTED", message="the task that called it has ended", node=node.path)
    if draft.scopes[node.path].ending is None:
        end_scope(draft, draft.scopes[node.path], NodePhase.ABORTED, failure)


def conclude(draft: Draft, node: NodeState, outcome: Outcome) -> None:
    """Nothing of the attempt runs any more: the node goes where it was to go."""
    if node.path in draft.scopes:
        end_calls(draft, draft.change(node, outcome=outcome))
    elif outcome.phase is NodePhase.RETRYING:
        repeat(draft, node, outcome.failure)
    else:
        end_node(draft, node, outcome.phase, outcome.failure)


def let_go(draft: Draft, node: NodeState, failure: Failure) -> None:
    """The node ends here and its running attempt does not: somebody else looks after it."""
    if node.phase is not NodePhase.RUNNING or node.spec.task is None or node.path in draft.scopes:
        return
    leave_place(draft, node)
    end_now(draft, node, failure)


def stop(draft: Draft, node: NodeState, outcome: Outcome) -> None:
    """End the attempt and what it called; then the node goes where it is to go."""
    node = draft.change(node, phase=NodePhase.STOPPING, outcome=outcome)
    key = draft.base.key_of(node)
    draft.commands.append(StopAttempt(node=node.path, attempt=node.attempt, key=key, cause=outcome.failure.message))
    if node.path in draft.scopes:
        end_scope(draft, draft.scopes[node.path], NodePhase.ABORTED, outcome.failure)


def _conclude_caller(draft: Draft, node: NodeState) -> None:
    """All that the ended attempt called has ended too."""
    if node.outcome is not None:
        conclude(draft, node, node.outcome)
    else:
        succeed_node(draft, draft.change(node, is_over=False), node.outputs or literals_pb2.LiteralMap())


def end_scope(draft: Draft, scope: ScopeState, ending: NodePhase, failure: Failure) -> None:
    """Let the workflow end without success: nothing new begins, and what runs is stopped."""
    scope = draft.change_scope(scope, ending=ending, failure=failure)
    if scope.path == ROOT:
        phase = ExecutionPhase.ABORTING if ending is NodePhase.ABORTED else ExecutionPhase.FAILING
        draft.change_execution(phase=phase)
    for path in list(inside(scope)):
        if path in draft.nodes:
            _end_within(draft, draft.nodes[path], failure)
    if scope.path in draft.scopes:
        _settle(draft, draft.scopes[scope.path])


def _end_within(draft: Draft, node: NodeState, failure: Failure) -> None:
    aborted = Outcome(phase=NodePhase.ABORTED, failure=failure)
    if node.phase is NodePhase.RUNNING and node.path in draft.scopes and not node.spec.is_eager:
        end_scope(draft, draft.scopes[node.path], NodePhase.ABORTED, failure)
    elif node.phase is NodePhase.RUNNING and node.spec.task is not None:
        stop(draft, node, aborted)
    elif node.phase is NodePhase.STOPPING:
        if node.outcome is not None and node.outcome.phase is NodePhase.RETRYING:
            draft.change(node, outcome=aborted)
    elif node.phase.is_live:
        end_now(draft, node, failure)
    elif node.phase is NodePhase.WAITING:
        count_end(draft, draft.change(node, phase=NodePhase.SKIPPED), live=0)


def _settle(draft: Draft, scope: ScopeState) -> None:
    if scope.live > 0 or _has_ready(draft, scope) or (scope.is_eager and scope.ending is None):
        return
    if scope.ending is None and scope.failure is None:
        if scope.remaining == 0:
            _succeed_scope(draft, scope)
        return
    ending = scope.ending or NodePhase.FAILED
    for path in inside(scope):
        node = draft.nodes[path]
        if node.phase is NodePhase.WAITING:
            count_end(draft, draft.change(node, phase=NodePhase.SKIPPED), live=0)
    scope = draft.scopes[scope.path]
    if scope.graph.failure_node is not None and not scope.handled and ending is not NodePhase.ABORTED:
        _handle(draft, scope, scope.graph.failure_node, ending)
    else:
        _close_scope(draft, scope, ending)


def _handle(draft: Draft, scope: ScopeState, spec: NodeSpec, ending: NodePhase) -> None:
    """Run the failure node before the workflow ends."""
    scope = draft.change_scope(scope, handled=True, ending=ending, remaining=scope.remaining + 1)
    node = draft.change(new_node(draft, scope, spec.node.id, spec), is_handler=True)
    draft.ready.append(node.path)


def _has_ready(draft: Draft, scope: ScopeState) -> bool:
    for path in draft.ready:
        node = draft.nodes[path]
        if node.scope == scope.path and node.phase is NodePhase.WAITING:
            return True
    return False


def _succeed_scope(draft: Draft, scope: ScopeState) -> None:
    try:
        outputs = _outputs(draft, scope)
    except TypeConversionError as error:
        message = f"the outputs of workflow {scope.graph.name!r} cannot be made: {error}"
        failure = Failure(code="BINDING", message=message, node=scope.path)
        scope = draft.change_scope(scope, failure=failure)
        _settle(draft, scope)
        return
    del draft.scopes[scope.path]
    if scope.path == ROOT:
        draft.change_execution(phase=ExecutionPhase.SUCCEEDED, outputs=outputs, ended_at=draft.now)
        draft.commands.append(CloseExecution())
    else:
        succeed_node(draft, draft.nodes[scope.path], outputs)


def _outputs(draft: Draft, scope: ScopeState) -> literals_pb2.LiteralMap:
    if scope.array is not None:
        items = (draft.nodes[path] for path in inside(scope))
        results = [item.outputs if item.phase is NodePhase.SUCCEEDED else None for item in items]
        return collected(scope.array, results)
    if scope.binds_in != scope.path:  # a branch gives what the way gives that it took
        (path,) = inside(scope)
        return draft.nodes[path].outputs or literals_pb2.LiteralMap()
    return bind(scope.graph.outputs, scope.graph.interface.outputs, scope, draft.nodes)


def _close_scope(draft: Draft, scope: ScopeState, ending: NodePhase) -> None:
    failure = scope.failure or Failure(code="ABORTED", message="aborted")
    del draft.scopes[scope.path]
    if scope.is_eager:
        if draft.nodes[scope.path].is_over:
            _conclude_caller(draft, draft.nodes[scope.path])
        return
    if scope.path == ROOT:
        phase = ExecutionPhase.ABORTED if ending is NodePhase.ABORTED else ExecutionPhase.FAILED
        draft.change_execution(phase=phase, failure=failure, ended_at=draft.now)
        draft.commands.append(CloseExecution())
        return
    node = draft.nodes[scope.path]
    own = msgspec.structs.replace(failure, kind="user", retry_after=0.0)
    if ending is not NodePhase.ABORTED and may_repeat(draft, node, own):
        repeat(draft, node, own)
    else:
        end_node(draft, node, ending, failure)
