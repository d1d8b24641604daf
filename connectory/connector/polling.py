"""One poll: a job's connector is asked how it stands, with all that protects the system behind it."""

import weakref
from datetime import datetime
from typing import Any, Final, TypeAlias

from connectory.connector.contexts import Contexts
from connectory.connector.contract import Resource
from connectory.connector.failures import FAILURES, translated
from connectory.connector.job_policies import KnownPolicies
from connectory.connector.leases import ENDED, Leases
from connectory.connector.limits.credentials import connection_of
from connectory.connector.limits.gates import Gates
from connectory.connector.registry import Registration, Route
from connectory.connector.reports import Reports
from connectory.errors import NotFoundError
from connectory.v1 import connector_pb2 as pb

__all__ = ["LastReport", "Polling"]

_GET: Final = "get"


class LastReport:
    """What a job's connector said at the latest poll, for whoever polls it again and again.

    A connector that says the same once more is answered with the very same message, which is not made anew.
    """

    __slots__ = ("_gist", "_source", "response")

    def __init__(self) -> None:
        self._source: weakref.ref[Registration] | None = None
        """Known weakly: one that was replaced can be closed before the job is polled again."""
        self._gist: _Gist | None = None
        self.response = pb.GetTaskResponse()

    def is_same(self, source: Registration, gist: "_Gist | None") -> bool:
        """Whether the connector said just that."""
        return gist is not None and gist == self._gist and self._source is not None and self._source() is source

    def take(self, source: Registration, gist: "_Gist | None", response: pb.GetTaskResponse) -> None:
        """The connector says something new."""
        self._source, self._gist, self.response = weakref.ref(source), gist, response


_Gist: TypeAlias = tuple[Any, ...]


def _gist(report: Any) -> _Gist | None:
    """All that a report says, in values that cannot change; None: it says more than that."""
    if not isinstance(report, Resource) or report.custom_info is not None or report.outputs is not None:
        return None
    return (report.phase, report.message, tuple(report.log_links), report.error, report.poll_after)


class Polling:
    """Polls jobs. Every poll waits for its turn at the limits, and renews the job's lease."""

    def __init__(
        self, contexts: Contexts, reports: Reports, gates: Gates, leases: Leases, policies: KnownPolicies
    ) -> None:
        self._contexts = contexts
        self._reports = reports
        self._gates = gates
        self._leases = leases
        self._policies = policies

    async def poll(
        self,
        credential: str,
        route: Route,
        request: pb.GetTaskRequest,
        handle: bytes,
        deadline: datetime | None,
        last: LastReport | None = None,
    ) -> pb.GetTaskResponse:
        """How the job of this handle, which is the request's without its signature, stands now.

        `credential` is what the caller brings, as `credential_of` names it.
        """
        registration = route.registration
        gates = self._gates.of(registration)
        if gates is not None and (turn := gates.poll(credential, handle)) is not None:
            await turn
        try:
            job, declared = registration.codec.decode(route.label, handle)
            context = self._contexts.of_job(route, deadline, request, handle=handle)
            prefix = context.output_prefix = request.output_prefix
            report = await registration.operations[_GET](job, context)
            gist = None if last is None else _gist(report)
            if last is not None and last.is_same(registration, gist):
                response = last.response
            else:
                response = pb.GetTaskResponse()
                message = response.resource
                if self._reports.describe(message, registration, report):
                    conversion = self._contexts.conversion_to(prefix)
                    await self._reports.write_outputs(message, registration, report, declared, conversion)
                if last is not None:
                    last.take(registration, gist, response)
        except FAILURES as error:
            if isinstance(error, NotFoundError):
                self._gates.polled(registration, handle, ended=True)
            told = translated(error, registration, _GET)
            raise self._gates.told(registration, connection_of(request), told) from error.__cause__
        phase = response.resource.phase
        self._leases.polled(handle, phase, self._policies.of(registration).lease)
        if gates is not None:
            gates.polled(handle, ended=phase in ENDED)
        return response
