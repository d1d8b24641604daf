"""Checks that need somebody beside the server: one who restarts it, or breaks the external system."""

import grpc

from connectory.testing.wire.outcomes import Check, NotApplicableError, require
from connectory.testing.wire.session import Session, phase_of

__all__ = ["CHECKS", "outage_while_polling", "restart_between_create_and_get", "unknown_state"]

Code = grpc.StatusCode
_NOT_NOW = (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED, Code.DEADLINE_EXCEEDED)
_ENDED = "the job had ended before the trouble began; give a task that runs for a moment"


async def restart_between_create_and_get(session: Session) -> None:
    """The server is restarted after the create; `help.restart` does it."""
    restart = session.subject.help.restart
    if restart is None:
        raise NotApplicableError(
            "nobody can restart the server; give --restart COMMAND, or run the suite with Help(restart=...)"
        )
    key = session.key()
    handle = await session.created(key)
    await restart()
    resource = await session.ended(handle)
    phase = phase_of(resource)
    require(phase.name == "SUCCEEDED", f"after the restart the job ended {phase.name}: {resource.message}")
    again = await session.create(session.create_request(key))
    require(again.ok, f"after the restart CreateTask under the same key answered {again}")
    require(again.message.resource_meta == handle, "after the restart the same key gave another handle")


async def outage_while_polling(session: Session) -> None:
    """The external system is away while the job is polled; `help.outage` sees to it."""
    outage = session.subject.help.outage
    if outage is None:
        raise NotApplicableError(
            "nobody can take the external system away; give --outage COMMAND, or run the suite with Help(outage=...)"
        )
    handle = await session.created()
    async with outage():
        for _ in range(3):
            answer = await session.get(handle)
            if answer.ok:
                phase = phase_of(answer.message.resource)
                failed = phase.is_terminal and phase.name != "SUCCEEDED"
                require(not failed, f"a poll during the outage said that the job is {phase.name}")
            else:
                require(answer.code in _NOT_NOW, f"a poll during the outage answered {answer}")
    resource = await session.ended(handle)
    require(phase_of(resource).name == "SUCCEEDED", f"after the outage the job ended {phase_of(resource).name}")


async def unknown_state(session: Session) -> None:
    """The external system reports a state that nobody knows; `help.unknown_state` sees to it."""
    strange = session.subject.help.unknown_state
    if strange is None:
        raise NotApplicableError(
            "nobody can make the external system say so; give --unknown-state COMMAND, or run the suite with"
            " Help(unknown_state=...)"
        )
    handle = await session.created()
    async with strange():
        answer = await session.get(handle)
        require(answer.ok, f"GetTask answered {answer} for a state that nobody knows")
        phase = phase_of(answer.message.resource)
        if phase.name == "SUCCEEDED":
            raise NotApplicableError(_ENDED)
        require(not phase.is_terminal, f"a state that nobody knows became {phase.name}")
    resource = await session.ended(handle)
    require(phase_of(resource).name == "SUCCEEDED", f"afterwards the job ended {phase_of(resource).name}")


CHECKS = (
    Check(
        name="restart-between-create-and-get",
        promise="A restarted server finds a job by its handle, and by its key.",
        run=restart_between_create_and_get,
    ),
    Check(
        name="outage-while-polling",
        promise="A poll that fails is no job that failed: while the external system is away, GetTask is UNAVAILABLE.",
        run=outage_while_polling,
    ),
    Check(
        name="unknown-state",
        promise="A state that nobody knows means that the job still runs; it never fails a job by itself.",
        run=unknown_state,
    ),
)
