"""Which connector service answers a task category, and how it wants to be called."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from connectory.client.connector import ConnectorClient
from connectory.connector.contract import TaskCategory
from connectory.errors import ConnectorError, NotFoundError, UnsupportedError
from connectory.v1 import connector_pb2 as pb
from workflow_runner.plugins.services import Service

__all__ = ["UNKNOWN_CATEGORY", "Route", "Routes"]

UNKNOWN_CATEGORY = "UNKNOWN_CATEGORY"
"""The reason of a NotFoundError that means a category, not a job."""

_ASK_AGAIN_AFTER = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Where tasks of one category go."""

    client: ConnectorClient
    is_sync: bool
    service: Service
    """The service, as it is known by."""
    is_readable: bool = True
    """Whether the service can tell now what its ledger is known by, if it has one."""


class Routes:
    """Asks the services what they offer, and remembers it. The first service that offers a category gets it."""

    def __init__(self, clients: Sequence[ConnectorClient]) -> None:
        self._clients = clients
        self._known: dict[TaskCategory, list[Route]] = {}
        self._offers: dict[ConnectorClient, pb.ListConnectorsResponse] = {}
        self._unreachable: ConnectorError | None = None
        self._asking = asyncio.Lock()
        self._times_asked = 0
        self._asked_at: float | None = None

    async def find(self, category: TaskCategory, asked: Service | None = None, *, anew: bool = False) -> Route:
        """The way to a category: to the service that was `asked` before, where that is among those that offer it.

        With `anew` what the services said some seconds ago does not count. NotFoundError lists what the services offer;
        when a service that might be the one cannot be asked, its error is raised instead.
        """
        routes = self._known.get(category, [])
        route = _right(routes, asked)
        if route is None or not route.is_readable or anew:
            if self._asked_at is None or time.monotonic() - self._asked_at >= _ASK_AGAIN_AFTER:
                await self._ask()
            routes = self._known.get(category, [])
            route = _right(routes, asked)
        if route is not None:
            return route
        if self._unreachable is not None:
            raise self._unreachable
        if not routes:
            raise self._not_found(category)
        return routes[0]

    async def _ask(self) -> None:
        """Ask all of them, once for all who wait for that."""
        times = self._times_asked
        async with self._asking:
            if self._times_asked != times:
                return
            self._unreachable = None
            for client in self._clients:
                try:
                    self._offers[client] = await client.list_connectors(timeout=10.0)
                except UnsupportedError:
                    continue  # a service without this question; it cannot be chosen by what it offers
                except ConnectorError as error:
                    self._unreachable = error
            self._known = {}
            for client in self._clients:
                if client in self._offers:
                    self._take(client, self._offers[client])
            self._times_asked += 1
            self._asked_at = time.monotonic() if self._unreachable is None else None

    def _take(self, client: ConnectorClient, offered: pb.ListConnectorsResponse) -> None:
        service = Service(ledger=offered.ledger, target="" if client.inside else client.target)
        for connector in offered.connectors:
            route = Route(
                client=client,
                is_sync=connector.is_sync,
                service=service,
                is_readable=bool(offered.ledger) or not offered.HasField("ledger"),
            )
            for category in connector.supported_task_categories:
                self._known.setdefault(TaskCategory(category.name, category.version), []).append(route)

    def _not_found(self, category: TaskCategory) -> NotFoundError:
        offered = ", ".join(sorted(str(known) for known in self._known)) or "nothing"
        asked = ", ".join(client.target for client in self._clients) or "none is configured"
        return NotFoundError(
            f"no connector service offers {category}; asked: {asked}; offered: {offered}",
            reason=UNKNOWN_CATEGORY,
        )


def _right(routes: Sequence[Route], asked: Service | None) -> Route | None:
    """The first one, or the one to the service that was asked."""
    return next((route for route in routes if asked is None or asked.is_same_as(route.service)), None)
