"""Executions: start, start again, give, list, end, archive."""

from collections.abc import Callable
from dataclasses import replace

from connectory.errors import NotFoundError, UserError
from connectory.v1 import control_pb2, identifiers_pb2
from workflow_runner.control.assembly import assemble
from workflow_runner.control.catalog.contract import EXECUTION_FIELDS, Catalog, ExecutionKey, KnownExecution
from workflow_runner.control.ending import Ending
from workflow_runner.control.execution_messages import execution_identifier, execution_message
from workflow_runner.control.identifiers import execution_key, require_place
from workflow_runner.control.phases import execution_phase, is_final
from workflow_runner.control.pictures import Picture, Pictures
from workflow_runner.control.queries import Condition, Query, page_of, query_of
from workflow_runner.control.recovery_messages import change_message
from workflow_runner.control.starting import Starting
from workflow_runner.engine.state import ExecutionPhase

__all__ = ["Executions"]

_Identifier = identifiers_pb2.WorkflowExecutionIdentifier


class Executions:
    """The executions of AdminService."""

    def __init__(
        self, catalog: Catalog, starting: Starting, ending: Ending, pictures: Pictures, clock: Callable[[], float]
    ) -> None:
        self._catalog = catalog
        self._starting = starting
        self._ending = ending
        self._pictures = pictures
        self._clock = clock

    async def find(self, identifier: _Identifier) -> KnownExecution:
        """One execution, or NotFoundError."""
        key = execution_key(identifier)
        known = await self._catalog.execution(key)
        if known is None:
            raise _missing(key)
        return known

    async def picture(self, identifier: _Identifier) -> Picture | None:
        """How an execution stands in detail; None: it has not begun."""
        known = await self.find(identifier)
        return None if known.phase == "QUEUED" else await self._pictures.take(known.id)

    async def create(self, request: control_pb2.ExecutionCreateRequest) -> control_pb2.ExecutionCreateResponse:
        """Start one."""
        metadata = request.spec.metadata
        if metadata.mode == control_pb2.ExecutionMetadata.RECOVERED:
            await self._require_end(metadata.reference_execution)
        return _created(await self._starting.start(request))

    async def relaunch(self, request: control_pb2.ExecutionRelaunchRequest) -> control_pb2.ExecutionCreateResponse:
        """Start one again with the same inputs, from the beginning."""
        again = await self._again(request.id, request.name)
        again.spec.metadata.mode = control_pb2.ExecutionMetadata.RELAUNCH
        again.spec.overwrite_cache = again.spec.overwrite_cache or request.overwrite_cache
        return _created(await self._starting.start(again))

    async def recover(self, request: control_pb2.ExecutionRecoverRequest) -> control_pb2.ExecutionCreateResponse:
        """Start one that takes over what another one has done, which must have ended."""
        asked = control_pb2.BeginRecoveryRequest(id=request.id, name=request.name)
        return control_pb2.ExecutionCreateResponse(id=(await self.begin_recovery(asked)).id)

    async def begin_recovery(self, request: control_pb2.BeginRecoveryRequest) -> control_pb2.BeginRecoveryResponse:
        """The same, with a choice of what is run again, and by which version."""
        await self._require_end(request.id)
        key = await self._starting.start(await self._recovery(request))
        return control_pb2.BeginRecoveryResponse(id=_Identifier(**key._asdict()))

    async def compare_recovery(
        self, request: control_pb2.CompareRecoveryRequest
    ) -> control_pb2.CompareRecoveryResponse:
        """What would become of each node."""
        known = await self.find(request.id)
        if known.phase == "QUEUED":
            raise UserError(f"execution {known.name!r} has not begun; there is nothing that could be taken over")
        changes = await self._starting.compare(await self._recovery(request))
        return control_pb2.CompareRecoveryResponse(changes=map(change_message, changes))

    async def get(self, request: control_pb2.WorkflowExecutionGetRequest) -> control_pb2.Execution:
        """One execution."""
        known = await self.find(request.id)
        failed = known.phase == ExecutionPhase.FAILED
        failure = (await self._pictures.take(known.id)).state.failure if failed else None
        return execution_message(known, failure)

    async def data(
        self, request: control_pb2.WorkflowExecutionGetDataRequest
    ) -> control_pb2.WorkflowExecutionGetDataResponse:
        """The inputs and outputs of one."""
        known = await self.find(request.id)
        asked = control_pb2.ExecutionCreateRequest.FromString(known.request)
        succeeded = known.phase == ExecutionPhase.SUCCEEDED
        outputs = (await self._pictures.take(known.id)).state.outputs if succeeded else None
        return control_pb2.WorkflowExecutionGetDataResponse(full_inputs=asked.inputs, full_outputs=outputs)

    async def list(self, request: control_pb2.ResourceListRequest) -> control_pb2.ExecutionList:
        """Executions of a domain; archived ones only when a filter names their state."""
        require_place(request.id.project, request.id.domain)
        query = _without_archived(query_of(request, EXECUTION_FIELDS, order="created_at"))
        found = await self._catalog.executions(request.id.project, request.id.domain, query)
        page, token = page_of(found, query)
        return control_pb2.ExecutionList(executions=map(execution_message, page), token=token)

    async def terminate(self, request: control_pb2.ExecutionTerminateRequest) -> control_pb2.ExecutionTerminateResponse:
        """Let one end; GetExecution tells when it has."""
        known = await self.find(request.id)
        await self._starting.begin(known)
        await self._ending.end(known.id, request.cause)
        return control_pb2.ExecutionTerminateResponse()

    async def update(self, request: control_pb2.ExecutionUpdateRequest) -> control_pb2.ExecutionUpdateResponse:
        """Archive one, or bring it back."""
        key = execution_key(request.id)
        archived = request.state == control_pb2.EXECUTION_ARCHIVED
        if not await self._catalog.archive(key, archived, self._clock()):
            raise _missing(key)
        return control_pb2.ExecutionUpdateResponse()

    async def _require_end(self, identifier: _Identifier) -> None:
        known = await self.find(identifier)
        if not is_final(execution_phase(known.phase)):
            raise UserError(f"execution {known.name!r} has not ended; terminate it first")

    async def _recovery(
        self, request: control_pb2.BeginRecoveryRequest | control_pb2.CompareRecoveryRequest
    ) -> control_pb2.ExecutionCreateRequest:
        name = request.name if isinstance(request, control_pb2.BeginRecoveryRequest) else ""
        version = request.launch_plan if request.HasField("launch_plan") else None
        again = await self._again(request.id, name, version)
        again.spec.metadata.mode = control_pb2.ExecutionMetadata.RECOVERED
        again.spec.metadata.rerun.extend(request.rerun)
        return again

    async def _again(
        self, identifier: _Identifier, name: str, version: identifiers_pb2.Identifier | None = None
    ) -> control_pb2.ExecutionCreateRequest:
        """What asked for an execution, as it can be asked for once more; of another version, if there is one."""
        known = await self.find(identifier)
        again = control_pb2.ExecutionCreateRequest.FromString(known.request)
        if version is not None:
            again.spec.launch_plan.CopyFrom(version)
        what = await assemble(self._catalog, again.spec.launch_plan)
        for given in again.inputs.literals.keys() - what.plan.closure.expected_inputs.parameters.keys():
            del again.inputs.literals[given]
        again.name = name
        del again.spec.metadata.rerun[:]
        again.spec.metadata.reference_execution.CopyFrom(execution_identifier(known))
        return again


def _without_archived(query: Query) -> Query:
    if any(condition.field.column == "state" for condition in query.conditions):
        return query
    active = Condition(field=EXECUTION_FIELDS["state"], operator="eq", values=("EXECUTION_ACTIVE",))
    return replace(query, conditions=(*query.conditions, active))


def _created(key: ExecutionKey) -> control_pb2.ExecutionCreateResponse:
    return control_pb2.ExecutionCreateResponse(id=_Identifier(**key._asdict()))


def _missing(key: ExecutionKey) -> NotFoundError:
    return NotFoundError(f"there is no execution {key.name!r} in {key.project}, {key.domain}")
