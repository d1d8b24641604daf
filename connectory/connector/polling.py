"""One poll: a job's connector is asked how it stands, with all that protects the system behind it."""

from datetime import datetime
from typing import Final

from connectory.connector.contexts import Contexts
from connectory.connector.failures import FAILURES, translated
from connectory.connector.job_policies import KnownPolicies
from connectory.connector.leases import ENDED, Leases
from connectory.connector.limits.credentials import connection_of
from connectory.connector.limits.gates import Gates
from connectory.connector.registry import Route
from connectory.connector.reports import Reports
from connectory.errors import NotFoundError
from connectory.v1 import connector_pb2 as pb

__all__ = ["Polling"]

_GET: Final = "get"


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
        self, route: Route, request: pb.GetTaskRequest, handle: bytes, deadline: datetime | None
    ) -> pb.GetTaskResponse:
        """How the job of this handle, which is the request's without its signature, stands now."""
        registration = route.registration
        gates = self._gates.of(registration)
        if gates is not None:
            await gates.poll(request)
        try:
            job, declared = registration.codec.decode(route.label, handle)
            context = self._contexts.of_job(route, deadline, request)
            prefix = context.output_prefix = request.output_prefix
            resource = await registration.operations[_GET](job, context)
            conversion = self._contexts.conversion_to(prefix)
            message = await self._reports.message(registration, resource, declared, conversion)
        except FAILURES as error:
            if isinstance(error, NotFoundError):
                self._gates.polled(registration, handle, ended=True)
            told = translated(error, registration, _GET)
            raise self._gates.told(registration, connection_of(request), told) from error.__cause__
        self._leases.polled(handle, message.phase, self._policies.of(registration).lease)
        if gates is not None:
            gates.polled(handle, ended=message.phase in ENDED)
        return pb.GetTaskResponse(resource=message)
