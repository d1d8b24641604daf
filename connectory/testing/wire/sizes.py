"""Checks with requests that are far too large: the caller learns what is wrong, and the server goes on."""

import grpc

from connectory.testing.wire.outcomes import Check, require
from connectory.testing.wire.peer import Answer
from connectory.testing.wire.session import Session
from connectory.testing.wire.skew import DEFECTS
from connectory.v1 import connector_pb2 as pb

__all__ = ["CHECKS"]

Code = grpc.StatusCode
_LARGEST_STATUS = 8 * 1024
_REFUSED_HERE = "metadata size exceeds"  # what gRPC says of a status above its limit, which it drops


async def inputs(session: Session) -> None:
    """One input of 3 MB, and one that no server takes."""
    for size in (3_000_000, 80_000_000):
        request = session.create_request(session.key())
        request.inputs.literals["huge"].scalar.primitive.string_value = "x" * size
        answer = await session.create(request)
        require(answer.code not in DEFECTS, f"CreateTask with an input of {size} bytes answered {answer}")
        await _answers(session)


async def errors(session: Session) -> None:
    """Mistakes that are told at length."""
    long = "x" * 200_000
    request = session.create_request(session.key())
    request.template.custom[long] = long
    _short(session, "an unknown setting with a huge name", await session.create(request))
    request = session.create_request(session.key())
    request.template.type = long
    _short(session, "a huge task type", await session.create(request))
    _short(session, "a huge handle", await session.get(long.encode()))
    answer = await session.ask("GetConnector", pb.GetConnectorRequest(name=long))
    _short(session, "a huge connector name", answer)
    await _answers(session)


def _short(session: Session, what: str, answer: Answer) -> None:
    require(answer.code not in DEFECTS, f"{what} led to {answer}")
    require(_REFUSED_HERE not in answer.detail, f"{what} led to a status that callers cannot read: {answer.detail}")
    said = len(session.peer.heard[-1][1])
    require(answer.ok or said <= _LARGEST_STATUS, f"{what} led to a status of {said} bytes, which callers cannot read")


async def _answers(session: Session) -> None:
    answer = await session.ask("ListConnectors", pb.ListConnectorsRequest())
    require(answer.ok or answer.code is Code.UNIMPLEMENTED, f"afterwards ListConnectors answered {answer}")


CHECKS = (
    Check(
        name="huge-inputs",
        promise="Inputs that are too large are refused with a reason, and the server goes on.",
        run=inputs,
    ),
    Check(
        name="huge-errors",
        promise="A status stays below 8 KB with its details, however long the mistake is.",
        run=errors,
    ),
)
