"""From how a job ended to its record, and from the record to what the caller is told."""

import logging

from connectors.sql.engines.contract import Engine, Failure
from connectors.sql.outcome import Outcome
from connectors.sql.plan import Plan
from connectors.sql.records import JobRecord
from connectory.connector.contract import JobError, Phase, Resource
from connectory.errors import ConnectorError, ConnectoryError, StorageError
from connectory.v1 import literals_pb2

__all__ = ["ended_by", "lost", "resource_of", "succeeded"]


def succeeded(owner: str, outcome: Outcome) -> JobRecord:
    """The record of a job whose result is stored and committed."""
    rows = outcome.rows
    message = f"{rows} row" + ("" if rows == 1 else "s")
    return JobRecord(owner=owner, phase=int(Phase.SUCCEEDED), message=message, rows=rows, outputs=outcome.outputs)


def lost(owner: str, *, read_only: bool) -> JobRecord:
    """The record of a job whose server died. One that only read may be repeated; another may have changed something."""
    if read_only:
        text = "the server died while the query ran; nothing was changed"
        return _record(owner, Failure(code="ServerLost", message=text, kind="system", retryable=True))
    text = "the server died while the statement ran; look whether its changes were made before you run it again"
    return _record(owner, Failure(code="OutcomeUnknown", message=text, kind="system"))


def ended_by(
    error: Exception, reason: str, engine: Engine, plan: Plan, owner: str, logger: logging.Logger
) -> JobRecord:
    """The record of a job that an error ended."""
    if reason == "cancelled":
        return JobRecord(owner=owner, phase=int(Phase.ABORTED), message="cancelled", code="Cancelled")
    if reason == "time_limit":
        text = f"cancelled after its time limit of {plan.time_limit:g} s"
        return _record(owner, Failure(code="TimeLimit", message=text))
    if reason == "stopped":
        text = "the server was stopped while the query ran; nothing was changed"
        return _record(owner, Failure(code="ServerStopped", message=text, kind="system", retryable=True))
    return _record(owner, _failure(error, engine, logger))


def resource_of(record: JobRecord) -> Resource:
    """What the caller is told."""
    phase = Phase(record.phase)
    info = None if record.rows is None else {"rows": record.rows}
    if phase is Phase.SUCCEEDED:
        outputs = literals_pb2.LiteralMap.FromString(record.outputs)
        return Resource(phase=phase, message=record.message, outputs=outputs, custom_info=info)
    if phase in (Phase.FAILED, Phase.RETRYABLE_FAILED):
        retryable = phase is Phase.RETRYABLE_FAILED
        error = JobError(code=record.code, message=record.message, kind=record.kind, recoverable=retryable)
        return Resource(phase=phase, message=record.message, error=error)
    return Resource(phase=phase, message=record.message)


def _failure(error: Exception, engine: Engine, logger: logging.Logger) -> Failure:
    if isinstance(error, StorageError):
        return Failure(code="Storage", message=str(error), kind="system", retryable=True)
    if isinstance(error, ConnectorError):
        return Failure(code=error.reason, message=error.message, retryable=error.retryable)
    if isinstance(error, ConnectoryError):
        return Failure(code=type(error).__name__.removesuffix("Error"), message=str(error))
    failure = engine.failure_of(error)
    if failure is None:
        logger.error("a SQL job met an error that nobody expected", exc_info=error)
        failure = Failure(code="Internal", message=f"unexpected {type(error).__name__}: {error}", kind="system")
    return failure


def _record(owner: str, failure: Failure) -> JobRecord:
    phase = Phase.RETRYABLE_FAILED if failure.retryable else Phase.FAILED
    return JobRecord(owner=owner, phase=int(phase), message=failure.message, code=failure.code, kind=failure.kind)
