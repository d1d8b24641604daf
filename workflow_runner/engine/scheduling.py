"""Which nodes begin now: those that nothing holds back, in the order in which they became free, within the limit."""

from typing import Final

from connectory.errors import TypeConversionError
from connectory.v1 import literals_pb2
from workflow_runner.engine import gates
from workflow_runner.engine.arrays import count_of, inputs_of, items_graph, require_enough
from workflow_runner.engine.bindings import values_of
from workflow_runner.engine.caching import cache_key
from workflow_runner.engine.choices import taken
from workflow_runner.engine.commands import StartAttempt
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.graph import Array, Branch
from workflow_runner.engine.handling import with_error
from workflow_runner.engine.outstanding import look_up
from workflow_runner.engine.places import may_start, take_place
from workflow_runner.engine.queueing import wait_in_queue
from workflow_runner.engine.reusing import note_news, reuse
from workflow_runner.engine.rules import DEPTH_IS_BOUNDED, SHORT_LISTS_FAIL
from workflow_runner.engine.scopes import end_node, open_scope
from workflow_runner.engine.state import NodePhase, NodeState, ScopeState

__all__ = ["DEEPEST", "advance"]

DEEPEST: Final = 150
"""In so many others a node may be: how one ends is worked out from the innermost to the outermost."""


def advance(draft: Draft) -> None:
    """Begin everything that can begin."""
    while draft.ready or draft.placeless or (draft.queue and _has_place(draft)):
        if draft.ready:
            _admit(draft, draft.nodes[draft.ready.popleft()])
        elif draft.placeless:
            _start(draft, draft.nodes[draft.placeless.popleft()])
        else:
            _start(draft, draft.nodes[draft.queue.popleft()])


def _has_place(draft: Draft) -> bool:
    limit = draft.base.settings.max_parallelism
    return limit <= 0 or draft.running < limit


def _admit(draft: Draft, node: NodeState) -> None:
    if node.phase is NodePhase.QUEUED:  # tried once more, with the inputs that it has
        _begin(draft, node, node.inputs or literals_pb2.LiteralMap())
        return
    scope = draft.scopes.get(node.scope)
    if scope is None or (scope.ending is not None and not node.is_handler) or node.phase is not NodePhase.WAITING:
        return
    scope = draft.change_scope(scope, live=scope.live + 1)
    if node.path.count(".") > DEEPEST and draft.base.rules >= DEPTH_IS_BOUNDED:
        message = f"node {node.spec.node.id!r} is nested in {node.path.count('.')} others, and {DEEPEST} are possible"
        _fail(draft, node, "TOO_DEEP", message)
        return
    try:
        inputs = _inputs(draft, scope, node)
        if node.spec.array is not None:
            count = count_of(node.spec.array, inputs)
            if draft.base.rules >= SHORT_LISTS_FAIL:
                require_enough(node.spec.array, count)
    except TypeConversionError as error:
        _fail(draft, node, "BINDING", f"the inputs of node {node.path!r} cannot be made: {error}")
        return
    node = draft.change(node, phase=NodePhase.QUEUED, queued_at=draft.now, inputs=inputs)
    taken_over = reuse(draft, note_news(draft, node), inputs)
    if taken_over is not None:
        _begin(draft, taken_over, inputs)


def _fail(draft: Draft, node: NodeState, code: str, message: str) -> None:
    """The node fails before it begins."""
    node = draft.change(node, phase=NodePhase.QUEUED, queued_at=draft.now)
    end_node(draft, node, NodePhase.FAILED, Failure(code=code, message=message, node=node.path))


