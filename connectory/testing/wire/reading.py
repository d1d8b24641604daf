"""Checks of GetTaskLogs and GetTaskMetrics."""

import grpc

from connectory.testing.wire.outcomes import Check, NotApplicableError, require
from connectory.testing.wire.session import Session
from connectory.testing.wire.skew import DEFECTS
from connectory.v1 import connector_pb2 as pb

__all__ = ["CHECKS"]

Code = grpc.StatusCode


async def resume(session: Session) -> None:
    """The log as a whole, and line by line."""
    handle = await session.created()
    await session.ended(handle)
    whole, _ = await _lines(session, handle)
    first, token = await _lines(session, handle, lines=1)
    require(len(first) <= 1, f"asked for one line, it sent {len(first)}")
    rest: list[str] = []
    while token:
        more, following = await _lines(session, handle, token=token)
        require(following != token or not more, "the token stands still while lines come")
        rest += more
        token = "" if not more else following
    require(first + rest == whole, f"the whole log has {len(whole)} lines; read in pieces it has {len(first + rest)}")


async def metrics(session: Session) -> None:
    """Measurements of a job that has ended."""
    handle = await session.created()
    await session.ended(handle)
    category = session.task.get_request(handle).task_category
    answer = await session.ask("GetTaskMetrics", pb.GetTaskMetricsRequest(resource_meta=handle, task_category=category))
    if answer.code is Code.UNIMPLEMENTED:
        raise NotApplicableError("the connector offers no metrics")
    require(answer.code not in DEFECTS, f"GetTaskMetrics answered {answer}")


async def _lines(session: Session, handle: bytes, *, lines: int = 0, token: str = "") -> tuple[list[str], str]:
    request = session.task.logs_request(handle, lines=lines, token=token)
    answer = await session.peer.read("GetTaskLogs", request, timeout=session.subject.call_limit)
    if answer.code is Code.UNIMPLEMENTED:
        raise NotApplicableError("the connector offers no logs")
    require(answer.ok, f"GetTaskLogs answered {answer}")
    read: list[str] = []
    for part in answer.messages:
        if part.HasField("header"):
            token = part.header.token
        read += [line.message for line in part.body.structured_lines] or list(part.body.results)
    return read, token


CHECKS = (
    Check(
        name="logs-resume",
        promise="A log that is read on from a token has every line once.",
        run=resume,
    ),
    Check(
        name="metrics",
        promise="GetTaskMetrics answers, or says UNIMPLEMENTED.",
        run=metrics,
    ),
)
