"""Which connector service answers a task category, and how it wants to be called."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from connectory.client.connector import ConnectorClient
from connectory.connector.contract import TaskCategory
from connectory.errors import ConnectorError, NotFoundError, UnsupportedError

__all__ = ["UNKNOWN_CATEGORY", "Route", "Routes"]

UNKNOWN_CATEGORY = "UNKNOWN_CATEGORY"
"""The reason of a NotFoundError that means a category, not a job."""

_ASK_AGAIN_AFTER = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Where tasks of one category go."""

    client: ConnectorClient
    is_sync: bool


class Routes:
    """Asks the services what they offer, and remembers it. The first service that offers a category gets it."""

    def __init__(self, clients: Sequence[ConnectorClient]) -> None:
        self._clients = clients
        self._known: dict[TaskCategory, Route] = {}
        self._asked_at: float | None = None

    async def find(self, category: TaskCategory) -> Route:
        """The way to a category.

        NotFoundError lists what the services offer; when a service that might offer it cannot be asked, its error is
        raised instead.
        """
        route = self._known.get(category)
        if route is not None:
            return route
        recently = self._asked_at is not None and time.monotonic() - self._asked_at < _ASK_AGAIN_AFTER
        unreachable = None if recently else await self._ask()
        route = self._known.get(category)
        if route is not None:
            return route
        if unreachable is not None:
            raise unreachable
        raise self._not_found(category)

    async def _ask(self) -> ConnectorError | None:
        unreachable: ConnectorError | None = None
        found: dict[TaskCategory, Route] = {}
        for client in self._clients:
            try:
                offered = await client.connectors(timeout=10.0)
            except UnsupportedError:
                continue  # a service without this question; it cannot be chosen by what it offers
            except ConnectorError as error:
                unreachable = error
                continue
            for connector in offered:
                route = Route(client=client, is_sync=connector.is_sync)
                for category in connector.supported_task_categories:
                    found.setdefault(TaskCategory(category.name, category.version), route)
        self._known = found
        self._asked_at = time.monotonic() if unreachable is None else None
        return unreachable

    def _not_found(self, category: TaskCategory) -> NotFoundError:
        offered = ", ".join(sorted(str(known) for known in self._known)) or "nothing"
        asked = ", ".join(client.target for client in self._clients) or "none is configured"
        return NotFoundError(
            f"no connector service offers {category}; asked: {asked}; offered: {offered}",
            reason=UNKNOWN_CATEGORY,
        )