def _inputs(draft: Draft, scope: ScopeState, node: NodeState) -> literals_pb2.LiteralMap:
    spec = node.spec
    if scope.array is not None:
        given = inputs_of(scope.array, scope.inputs, int(node.path.rpartition(".")[2]))
    elif scope.is_eager:
        given = node.inputs or literals_pb2.LiteralMap()
    else:
        given = values_of(spec.inputs, draft.scopes[scope.binds_in], draft.nodes)
    if node.is_handler and scope.failure is not None and "err" not in scope.inputs.literals:
        given = with_error(given, spec.interface.inputs, scope.failure)
    if not spec.presets.literals and not spec.fixed.literals:
        return given
    return literals_pb2.LiteralMap(literals={**spec.presets.literals, **given.literals, **spec.fixed.literals})


def _begin(draft: Draft, node: NodeState, inputs: literals_pb2.LiteralMap) -> None:
    spec = node.spec
    if spec.task is not None:
        _begin_task(draft, node, inputs)
        return
    node = _run(draft, node)
    if spec.gate is not None:
        gates.open_gate(draft, node)
    elif spec.branch is not None:
        _choose(draft, node, spec.branch, inputs)
    elif spec.array is not None:
        _repeat(draft, node, spec.array, inputs)
    elif spec.graph is not None:
        count = len(spec.graph.nodes)
        open_scope(
            draft, ScopeState(path=node.path, graph=spec.graph, inputs=inputs, binds_in=node.path, remaining=count)
        )


def _begin_task(draft: Draft, node: NodeState, inputs: literals_pb2.LiteralMap) -> None:
    limit, key = node.spec.limits.total, cache_key(node.spec, inputs)
    deadline = draft.now + limit if limit is not None else None
    if (deadline, key) != (node.total_deadline, node.cache_key):
        node = draft.change(node, total_deadline=deadline, cache_key=key)
    if limit is not None and deadline is not None:
        draft.set_timer("total", node, limit, deadline)
    node = wait_in_queue(draft, node)
    if node.cache_key and not (draft.base.settings.overwrite_cache or node.spec.overwrites_cache):
        draft.commands.append(look_up(draft.change(node, phase=NodePhase.LOOKING)))
    else:
        take_place(draft, node)


def _choose(draft: Draft, node: NodeState, branch: Branch, inputs: literals_pb2.LiteralMap) -> None:
    name = node.spec.node.metadata.name or node.spec.node.id
    try:
        graph = taken(branch, inputs)
    except TypeConversionError as error:
        message = f"the conditions of {name!r} cannot be decided: {error}"
        end_node(draft, node, NodePhase.FAILED, Failure(code="CONDITION", message=message, node=node.path))
        return
    if graph is None:
        message = branch.failure or f"no case of {name!r} holds"
        end_node(draft, node, NodePhase.FAILED, Failure(code="NO_CASE", message=message, node=node.path))
        return
    within = draft.scopes[node.scope].binds_in
    open_scope(draft, ScopeState(path=node.path, graph=graph, inputs=inputs, binds_in=within, remaining=1))


def _repeat(draft: Draft, node: NodeState, array: Array, inputs: literals_pb2.LiteralMap) -> None:
    count = count_of(array, inputs)
    graph = items_graph(array, count)
    open_scope(
        draft,
        ScopeState(path=node.path, graph=graph, inputs=inputs, binds_in=node.path, remaining=count, array=array),
    )


def _start(draft: Draft, node: NodeState) -> None:
    if not may_start(draft, node):
        return
    draft.running += not node.spec.is_eager
    started = StartAttempt(node=node.path, attempt=node.attempt, key=draft.base.key_of(node))
    draft.commands.append(started)
    _run(draft, node)


def _run(draft: Draft, node: NodeState) -> NodeState:
    """The node's attempt begins, and its time with it."""
    limit = node.spec.limits.attempt
    deadline = draft.now + limit if limit is not None else None
    node = draft.change(
        node,
        phase=NodePhase.RUNNING,
        started_at=draft.now,
        deadline=deadline,
        retry_at=None,
        job_phase=0,
        message="",
        log_links=(),
        facts="",
    )
    if limit is not None and deadline is not None:
        draft.set_timer("attempt", node, limit, deadline)
    return node
