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
from workflow_runner.control.starting import Starting, without_fixed
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
        await self._require_end(request.id)
        again = await self._again(request.id, request.name)
        again.spec.metadata.mode = control_pb2.ExecutionMetadata.RECOVERED
        return _created(await self._starting.start(again))

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

    async def _again(self, identifier: _Identifier, name: str) -> control_pb2.ExecutionCreateRequest:
        known = await self.find(identifier)
        asked = control_pb2.ExecutionCreateRequest.FromString(known.request)
        again = without_fixed(asked, await assemble(self._catalog, asked.spec.launch_plan))
        again.name = name
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
