"""Gates of executions: give, list, answer."""

from collections.abc import Sequence

from connectory.errors import InvalidTaskError, NotFoundError
from connectory.v1 import control_pb2, identifiers_pb2
from workflow_runner.control.executions import Executions
from workflow_runner.control.queries import Field, chosen, page_of, query_of
from workflow_runner.runner import Runner
from workflow_runner.signals import SignalView

__all__ = ["Signals"]

_FIELDS = {"signal_id": Field(column="id"), "id": Field(column="id"), "created_at": Field(column="id")}


class Signals:
    """SignalService."""

    def __init__(self, executions: Executions, runner: Runner) -> None:
        self._executions = executions
        self._runner = runner

    async def get(self, request: control_pb2.SignalGetOrCreateRequest) -> control_pb2.Signal:
        """One gate. Gates come from workflows, so that none is made here."""
        execution = request.id.execution_id
        for view in await self._views(execution):
            if view.id == request.id.signal_id:
                if request.HasField("type") and request.type != view.type:
                    raise InvalidTaskError(f"type is not that of signal {view.id!r}; leave it out, or correct it")
                return _signal(execution, view)
        raise NotFoundError(f"execution {execution.name!r} waits for no signal {request.id.signal_id!r}")

    async def list(self, request: control_pb2.SignalListRequest) -> control_pb2.SignalList:
        """The gates of an execution."""
        query = query_of(request, _FIELDS, order="id", descending=False)
        page, token = page_of(chosen(await self._views(request.workflow_execution_id), query), query)
        return control_pb2.SignalList(
            signals=[_signal(request.workflow_execution_id, view) for view in page], token=token
        )

    async def set(self, request: control_pb2.SignalSetRequest) -> control_pb2.SignalSetResponse:
        """Answer a gate; the same answer again changes nothing."""
        if not request.HasField("value"):
            raise InvalidTaskError("value is missing; it is the answer")
        known = await self._executions.find(request.id.execution_id)
        await self._runner.signal(known.id, request.id.signal_id, request.value)
        return control_pb2.SignalSetResponse()

    async def _views(self, execution: identifiers_pb2.WorkflowExecutionIdentifier) -> Sequence[SignalView]:
        known = await self._executions.find(execution)
        return () if known.phase == "QUEUED" else await self._runner.signals(known.id)


def _signal(execution: identifiers_pb2.WorkflowExecutionIdentifier, view: SignalView) -> control_pb2.Signal:
    result = control_pb2.Signal(
        id=identifiers_pb2.SignalIdentifier(signal_id=view.id, execution_id=execution),
        type=view.type,
        value=view.answer,
        is_approval=view.is_approval,
        waiting_nodes=view.nodes,
    )
    if view.shown.literals:
        result.about.CopyFrom(view.shown)
    if view.deadline is not None:
        result.deadline.FromDatetime(view.deadline)
    return result
