"""Polls for one job are shared by all who ask for it at once, and how it ended is remembered."""

import asyncio
from collections import OrderedDict
from datetime import datetime
from typing import Final, TypeAlias

from connectory.connector.leases import ENDED
from connectory.connector.limits.credentials import connection_of, credential_of
from connectory.connector.polling import LastReport, Polling
from connectory.connector.registry import Route
from connectory.errors import ConnectorError, DeadlineExceededError
from connectory.v1 import connector_pb2 as pb

__all__ = ["MOST_BYTES", "MOST_JOBS", "Asked", "SharedPolls", "asked_of", "retold"]

MOST_JOBS: Final = 4096
"""The ends of so many jobs are remembered; the one that was asked for least recently is forgotten first."""
MOST_BYTES: Final = 8 * 1024 * 1024
"""So many bytes of answers are remembered at most; one that takes more than a sixteenth of that is not."""

Asked: TypeAlias = tuple[str, str, str]
"""As what and by whom a job is asked about: category, output prefix, credential."""

_MOST_ASKERS: Final = 8
"""In so many ways the end of one job is remembered."""
_End: TypeAlias = tuple[Asked, bytes]
"""How a job ended for whoever asks like this: a serialized `GetTaskResponse`."""


def asked_of(route: Route, request: pb.GetTaskRequest) -> Asked:
    """As what and by whom the request asks about its job."""
    return route.label, request.output_prefix, credential_of(connection_of(request))


def retold(error: ConnectorError) -> ConnectorError:
    """The same error, which holds on to nothing of where it was raised."""
    kind: type[ConnectorError] = next(cls for cls in type(error).__mro__ if cls.__module__ == ConnectorError.__module__)
    return kind(error.message, reason=error.reason, fields=error.fields, retry_after=error.retry_after)


_Flight: TypeAlias = "asyncio.Future[pb.GetTaskResponse | ConnectorError | None] | None"
"""What a poll brings to those who wait for it; None: nobody does.

One whose maker gave up brings None, which says nothing about the job.
"""


class SharedPolls:
    """Asks connectors by `polling`, each once for all who ask about a job at the same time.

    Who brings another credential, or names another output prefix, is answered by a poll of its own. Answers are shared:
    nobody may change one.
    """

    def __init__(self, polling: Polling) -> None:
        self._polling = polling
        self._flights: dict[bytes, dict[Asked, _Flight]] = {}
        """The polls under way."""
        self._ended: OrderedDict[bytes, tuple[_End, ...]] = OrderedDict()
        self._bytes = 0

    async def get(
        self,
        asked: Asked,
        route: Route,
        request: pb.GetTaskRequest,
        handle: bytes,
        deadline: datetime | None,
        last: LastReport | None = None,
    ) -> pb.GetTaskResponse:
        """How the job of this handle, which is the request's without its signature, stands.

        `asked` is `asked_of` the request; `last` is for those who ask about the job again and again.
        """
        for end in self._ended.get(handle, ()):
            if end[0] == asked:
                self._ended.move_to_end(handle)
                return pb.GetTaskResponse.FromString(end[1])
        while (flights := self._flights.get(handle)) is not None and asked in flights:
            shared = await self._shared(flights, asked)
            if shared is not None:
                return shared
        if flights is None:
            flights = self._flights[handle] = {}
        flights[asked] = None
        outcome: pb.GetTaskResponse | ConnectorError | None = None
        try:
            outcome = answer = await self._polling.poll(asked[2], route, request, handle, deadline, last)
        except DeadlineExceededError:
            raise  # of this caller alone
        except ConnectorError as error:
            outcome = error
            raise
        finally:
            landing = flights.pop(asked)
            is_current = self._flights.get(handle) is flights
            if is_current and not flights:
                del self._flights[handle]
            if landing is not None:
                landing.set_result(outcome)
        if is_current and answer.resource.phase in ENDED:
            self._remember(handle, asked, answer)
        return answer

    def forget(self, handle: bytes) -> None:
        """Something was done about the job: who asks from now on is answered by a new poll."""
        self._flights.pop(handle, None)
        if handle in self._ended:
            self._bytes -= _size(handle, self._ended.pop(handle))

    def forget_all(self) -> None:
        """Whoever asks from now on is answered by a new poll."""
        self._flights.clear()
        self._ended.clear()
        self._bytes = 0

    async def _shared(self, flights: dict[Asked, _Flight], asked: Asked) -> pb.GetTaskResponse | None:
        """What somebody else's poll brings; None when that one gave up."""
        landing = flights[asked]
        if landing is None:
            landing = flights[asked] = asyncio.get_running_loop().create_future()
        outcome = await asyncio.shield(landing)
        if isinstance(outcome, ConnectorError):
            raise retold(outcome)
        return outcome

    def _remember(self, handle: bytes, asked: Asked, answer: pb.GetTaskResponse) -> None:
        end = (asked, answer.SerializeToString())  # takes a third of the memory that a message does
        if _size(handle, (end,)) > MOST_BYTES // 16:
            return
        before = self._ended.pop(handle, ())
        ends = self._ended[handle] = (*before[1 - _MOST_ASKERS :], end)
        self._bytes += _size(handle, ends) - _size(handle, before)
        while len(self._ended) > MOST_JOBS or self._bytes > MOST_BYTES:
            self.forget(next(iter(self._ended)))


def _size(handle: bytes, ends: tuple[_End, ...]) -> int:
    """What is remembered of a job, in bytes."""
    return sum(len(handle) + len(prefix) + len(data) for (_, prefix, _), data in ends)
