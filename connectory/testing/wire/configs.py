"""Checks that a task which is written wrongly is told so before anything is started."""

import grpc

from connectory.testing.wire.outcomes import Check, NotApplicableError, require
from connectory.testing.wire.session import Session
from connectory.testing.wire.skew import DEFECTS
from connectory.v1 import connector_pb2 as pb

__all__ = ["CHECKS"]

Code = grpc.StatusCode


async def unknown_setting(session: Session) -> None:
    """A setting that no connector has."""
    request = session.create_request(session.key())
    request.template.custom["no_such_setting"] = 1
    answer = await session.create(request)
    if answer.ok:
        raise NotApplicableError("the connector takes any settings")
    require(answer.code is Code.INVALID_ARGUMENT, f"CreateTask answered {answer}")
    require("no_such_setting" in answer.detail, f"the answer does not name the setting: {answer}")


async def no_template(session: Session) -> None:
    """Requests that lack what is required."""
    for operation in ("CreateTask", "GetTask", "DeleteTask"):
        answer = await session.ask(operation, b"")
        require(not answer.ok, f"{operation} accepted a request that says nothing")
        require(answer.code not in DEFECTS, f"{operation} answered {answer} for an empty request")


async def wrong_kind(session: Session) -> None:
    """A task of jobs is asked to be done within one call."""
    header = pb.ExecuteTaskSyncRequest(header=session.task.header())
    answer = await session.peer.talk("ExecuteTaskSync", [header], timeout=session.subject.call_limit)
    require(not answer.ok, "ExecuteTaskSync did a task of a connector that starts jobs")
    require(answer.code not in DEFECTS, f"ExecuteTaskSync answered {answer}")


CHECKS = (
    Check(
        name="unknown-setting",
        promise="A setting that nobody knows is INVALID_ARGUMENT, by its name.",
        run=unknown_setting,
    ),
    Check(
        name="empty-request",
        promise="A request without what it must say is refused, and leads to neither INTERNAL nor UNKNOWN.",
        run=no_template,
    ),
    Check(name="wrong-kind", promise="ExecuteTaskSync of a task of jobs is refused.", run=wrong_kind),
)
