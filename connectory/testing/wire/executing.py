"""Checks of ExecuteTaskSync, for connectors that do their work within one call."""

import asyncio
from collections.abc import Sequence

import grpc
from google.protobuf.message import Message

from connectory.testing.wire.hiding import PLANTED, nowhere
from connectory.testing.wire.meanwhile import others_answer
from connectory.testing.wire.outcomes import Check, NotApplicableError, require
from connectory.testing.wire.peer import Answer
from connectory.testing.wire.session import Session, phase_of
from connectory.testing.wire.skew import DEFECTS
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2

__all__ = ["CHECKS"]

Code = grpc.StatusCode
_MANY = 16


async def good_task(session: Session) -> None:
    """The task succeeds; what it answers comes in the order of the protocol."""
    answer = await _execute(session, _header(session), session.task.inputs)
    resource = _done(answer)
    phase = phase_of(resource)
    require(phase.name == "SUCCEEDED", f"the work ended {phase.name}: {resource.message}")
    kinds = [message.WhichOneof("res") for message in answer.messages]
    require(set(kinds[1:]) <= {"outputs"}, f"the answer came as {', '.join(map(str, kinds))}")
    told = set(resource.outputs.literals)
    told.update(name for message in answer.messages[1:] for name in message.outputs.literals)
    declared = set(session.task.template.interface.outputs.variables)
    require(told == declared, f"the task declares the outputs {sorted(declared)}; the answer has {sorted(told)}")


async def again(session: Session) -> None:
    """The same call a second time, and after a caller that went away."""
    header = _header(session)
    leaver = session.peer.opened()
    request = [pb.ExecuteTaskSyncRequest(header=header)]
    gone = asyncio.create_task(leaver.talk("ExecuteTaskSync", request, timeout=session.subject.call_limit))
    await asyncio.wait([gone], timeout=0.005)
    await leaver.close()
    await asyncio.wait([gone])
    for _ in range(2):
        resource = _done(await _execute(session, header, session.task.inputs))
        require(phase_of(resource).name == "SUCCEEDED", f"asked again, it ended {phase_of(resource).name}")


async def parts(session: Session) -> None:
    """Each input in a message of its own."""
    singles = [literals_pb2.LiteralMap(literals={n: v}) for n, v in session.task.inputs.literals.items()]
    resource = _done(await _execute(session, _header(session), *singles))
    require(phase_of(resource).name == "SUCCEEDED", f"it ended {phase_of(resource).name}: {resource.message}")


async def disorder(session: Session) -> None:
    """Streams without a header, with two, or with nothing in them."""
    header = pb.ExecuteTaskSyncRequest(header=_header(session))
    inputs = pb.ExecuteTaskSyncRequest(inputs=session.task.inputs)
    streams: dict[str, Sequence[Message]] = {
        "no message": [],
        "inputs before the header": [inputs, header],
        "two headers": [header, header],
        "a message that says nothing": [header, pb.ExecuteTaskSyncRequest()],
    }
    for what, messages in streams.items():
        answer = await session.peer.talk("ExecuteTaskSync", messages, timeout=session.subject.call_limit)
        require(not answer.ok, f"a stream with {what} was accepted")
        require(answer.code not in DEFECTS, f"a stream with {what} was answered {answer}")


async def unknown_setting(session: Session) -> None:
    """A setting that no connector has."""
    header = _header(session)
    header.template.custom["no_such_setting"] = 1
    answer = await _execute(session, header, session.task.inputs)
    if answer.ok:
        raise NotApplicableError("the connector takes any settings")
    require(answer.code is Code.INVALID_ARGUMENT, f"ExecuteTaskSync answered {answer}")
    require("no_such_setting" in answer.detail, f"the answer does not name the setting: {answer}")


async def huge(session: Session) -> None:
    """Inputs, settings and names that are far too large."""
    large = literals_pb2.LiteralMap()
    large.literals["huge"].scalar.primitive.string_value = "x" * 3_000_000
    answer = await _execute(session, _header(session), large)
    require(answer.code not in DEFECTS, f"inputs of 3 MB were answered {answer}")
    header = _header(session)
    header.template.custom["x" * 200_000] = 1
    answer = await _execute(session, header, session.task.inputs)
    require(answer.code not in DEFECTS, f"a setting with a huge name was answered {answer}")


async def secrets(session: Session) -> None:
    """A secret is planted in a call that succeeds and in one that fails."""
    header = _header(session)
    header.connection.secrets["CHECK_PLANTED"] = PLANTED
    await _execute(session, header, session.task.inputs)
    header.template.custom["no_such_setting"] = 1
    await _execute(session, header, session.task.inputs)
    nowhere(session, [PLANTED, *session.subject.secrets.values()])


async def meanwhile(session: Session) -> None:
    """Many calls at once, and other calls between them."""

    async def one() -> None:
        _done(await _execute(session, _header(session), session.task.inputs))

    calls = [asyncio.create_task(one()) for _ in range(_MANY)]
    try:
        await others_answer(session, calls)
        await asyncio.gather(*calls)
    finally:
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)


async def wrong_kind(session: Session) -> None:
    """A job is asked for."""
    answer = await session.ask("CreateTask", session.create_request(session.key()))
    require(not answer.ok, "CreateTask started a job of a connector that works within one call")
    require(answer.code not in DEFECTS, f"CreateTask answered {answer}")


def _header(session: Session) -> pb.CreateRequestHeader:
    header = session.task.header(session.key())
    header.connection.secrets.update(session.subject.secrets)
    return header


async def _execute(session: Session, header: pb.CreateRequestHeader, *inputs: literals_pb2.LiteralMap) -> Answer:
    messages = [pb.ExecuteTaskSyncRequest(header=header), *(pb.ExecuteTaskSyncRequest(inputs=one) for one in inputs)]
    return await session.peer.talk("ExecuteTaskSync", messages, timeout=session.subject.call_limit)


def _done(answer: Answer) -> pb.Resource:
    require(answer.ok, f"ExecuteTaskSync answered {answer}")
    require(answer.messages and answer.messages[0].WhichOneof("res") == "header", "the answer begins without a header")
    resource: pb.Resource = answer.messages[0].header.resource
    require(phase_of(resource).is_terminal, f"the work is said to be {phase_of(resource).name}, which is no end")
    return resource


CHECKS = (
    Check(name="good-task", promise="The header comes first, in a terminal phase; the outputs follow.", run=good_task),
    Check(name="lost-response", promise="Asking again after a call was lost gives the same end.", run=again),
    Check(name="inputs-in-parts", promise="Inputs may come in several messages, which are merged.", run=parts),
    Check(name="disorder", promise="A stream out of order is refused, and leads to no INTERNAL.", run=disorder),
    Check(
        name="unknown-setting",
        promise="A setting that nobody knows is INVALID_ARGUMENT, by its name.",
        run=unknown_setting,
    ),
    Check(name="huge-inputs", promise="Inputs that are too large are refused with a reason.", run=huge),
    Check(name="secret-of-the-request", promise="A secret of the connection is in no answer.", run=secrets),
    Check(
        name="others-answer-meanwhile",
        promise="While work goes on, other calls are answered within their deadline.",
        run=meanwhile,
    ),
    Check(name="wrong-kind", promise="CreateTask of a task that is done within one call is refused.", run=wrong_kind),
)
