"""The nodes inside a scope, one by one: how they come to be, count, and end before the scope itself is looked at."""

from collections.abc import Iterator

import msgspec

from workflow_runner.engine.commands import AnswerCall, GiveUp
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.graph import NodeSpec
from workflow_runner.engine.places import give_back
from workflow_runner.engine.state import NodePhase, NodeState, ScopeState, child_path

__all__ = [
    "answer_call",
    "begin_items",
    "count_end",
    "count_failure",
    "end_now",
    "give_up",
    "inside",
    "new_node",
    "note_handler",
]


def new_node(draft: Draft, scope: ScopeState, node_id: str, spec: NodeSpec) -> NodeState:
    """A node that waits. When its workflow is repeated it goes on counting attempts: no key is used twice."""
    path = child_path(scope.path, node_id)
    earlier = draft.nodes.get(path)
    attempt = earlier.attempt + (earlier.queued_at is not None) if earlier is not None else 0
    node = NodeState(
        path=path, scope=scope.path, spec=spec, waiting=len(spec.upstream), attempt=attempt, first_attempt=attempt
    )
    draft.nodes[path] = node
    return node


def begin_items(draft: Draft, scope: ScopeState) -> ScopeState:
    """Let repetitions go, as many as may run at once."""
    if scope.array is None or scope.ending is not None:
        return scope
    count = len(scope.graph.nodes)
    ended = count - scope.remaining
    most = scope.array.parallelism or count
    until = min(count, ended + most)
    for index in range(scope.begun, until):
        draft.ready.append(child_path(scope.path, str(index)))
    return draft.change_scope(scope, begun=max(scope.begun, until))


def count_failure(draft: Draft, scope: ScopeState, failure: Failure) -> ScopeState:
    """A node has failed: that is the scope's failure, unless it is a repetition and so many may fail."""
    if scope.array is None:
        return draft.change_scope(scope, failure=scope.failure or failure)
    count = len(scope.graph.nodes)
    tolerated = scope.array.tolerated(count)
    scope = draft.change_scope(scope, failed=scope.failed + 1)
    if scope.failed <= tolerated:
        return scope
    message = failure.message
    if tolerated or scope.failed > 1:
        message = f"{scope.failed} of {count} repetitions failed, at most {tolerated} may; the last one: {message}"
    failure = msgspec.structs.replace(failure, message=message) if scope.failure is None else scope.failure
    return draft.change_scope(scope, failure=failure)


def note_handler(draft: Draft, scope: ScopeState, failure: Failure) -> ScopeState:
    """What failed is the node that is run upon a failure: the workflow's own failure is what counts."""
    first = scope.failure or failure
    if failure is not first and scope.ending is not NodePhase.ABORTED:
        first = msgspec.structs.replace(
            first, message=f"{first.message}; its failure node failed too: {failure.message}"
        )
    return draft.change_scope(scope, failure=first)


def inside(scope: ScopeState) -> Iterator[str]:
    """The paths of the nodes, with the failure node once it was begun."""
    for node_id in scope.graph.nodes:
        yield child_path(scope.path, node_id)
    if scope.handled and scope.graph.failure_node is not None:
        yield child_path(scope.path, scope.graph.failure_node.node.id)


def end_now(draft: Draft, node: NodeState, failure: Failure) -> None:
    """The node ends, and its workflow is not looked at yet."""
    give_up(draft, node)
    give_back(draft, node)
    node = draft.change(node, phase=NodePhase.ABORTED, failure=failure, ended_at=draft.now)
    answer_call(draft, draft.scopes[node.scope], node)
    count_end(draft, node, live=1)


def give_up(draft: Draft, node: NodeState) -> None:
    """The node won't work out a result that others may wait for."""
    if node.cache_key:
        draft.commands.append(GiveUp(node=node.path, key=node.cache_key))


def answer_call(draft: Draft, scope: ScopeState, node: NodeState) -> None:
    """Tell the attempt that called the node that it has ended, if there is one that still goes on."""
    if scope.is_eager and scope.ending is None:
        caller = draft.nodes[scope.path]
        call = node.path[len(scope.path) + 1 :]
        draft.commands.append(AnswerCall(node=caller.path, attempt=caller.attempt, call=call))


def count_end(draft: Draft, node: NodeState, *, live: int) -> None:
    """One node less to wait for; `live` says whether it had begun."""
    scope = draft.scopes[node.scope]
    draft.change_scope(scope, live=scope.live - live, remaining=scope.remaining - 1)
