"""Checks of CreateTask: one key is one job, whatever happens to the call."""

import asyncio

import grpc

from connectory.testing.wire.outcomes import Check, NotApplicableError, require
from connectory.testing.wire.session import Session, phase_of

__all__ = ["CHECKS"]

Code = grpc.StatusCode
_GONE = (Code.DEADLINE_EXCEEDED, Code.CANCELLED, Code.UNAVAILABLE)
_MOMENTS = (0.0, 0.002, 0.02)


async def good_task(session: Session) -> None:
    """The task succeeds with its outputs."""
    resource = await session.ended(await session.created())
    phase = phase_of(resource)
    require(phase.name == "SUCCEEDED", f"the job ended {phase.name}: {resource.message}")
    declared = set(session.task.template.interface.outputs.variables)
    surplus = sorted(set(resource.outputs.literals) - declared)
    require(not surplus, f"it answered outputs that the task does not declare: {', '.join(surplus)}")
    missing = sorted(declared - set(resource.outputs.literals)) if resource.HasField("outputs") else []
    require(not missing, f"it answered outputs without {', '.join(missing)}")
    require(
        not declared or resource.HasField("outputs") or session.task.output_prefix,
        "it answered no outputs, and the caller named no output prefix where they could be",
    )


async def twice(session: Session) -> None:
    """Two creates in turn and four at once."""
    before = _counted(session)
    key = session.key()
    handles = {await session.created(key), await session.created(key)}
    handles.update(await asyncio.gather(*(session.created(key) for _ in range(4))))
    _one_job(session, handles, before)


async def other_content(session: Session) -> None:
    """A key that is used again for something else."""
    key = session.key()
    await session.created(key)
    request = session.create_request(key)
    request.template.id.name += "_other"
    answer = await session.create(request)
    require(answer.code is Code.ALREADY_EXISTS, f"the second create answered {answer}, not ALREADY_EXISTS")


async def lost_response(session: Session) -> None:
    """The caller's connection is cut at several moments of the create."""
    for moment in _MOMENTS:
        before = _counted(session)
        request = session.create_request(key := session.key())
        leaver = session.peer.opened()
        await leaver.ask("ListConnectors", b"", timeout=session.subject.call_limit)
        asked = asyncio.create_task(leaver.ask("CreateTask", request, timeout=session.subject.call_limit))
        await asyncio.wait([asked], timeout=moment)
        await leaver.close()
        await asyncio.wait([asked])
        _one_job(session, {await session.created(key), await session.created(key)}, before)


async def slow(session: Session) -> None:
    """The caller's deadline is shorter than the create."""
    for deadline in (0.001, 0.005, 0.02):
        before = _counted(session)
        key = session.key()
        answer = await session.create(session.create_request(key), timeout=deadline)
        require(answer.ok or answer.code in _GONE, f"the create that ran out of time answered {answer}")
        handles = {await session.created(key), await session.created(key)}
        _one_job(session, handles | ({answer.message.resource_meta} if answer.ok else set()), before)


async def without_key(session: Session) -> None:
    """Two creates without any key."""
    if session.subject.help.count_jobs is None:
        raise NotApplicableError("handles do not tell jobs apart for sure; needs help that counts external jobs")
    before = session.subject.help.count_jobs()
    for _ in range(2):
        answer = await session.create(session.task.create_request())
        require(answer.ok, f"a create without a key answered {answer}")
    made = session.subject.help.count_jobs() - before
    require(made == 2, f"two creates without a key made {made} jobs")


def _counted(session: Session) -> int | None:
    count = session.subject.help.count_jobs
    return None if count is None else count()


def _one_job(session: Session, handles: set[bytes], before: int | None) -> None:
    require(len(handles) == 1, f"one key gave {len(handles)} different handles")
    after = _counted(session)
    if before is not None and after is not None:
        require(after - before == 1, f"one key made {after - before} external jobs")


CHECKS = (
    Check(
        name="good-task",
        promise="A job that is created ends, and tells the outputs that the task declares.",
        run=good_task,
    ),
    Check(
        name="create-twice",
        promise="The same key with the same content is the same job: every CreateTask gets its one handle.",
        run=twice,
    ),
    Check(
        name="create-other-content",
        promise="The same key with other content is refused with ALREADY_EXISTS.",
        run=other_content,
    ),
    Check(
        name="lost-response",
        promise="A create whose caller went away is finished; asking again under its key gives that job.",
        run=lost_response,
    ),
    Check(
        name="slow-create",
        promise="A create that outlasts its caller's deadline is finished; asking again under its key gives that job.",
        run=slow,
    ),
    Check(name="create-without-key", promise="Without a key every create is a job of its own.", run=without_key),
)
