"""Checks of DeleteTask and of what can be asked of jobs that are gone."""

import re

import grpc

from connectory.testing.wire.outcomes import Check, NotApplicableError, require
from connectory.testing.wire.session import Session, phase_of

__all__ = ["CHECKS"]

Code = grpc.StatusCode
_ID = re.compile(rb"[0-9a-f]{12,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REFUSED = (Code.INVALID_ARGUMENT, Code.PERMISSION_DENIED, Code.UNAUTHENTICATED)


async def twice(session: Session) -> None:
    """The same job is deleted two times while it may still run."""
    handle = await session.created()
    for time in ("first", "second"):
        answer = await session.delete(handle)
        require(answer.ok, f"the {time} DeleteTask answered {answer}")


async def ended(session: Session) -> None:
    """A job is deleted after its end."""
    handle = await session.created()
    await session.ended(handle)
    answer = await session.delete(handle)
    require(answer.ok, f"DeleteTask of a job that has ended answered {answer}")


async def gone(session: Session) -> None:
    """A deleted job is polled."""
    handle = await session.created()
    answer = await session.delete(handle)
    require(answer.ok, f"DeleteTask answered {answer}")
    answer = await session.get(handle)
    if answer.code is not Code.NOT_FOUND:
        require(answer.ok, f"GetTask of a deleted job answered {answer}")
        phase = phase_of((await session.ended(handle)) if answer.ok else answer.message.resource)
        require(phase.is_terminal, f"a deleted job is {phase.name}")


async def unknown(session: Session) -> None:
    """A job that never existed is deleted and polled."""
    given = session.subject.unknown_handle
    handle = given or _made_up(await session.created())
    answer = await session.delete(handle)
    if given is None and answer.code in _REFUSED:
        raise NotApplicableError(f"the made-up handle was refused ({answer.code.name}); give one with --unknown-handle")
    require(answer.ok, f"DeleteTask of an unknown job answered {answer}")
    answer = await session.get(handle)
    if given is None and answer.ok and phase_of(answer.message.resource).name == "SUCCEEDED":
        raise NotApplicableError("the handle itself holds the result; give an unknown one with --unknown-handle")
    known_end = answer.ok and phase_of(answer.message.resource).is_terminal
    require(answer.code is Code.NOT_FOUND or known_end, f"GetTask of an unknown job answered {answer}")


def _made_up(handle: bytes) -> bytes:
    """The handle with what look like ids changed."""
    changed = _ID.sub(lambda found: re.sub(rb"[0-9a-f]", b"0", found[0]), handle)
    if changed == handle:
        raise NotApplicableError("the handle shows no id that could be changed; give one with --unknown-handle")
    return changed


CHECKS = (
    Check(name="delete-twice", promise="Deleting a job again is no error.", run=twice),
    Check(name="delete-ended", promise="Deleting a job that has ended is no error.", run=ended),
    Check(name="get-deleted", promise="A deleted job has ended or is NOT_FOUND.", run=gone),
    Check(
        name="delete-unknown",
        promise="Deleting a job that nobody knows is no error; asking for it is NOT_FOUND.",
        run=unknown,
    ),
)
