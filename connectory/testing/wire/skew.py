"""Checks of what other releases send: handles, fields and ways to say the category that this server may not know."""

import json

import grpc

from connectory.testing.wire.outcomes import Check, NotApplicableError, require
from connectory.testing.wire.session import Session
from connectory.v1 import connector_pb2 as pb

__all__ = ["CHECKS", "DEFECTS"]

Code = grpc.StatusCode
DEFECTS = (Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS, Code.DEADLINE_EXCEEDED, Code.CANCELLED)
"""Codes that bad input must never lead to."""

_GARBAGE = (b"", b"\xff\x00", b"{}", b"[]", b"null", b'{"v":1}', b"\x80\x04K\x01.", b"\x00" * 4096, b"x" * 65_536)


async def garbage(session: Session) -> None:
    """Handles that no release ever made."""
    for handle in _GARBAGE:
        answer = await session.get(handle)
        require(not answer.ok, f"GetTask took the handle {handle[:20]!r} for a job")
        require(answer.code not in DEFECTS, f"GetTask answered {answer} for the handle {handle[:20]!r}")
        answer = await session.delete(handle)
        require(answer.code not in DEFECTS, f"DeleteTask answered {answer} for the handle {handle[:20]!r}")


async def newer(session: Session) -> None:
    """A handle with the version of a release that is yet to come."""
    handle = await session.created()
    try:
        envelope = json.loads(handle)
        newer = json.dumps({**envelope, "v": envelope["v"] + 1_000_000}).encode()
    except (ValueError, KeyError, TypeError):
        raise NotApplicableError("the handle is no JSON with a version v") from None
    answer = await session.get(newer)
    require(not answer.ok, "GetTask took a handle of a newer release for one of its own")
    require(answer.code not in DEFECTS, f"GetTask answered {answer} for a handle of a newer release")


async def older(session: Session) -> None:
    """Handles that were recorded from earlier releases."""
    if not session.subject.older_handles:
        raise NotApplicableError(
            "no handle of an earlier release was given; record one and give it with --older-handle"
        )
    for handle in session.subject.older_handles:
        answer = await session.get(handle)
        require(answer.ok or answer.code is Code.NOT_FOUND, f"GetTask answered {answer} for {handle[:60]!r}")


async def newer_client(session: Session) -> None:
    """Requests with a field that the server cannot know."""
    unknown = b"\xfa\xff\x03\x05hello"  # field 8191
    answer = await session.create(
        pb.CreateTaskRequest.FromString(session.create_request(session.key()).SerializeToString() + unknown)
    )
    require(answer.ok, f"CreateTask answered {answer} for a request with a field more")
    handle = answer.message.resource_meta
    request = pb.GetTaskRequest.FromString(session.task.get_request(handle).SerializeToString() + unknown)
    answer = await session.ask("GetTask", request)
    require(answer.ok, f"GetTask answered {answer} for a request with a field more")


async def old_client(session: Session) -> None:
    """Requests that say the task type alone, without a category."""
    if session.task.category.version:
        raise NotApplicableError("old clients name version 0 only")
    handle = await session.created()
    name = session.task.category.name
    answer = await session.ask("GetTask", pb.GetTaskRequest(task_type=name, resource_meta=handle))
    require(answer.ok, f"GetTask answered {answer} for a request with task_type alone")
    answer = await session.ask("DeleteTask", pb.DeleteTaskRequest(task_type=name, resource_meta=handle))
    require(answer.ok, f"DeleteTask answered {answer} for a request with task_type alone")


async def unknown_category(session: Session) -> None:
    """A task type, and a version, that no connector answers."""
    for name, version in (("no_such_type_of_task", 0), (session.task.category.name, 1_000_003)):
        request = session.create_request(session.key())
        request.template.type, request.template.task_type_version = name, version
        answer = await session.create(request)
        wanted = (Code.NOT_FOUND, Code.UNIMPLEMENTED, Code.INVALID_ARGUMENT)
        require(answer.code in wanted, f"CreateTask answered {answer} for the category {name}@{version}")


CHECKS = (
    Check(
        name="garbage-handle",
        promise="A handle that is none is refused, and leads to neither INTERNAL nor UNKNOWN.",
        run=garbage,
    ),
    Check(name="newer-handle", promise="A handle of a newer release is refused, not misread.", run=newer),
    Check(name="older-handle", promise="A handle of an earlier release is still read.", run=older),
    Check(name="newer-client", promise="Fields that the server does not know change nothing.", run=newer_client),
    Check(name="old-client", promise="A task type without a category means its version 0.", run=old_client),
    Check(
        name="unknown-category",
        promise="A category that nobody answers is NOT_FOUND (or UNIMPLEMENTED, or INVALID_ARGUMENT).",
        run=unknown_category,
    ),
)
