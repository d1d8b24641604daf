"""Checks of WatchTasks, which a server may leave out."""

import grpc

from connectory.testing.wire.outcomes import Check, NotApplicableError, require
from connectory.testing.wire.peer import Answer
from connectory.testing.wire.session import Session, phase_of
from connectory.v1 import watch_pb2

__all__ = ["CHECKS"]

Code = grpc.StatusCode


async def to_the_end(session: Session) -> None:
    """A job is watched by two keys until it has ended."""
    handle = await session.created()
    changes = await _watched(session, {b"one": handle, b"two": handle})
    for key in (b"one", b"two"):
        told = [change for change in changes if change.key == key]
        require(told, f"nothing was told of the job under the key {key.decode()}")
        last = told[-1]
        require(
            last.ended, f"the stream ended, and the last that was told under the key {key.decode()} is not marked so"
        )
        if last.WhichOneof("known") == "resource":
            phase = phase_of(last.resource)
            require(phase.is_terminal, f"the last that was told of the job is phase {phase.name}")
    again = await _watched(session, {b"again": handle})
    require(len(again) == 1, f"a job that has ended was answered with {len(again)} changes")


async def garbage(session: Session) -> None:
    """A handle that is none is watched beside one that is."""
    handle = await session.created()
    changes = await _watched(session, {b"good": handle, b"bad": b"\xff no handle"})
    bad = [change for change in changes if change.key == b"bad"]
    require([change.WhichOneof("known") for change in bad] == ["error"], "garbage was not told as one error")
    require(bad[0].ended, "garbage is said to be asked about again")
    require(bad[0].error.code != Code.INTERNAL.value[0], f"garbage was answered INTERNAL ({bad[0].error.message})")
    good = [change for change in changes if change.key == b"good"]
    require(good and good[-1].ended, "the job beside the garbage was not told of to its end")


async def _watched(session: Session, jobs: dict[bytes, bytes]) -> list[watch_pb2.TaskChange]:
    """All that is told of jobs until the last of them has ended."""
    request = watch_pb2.WatchTasksRequest()
    for key, handle in jobs.items():
        task = session.task.get_request(handle)
        task.connection.secrets.update(session.subject.secrets)
        request.subscribe.add(key=key).task.CopyFrom(task)
    limit = session.subject.time_limit + session.subject.call_limit
    answer: Answer = await session.peer.talk("WatchTasks", [request], timeout=limit)
    if answer.code is Code.UNIMPLEMENTED:
        raise NotApplicableError("the server offers no watching")
    require(answer.ok, f"WatchTasks answered {answer}")
    return [change for response in answer.messages for change in response.changes]


CHECKS = (
    Check(
        name="watch",
        promise="A job that is watched is told of until its end, under each key, and no longer.",
        run=to_the_end,
    ),
    Check(
        name="watch-garbage",
        promise="Trouble with one watched job is told of that job, and disturbs no other.",
        run=garbage,
    ),
)
"""For jobs."""
