"""Which nodes begin now: those that nothing holds back, in the order in which they became free, within the limit."""

from connectory.errors import TypeConversionError
from workflow_runner.engine.bindings import bind
from workflow_runner.engine.commands import StartAttempt
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.scopes import end_node, open_scope
from workflow_runner.engine.state import NodePhase, NodeState
from workflow_runner.engine.timeouts import attempt_timeout, total_timeout

__all__ = ["advance"]


def advance(draft: Draft) -> None:
    """Begin everything that can begin."""
    while draft.ready or (draft.queue and _has_place(draft)):
        if draft.ready:
            _admit(draft, draft.nodes[draft.ready.popleft()])
        else:
            _start(draft, draft.nodes[draft.queue.popleft()])


def _has_place(draft: Draft) -> bool:
    limit = draft.base.settings.max_parallelism
    return limit <= 0 or draft.running < limit


def _admit(draft: Draft, node: NodeState) -> None:
    scope = draft.scopes.get(node.scope)
    if scope is None or scope.ending is not None or node.phase is not NodePhase.WAITING:
        return
    draft.change_scope(scope, live=scope.live + 1)
    spec = node.spec
    program = draft.base.program
    graph = program.graphs[spec.workflow] if program is not None and spec.workflow else None
    if spec.task is not None:
        declared = spec.task.interface.inputs
    else:
        assert graph is not None  # program_of gives every node either a task or a workflow
        declared = graph.template.interface.inputs
    node = draft.change(node, phase=NodePhase.QUEUED, queued_at=draft.now)
    try:
        inputs = bind(spec.node.inputs, declared, scope, draft.nodes)
    except TypeConversionError as error:
        message = f"the inputs of node {node.path!r} cannot be made: {error}"
        end_node(draft, node, NodePhase.FAILED, Failure(code="BINDING", message=message, node=node.path))
        return
    if graph is not None:
        draft.change(node, phase=NodePhase.RUNNING, inputs=inputs, started_at=draft.now)
        open_scope(draft, node.path, graph, inputs)
        return
    limit = total_timeout(spec)
    deadline = draft.now + limit if limit is not None else None
    node = draft.change(node, inputs=inputs, total_deadline=deadline)
    if limit is not None and deadline is not None:
        draft.set_timer("total", node, limit, deadline)
    draft.queue.append(node.path)


def _start(draft: Draft, node: NodeState) -> None:
    if node.phase is not NodePhase.QUEUED:
        return
    limit = attempt_timeout(node.spec)
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
    )
    draft.running += 1
    draft.commands.append(StartAttempt(node=node.path, attempt=node.attempt, key=draft.base.key_of(node)))
    if limit is not None and deadline is not None:
        draft.set_timer("attempt", node, limit, deadline)
