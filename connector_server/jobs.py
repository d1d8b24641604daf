"""The job service: each handler decodes, makes one call of the dispatcher's jobs, encodes."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import grpc
from google.protobuf.message import Message

from connector_server.calls import unary_call
from connector_server.measurements import Measurements
from connector_server.methods import CallTracer, Guard, Method
from connector_server.names import JOB_SERVICE
from connectory.connector.jobs import Jobs
from connectory.connector.ledger.records import OPEN, JobQuery, JobRecord, JobState
from connectory.connector.reaping import Outcome, Reaped
from connectory.connector.subjects import no_subject
from connectory.errors import InvalidTaskError
from connectory.rpc.handlers import CallContext, MethodHandler
from connectory.v1 import execution_pb2
from connectory.v1 import jobs_pb2 as pb

__all__ = ["JOB_OPERATIONS", "job_handlers"]

_REQUESTS: Final[Mapping[str, Any]] = {
    "ListJobs": pb.ListJobsRequest,
    "GetJob": pb.GetJobRequest,
    "DeleteJob": pb.DeleteJobRequest,
    "ReapJobs": pb.ReapJobsRequest,
    "SettleJob": pb.SettleJobRequest,
}
JOB_OPERATIONS: Final = tuple(_REQUESTS)
"""The operations by the names that metrics, spans and logs use."""

_PAGE: Final = 100
_LARGEST_PAGE: Final = 1000
_STATES: Final = {
    JobState.CREATING: pb.Job.CREATING,
    JobState.LIVE: pb.Job.LIVE,
    JobState.ENDED: pb.Job.ENDED,
    JobState.AMBIGUOUS: pb.Job.AMBIGUOUS,
    JobState.DELETING: pb.Job.DELETING,
    JobState.DELETED: pb.Job.DELETED,
}
_KNOWN_STATES: Final = {number: state for state, number in _STATES.items()}
_OUTCOMES: Final = {
    Outcome.REMOVED: pb.ReapedJob.REMOVED,
    Outcome.FOUND_ENDED: pb.ReapedJob.FOUND_ENDED,
    Outcome.KEPT: pb.ReapedJob.KEPT,
    Outcome.SETTLED: pb.ReapedJob.SETTLED,
    Outcome.FAILED_FOR_NOW: pb.ReapedJob.FAILED_FOR_NOW,
}


def job_handlers(
    jobs: Jobs, measurements: Measurements, tracer: CallTracer | None = None, guard: Guard | None = None
) -> dict[str, MethodHandler]:
    """A handler for every method of the job service, under its full name."""
    service = _JobService(jobs)
    perform: Mapping[str, Callable[[Any], Awaitable[Message]]] = {
        "ListJobs": service.list,
        "GetJob": service.show,
        "DeleteJob": service.delete,
        "ReapJobs": service.reap,
        "SettleJob": service.settle,
    }
    return {
        f"/{JOB_SERVICE.name}/{operation}": grpc.unary_unary_rpc_method_handler(
            unary_call(_method(operation, measurements, tracer, guard), _performed_by(perform[operation]))
        )
        for operation in JOB_OPERATIONS
    }


def _method(operation: str, measurements: Measurements, tracer: CallTracer | None, guard: Guard | None) -> Method:
    return Method(
        name=f"/{JOB_SERVICE.name}/{operation}",
        operation=operation,
        request_class=_REQUESTS[operation],
        subject=no_subject,
        series=measurements.of(operation),
        tracer=tracer,
        guard=guard,
    )


def _performed_by(operation: Callable[[Any], Awaitable[Message]]) -> Callable[..., Awaitable[Message]]:
    def perform(request: Any, _data: bytes, _context: CallContext) -> Awaitable[Message]:
        return operation(request)

    return perform


class _JobService:
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def list(self, request: pb.ListJobsRequest) -> pb.ListJobsResponse:
        limit = min(request.limit if request.limit > 0 else _PAGE, _LARGEST_PAGE)
        query = JobQuery(
            states=frozenset(_KNOWN_STATES[state] for state in request.states if state in _KNOWN_STATES) or OPEN,
            category=request.category,
            execution=request.execution,
            orphans_only=request.orphans,
            after=_after(request.token),
            limit=limit + 1,
        )
        found = await self._jobs.list(query)
        token = _token(found[limit - 1].key) if len(found) > limit else ""
        return pb.ListJobsResponse(jobs=(self._message(one) for one in found[:limit]), token=token)

    async def show(self, request: pb.GetJobRequest) -> pb.GetJobResponse:
        return pb.GetJobResponse(job=self._message(await self._jobs.show(_required(request.key))))

    async def delete(self, request: pb.DeleteJobRequest) -> pb.DeleteJobResponse:
        return pb.DeleteJobResponse(job=self._message(await self._jobs.delete(_required(request.key))))

    async def reap(self, request: pb.ReapJobsRequest) -> pb.ReapJobsResponse:
        return pb.ReapJobsResponse(jobs=map(self._reaped, await self._jobs.reap(dry_run=request.dry_run)))

    async def settle(self, request: pb.SettleJobRequest) -> pb.SettleJobResponse:
        found = request.WhichOneof("found")
        if found is None or (found == "nothing" and not request.nothing):
            sentence = "say what was found: the handle of the job, or that there is nothing"
            raise InvalidTaskError(sentence, fields={"found": sentence})
        await self._jobs.settle(_required(request.key), request.resource_meta if found == "resource_meta" else None)
        return pb.SettleJobResponse()

    def _reaped(self, reaped: Reaped) -> pb.ReapedJob:
        message = self._without_secrets(reaped.job, reaped.message)
        return pb.ReapedJob(job=self._message(reaped.job), outcome=_OUTCOMES[reaped.outcome], message=message)

    def _message(self, record: JobRecord) -> pb.Job:
        job = pb.Job(
            key=record.key,
            state=_STATES[record.state],
            phase=execution_pb2.TaskExecution.Phase.ValueType(record.phase),
            execution=record.execution,
            resource_meta=self._without_secrets(record, self._jobs.handle(record).decode(errors="replace")).encode(),
            orphan=record.is_orphan,
            reason=self._without_secrets(record, record.reason),
        )
        if record.category:
            name, _, version = record.category.rpartition("@")
            job.category.name, job.category.version = name, int(version)
        job.created_at.FromNanoseconds(int(record.created_at * 1e9))
        if record.seen_at is not None:
            job.seen_at.FromNanoseconds(int(record.seen_at * 1e9))
        if record.lease_until is not None:
            job.lease_until.FromNanoseconds(int(record.lease_until * 1e9))
        return job

    def _without_secrets(self, record: JobRecord, text: str) -> str:
        registration = self._jobs.registration(record)
        return text if registration is None else registration.redactor.text(text)


def _required(key: str) -> str:
    if not key:
        raise InvalidTaskError("the request names no job; set key", fields={"key": "it is required"})
    return key


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _after(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        sentence = "it is no token of an earlier answer"
        raise InvalidTaskError(f"the page cannot be found: {sentence}", fields={"token": sentence}) from None
