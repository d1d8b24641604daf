"""What connector services are known by, and which of them an execution has asked for jobs."""

from typing import Protocol

import msgspec

__all__ = ["AskedServices", "Service", "ServicesInMemory"]


class Service(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A connector service, as one that was asked for a job is recognised."""

    ledger: str = ""
    """What the ledger is known by in which it remembers creates. Empty: it has none that outlives it."""
    target: str = ""
    """Where it was reached. Empty: inside of the runner's process."""

    def is_same_as(self, other: "Service") -> bool:
        """Whether the other one, which answers now, knows of the creates that this one was asked for.

        A ledger is the same wherever it is reached; a service that told of none is the same at the same address.
        """
        return self.ledger == other.ledger if self.ledger else self.target == other.target


class AskedServices(Protocol):
    """Which service the jobs of an execution are asked of, by the category of their tasks."""

    def of(self, category: str) -> Service | None:
        """The one that was asked first; None: none was, as far as it was written down."""
        ...

    async def remember(self, category: str, service: Service) -> Service:
        """Write down that this one is about to be asked, unless one is written down; the one that is.

        It is safe when this returns.
        """
        ...


class ServicesInMemory:
    """Remembers as long as the process lives."""

    def __init__(self) -> None:
        self._known: dict[str, Service] = {}

    def of(self, category: str) -> Service | None:
        return self._known.get(category)

    async def remember(self, category: str, service: Service) -> Service:
        return self._known.setdefault(category, service)
