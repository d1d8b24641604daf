"""Nodes of executions and attempts of their tasks: give, list, data."""

from connectory.errors import NotFoundError
from connectory.v1 import control_pb2, execution_pb2, identifiers_pb2, literals_pb2
from workflow_runner.control.dynamic import workflow_made_by
from workflow_runner.control.executions import Executions
from workflow_runner.control.node_messages import attempts_of, node_execution, task_execution
from workflow_runner.control.node_rows import node_row, page, task_row
from workflow_runner.control.pictures import Picture
from workflow_runner.engine.state import NodePhase, NodeState
from workflow_runner.views import deck_place

__all__ = ["Nodes"]


class Nodes:
    """The node and task executions of AdminService."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def get(self, request: control_pb2.NodeExecutionGetRequest) -> execution_pb2.NodeExecution:
        """One node."""
        picture, node = await self._find(request.id)
        return node_execution(request.id.execution_id, picture, node)

    async def list(self, request: control_pb2.NodeExecutionListRequest) -> control_pb2.NodeExecutionList:
        """The nodes of a workflow, or directly below one of its nodes, or all of them."""
        execution = request.workflow_execution_id
        picture = await self._executions.picture(execution)
        if picture is None:
            return control_pb2.NodeExecutionList()
        parent = request.unique_parent_id
        if parent and parent not in picture.state.nodes:
            raise NotFoundError(f"execution {execution.name!r} has no node {parent!r}")
        if request.whole_tree:
            nodes = list(picture.state.nodes.values())
        else:
            nodes = [node for node in picture.state.nodes.values() if _is_listed(picture, node, parent)]
        found, token = page([node_row(picture, node) for node in nodes], request)
        messages = [node_execution(execution, picture, node) for node in found]
        return control_pb2.NodeExecutionList(node_executions=messages, token=token)

    async def list_of_task(self, request: control_pb2.NodeExecutionForTaskListRequest) -> control_pb2.NodeExecutionList:
        """The nodes that an attempt made."""
        identifier = request.task_execution_id.node_execution_id
        picture, node = await self._find(identifier)
        made = [each for each in picture.state.nodes.values() if each.scope == node.path and each.queued_at]
        found, token = page([node_row(picture, each) for each in made], request)
        messages = [node_execution(identifier.execution_id, picture, each) for each in found]
        return control_pb2.NodeExecutionList(node_executions=messages, token=token)

    async def data(self, request: control_pb2.NodeExecutionGetDataRequest) -> control_pb2.NodeExecutionGetDataResponse:
        """The inputs and outputs of a node, and the workflow that it made."""
        picture, node = await self._find(request.id)
        answer = control_pb2.NodeExecutionGetDataResponse(
            full_inputs=node.inputs, full_outputs=_outputs(node), flyte_urls=_urls(request.id)
        )
        made = workflow_made_by(picture, node)
        if made is not None:
            answer.dynamic_workflow.id.CopyFrom(made.primary.template.id)
            answer.dynamic_workflow.compiled_workflow.CopyFrom(made)
        return answer

    async def deck(self, identifier: identifiers_pb2.NodeExecutionIdentifier) -> str:
        """The URL at which the last attempt of a node's task puts a page about itself; empty: nowhere."""
        picture, node = await self._find(identifier)
        return deck_place(picture.state, node)

    async def dynamic(
        self, request: control_pb2.GetDynamicNodeWorkflowRequest
    ) -> control_pb2.DynamicNodeWorkflowResponse:
        """The workflow that a node made."""
        made = workflow_made_by(*await self._find(request.id))
        if made is None:
            raise NotFoundError(
                f"node {request.id.node_id!r} of execution {request.id.execution_id.name!r} made no nodes"
            )
        return control_pb2.DynamicNodeWorkflowResponse(compiled_workflow=made)

    async def get_attempt(self, request: control_pb2.TaskExecutionGetRequest) -> execution_pb2.TaskExecution:
        """One attempt."""
        picture, node = await self._find(request.id.node_execution_id)
        for attempt in attempts_of(picture, node):
            if attempt.number == request.id.retry_attempt:
                return task_execution(request.id.node_execution_id.execution_id, picture, node, attempt)
        raise NotFoundError(f"node {node.path!r} has no attempt {request.id.retry_attempt}")

    async def list_attempts(self, request: control_pb2.TaskExecutionListRequest) -> control_pb2.TaskExecutionList:
        """The attempts of a node's task."""
        identifier = request.node_execution_id
        picture, node = await self._find(identifier)
        item = node.spec.array.item if node.spec.array is not None else node.spec
        attempts = attempts_of(picture, node) if item.task is not None else ()
        rows = [task_row(task_execution(identifier.execution_id, picture, node, attempt)) for attempt in attempts]
        found, token = page(rows, request)
        return control_pb2.TaskExecutionList(task_executions=found, token=token)

    async def attempt_data(
        self, request: control_pb2.TaskExecutionGetDataRequest
    ) -> control_pb2.TaskExecutionGetDataResponse:
        """The inputs of an attempt, and its outputs if it was the one that succeeded."""
        attempt = await self.get_attempt(control_pb2.TaskExecutionGetRequest(id=request.id))
        _, node = await self._find(request.id.node_execution_id)
        succeeded = attempt.closure.phase == execution_pb2.TaskExecution.SUCCEEDED
        return control_pb2.TaskExecutionGetDataResponse(
            full_inputs=node.inputs,
            full_outputs=_outputs(node) if succeeded else None,
            flyte_urls=_urls(request.id.node_execution_id, request.id.retry_attempt),
        )

    async def _find(self, identifier: identifiers_pb2.NodeExecutionIdentifier) -> tuple[Picture, NodeState]:
        picture = await self._executions.picture(identifier.execution_id)
        node = picture.state.nodes.get(identifier.node_id) if picture is not None else None
        if picture is None or node is None:
            raise NotFoundError(f"execution {identifier.execution_id.name!r} has no node {identifier.node_id!r}")
        return picture, node


def _is_listed(picture: Picture, node: NodeState, parent: str) -> bool:
    """Whether Flyte's lists have it: nodes that have begun, or never will."""
    return node.scope == parent and node.phase is not NodePhase.WAITING


def _outputs(node: NodeState) -> literals_pb2.LiteralMap | None:
    return node.outputs if node.phase is NodePhase.SUCCEEDED else None


def _urls(node: identifiers_pb2.NodeExecutionIdentifier, attempt: int | None = None) -> control_pb2.FlyteURLs:
    execution = node.execution_id
    place = f"flyte://v1/{execution.project}/{execution.domain}/{execution.name}/{node.node_id}"
    place = place if attempt is None else f"{place}/{attempt}"
    return control_pb2.FlyteURLs(inputs=f"{place}/i", outputs=f"{place}/o")
