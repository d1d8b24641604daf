"""Checks that secrets which come with a request never come back."""

from connectory.testing.wire.outcomes import Check, NotApplicableError, require
from connectory.testing.wire.session import Session

__all__ = ["CHECKS", "PLANTED", "SHARED", "nowhere"]

PLANTED = "planted-Zq7-secret-value"


async def jobs(session: Session) -> None:
    """A secret is planted in every request of a job's life, and in a request that fails."""
    request = session.create_request(session.key())
    request.connection.secrets["CHECKPLANTED"] = PLANTED
    answer = await session.create(request)
    require(answer.ok, f"CreateTask answered {answer} for a request with a secret more")
    handle = answer.message.resource_meta
    resource = await session.ended(handle)
    require(PLANTED not in str(resource), "GetTask told the secret of the connection")
    get = session.task.get_request(handle + b"broken")
    get.connection.secrets["CHECKPLANTED"] = PLANTED
    await session.ask("GetTask", get)
    request.template.custom["no_such_setting"] = 1
    await session.create(request)
    nowhere(session, [PLANTED, *session.subject.secrets.values()])


async def everything_heard(session: Session) -> None:
    """All that the server has said in all checks so far."""
    if not session.subject.secrets:
        raise NotApplicableError("no secret that the task reads was given; name one with --secret NAME")
    nowhere(session, list(session.subject.secrets.values()))


def nowhere(session: Session, values: list[str]) -> None:
    for operation, data in session.peer.heard:
        told = [value for value in values if value and value.encode() in data]
        require(not told, f"an answer of {operation} holds the value of a secret")


CHECKS = (
    Check(
        name="secret-of-the-request",
        promise="A secret of the connection is in no handle, message, error or log.",
        run=jobs,
    ),
)
SHARED = (
    Check(
        name="secret-anywhere",
        promise="The secrets that the task reads are in no answer of the server.",
        run=everything_heard,
    ),
)
