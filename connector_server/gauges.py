"""What is not counted but looked at when somebody asks: the connectors' pools, their open jobs, the event loop."""

from collections.abc import Callable, Iterable, Mapping

from connector_server.admission import Admission
from connector_server.isolation.kept import KeptChild
from connector_server.isolation.opening import isolated_in
from connector_server.reloading.reloads import Reloads
from connectory.connector.ledger.records import JobCount
from connectory.connector.limits.gates import LimitCount
from connectory.connector.registry import Registry
from connectory.connector.watching.jobs import WatchCount

__all__ = ["Gauges"]


class Gauges:
    """The present state of a server."""

    def __init__(
        self,
        registry: Registry,
        loop_lag: Callable[[], float],
        jobs: Callable[[], JobCount] = JobCount,
        limits: Callable[[], Iterable[LimitCount]] = tuple,
        admission: Admission | None = None,
        watched: Callable[[], Iterable[WatchCount]] = tuple,
        reloads: Reloads | None = None,
        retiring: Callable[[], int] = int,
    ) -> None:
        self._registry = registry
        self.jobs = jobs
        """The open jobs that the ledger knew of when it was last looked through."""
        self.loop_lag = loop_lag
        self.admission = Admission.unbounded() if admission is None else admission
        """How many calls are worked on, and how many were turned away."""
        self.reloads = reloads
        """What became of reloads; None: nothing is ever reloaded."""
        self.retiring = retiring
        """How many connectors were replaced and are still in use."""
        self.limits = limits
        """What happened at the limits of each connector that has some."""
        self.watched = watched
        """What happened to watched jobs, by category."""

    def isolated(self) -> Mapping[str, KeptChild]:
        """The processes that connectors have of their own, by connector."""
        return isolated_in(self._registry)

    def queued(self) -> Mapping[str, int]:
        """Calls that wait for a thread, by connector."""
        return {registration.name: registration.pool.queued for registration in self._registry.list()}

    def active(self) -> Mapping[str, int]:
        """Calls that run on a thread, by connector."""
        return {registration.name: registration.pool.active for registration in self._registry.list()}
