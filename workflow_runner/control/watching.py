"""Executions as they change."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from google.protobuf.message import Message

from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2
from workflow_runner.control.execution_messages import execution_message
from workflow_runner.control.executions import Executions
from workflow_runner.control.history import NOTHING
from workflow_runner.control.node_messages import current_attempt, node_execution, task_execution
from workflow_runner.control.phases import is_final
from workflow_runner.control.pictures import Picture, Pictures
from workflow_runner.engine.state import NodePhase, NodeState, State
from workflow_runner.runner import Runner
from workflow_runner.views import NodeUpdate, NodeView

__all__ = ["Watching"]

_LOOK_AGAIN = 1.0
"""Seconds between two looks at an execution that has not begun, or that another runner drives."""

_Answer = control_pb2.WatchExecutionResponse
_Identifier = identifiers_pb2.WorkflowExecutionIdentifier


class Watching:
    """WatchService."""

    def __init__(self, executions: Executions, pictures: Pictures, runner: Runner) -> None:
        self._executions = executions
        self._pictures = pictures
        self._runner = runner

    async def watch(self, request: control_pb2.WatchExecutionRequest) -> AsyncIterator[_Answer]:
        """Everything as it stands, then whatever changes, until the execution ends."""
        sent: dict[str, bytes] = {}
        while True:
            known = await self._executions.find(request.id)
            if known.phase != "QUEUED":
                async for answer in self._changes(request.id, known.id):
                    if _is_new(answer, sent):
                        yield answer
                known = await self._executions.find(request.id)
            get = control_pb2.WorkflowExecutionGetRequest(id=request.id)
            last = _Answer(execution=await self._executions.get(get))
            if _is_new(last, sent):
                yield last
            if is_final(last.execution.closure.phase):
                return
            await asyncio.sleep(_LOOK_AGAIN)

    async def _changes(self, execution: _Identifier, execution_id: str) -> AsyncIterator[_Answer]:
        """What changes while this runner drives the execution; its end is left to the caller."""
        state = await self._pictures.state(execution_id)
        async for update in self._runner.subscribe(execution_id):
            if isinstance(update, NodeUpdate):
                if _is_behind(state, update.node):
                    state = await self._pictures.state(execution_id)
                for answer in _of_node(execution, state, _at(state.nodes[update.node.id], update.node)):
                    yield answer
            elif not update.phase.is_terminal:
                yield _Answer(execution=execution_message(await self._executions.find(execution)))


def _of_node(execution: _Identifier, state: State, node: NodeState) -> list[_Answer]:
    picture = Picture(state=state, history=NOTHING)
    answers = [_Answer(node_execution=node_execution(execution, picture, node))]
    attempt = current_attempt(node)
    if attempt is not None:
        answers.append(_Answer(task_execution=task_execution(execution, picture, node, attempt)))
    return answers


def _is_behind(state: State, seen: NodeView) -> bool:
    """Whether the node is not there yet, or has begun since."""
    node = state.nodes.get(seen.id)
    return node is None or (node.queued_at is None and seen.phase not in (NodePhase.WAITING, NodePhase.SKIPPED))


def _at(node: NodeState, seen: NodeView) -> NodeState:
    """The node as it was when this was seen of it."""
    return msgspec.structs.replace(
        node,
        phase=seen.phase,
        attempt=seen.attempt,
        job_phase=int(seen.job_phase),
        message=seen.message,
        log_links=tuple(seen.log_links),
        facts=seen.facts,
        failure=seen.error,
        cached_from=seen.cached_from,
        reused_from=seen.reused_from,
        started_at=seen.started.timestamp() if seen.started is not None else None,
        ended_at=seen.ended.timestamp() if seen.ended is not None else None,
    )


def _is_new(answer: _Answer, sent: dict[str, bytes]) -> bool:
    """Whether it says something that was not said before."""
    which = str(answer.WhichOneof("change"))
    place = which + _place(getattr(answer, which))
    data = answer.SerializeToString(deterministic=True)
    if sent.get(place) == data:
        return False
    sent[place] = data
    return True


def _place(message: Message) -> str:
    if isinstance(message, execution_pb2.NodeExecution):
        return message.id.node_id
    if isinstance(message, execution_pb2.TaskExecution):
        return message.id.node_execution_id.node_id
    return ""
