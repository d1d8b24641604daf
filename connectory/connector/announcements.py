"""Connectors that announce themselves while their module is imported, as Flyte's do.

Connectory's own connectors are found and never announce themselves. The list is the one thing here that belongs to the
process: `connectory.compat.ConnectorRegistry` adds to it, and discovery takes from it what a module brought along.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from connectory.connector.contract import Connector

__all__ = ["GivesConnector", "announce", "announced", "forget"]

_announced: list["GivesConnector"] = []


@runtime_checkable
class GivesConnector(Protocol):
    """Something written for another contract that can be had as a connector of this one."""

    def as_connector(self) -> Connector[Any]:
        """The connector."""
        ...


def announce(connector: GivesConnector) -> None:
    """Make a connector known to whoever imports the module that this is called from."""
    _announced.append(connector)


def announced(since: int = 0) -> Sequence[GivesConnector]:
    """What was announced, in order, after the first `since`."""
    return tuple(_announced[since:])


def forget(since: int = 0, until: int | None = None) -> None:
    """Forget what was announced after the first `since`, up to the first `until`: its modules are loaded anew."""
    del _announced[since:until]
