"""Waking those who wait for something in the store."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["LEASES", "Notices", "signal_topic", "taken_topic"]

LEASES = "leases"
"""The topic of executions that became free."""


def signal_topic(execution_id: str) -> str:
    """The topic of answers to an execution's gates."""
    return f"signal {execution_id}"


def taken_topic(owner: str) -> str:
    """The topic of executions that others took from an owner."""
    return f"taken {owner}"


class Notices:
    """Topics and who listens to them. A notice says that it is worth looking, and nothing else; it may get lost."""

    def __init__(self, look_every: float = 0.5) -> None:
        self.look_every = look_every
        """How often, in seconds, to look all the same, because not every change brings a notice."""
        self._listening: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def listen(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever there is news; clear it before looking."""
        event = asyncio.Event()
        self._listening.setdefault(topic, set()).add(event)
        try:
            yield event
        finally:
            listening = self._listening[topic]
            listening.discard(event)
            if not listening:
                del self._listening[topic]

    async def publish(self, topic: str) -> None:
        """Tell everyone whom this store can reach; here, those in this process."""
        self.tell(topic)

    def tell(self, topic: str) -> None:
        """There is news for those in this process."""
        for event in self._listening.get(topic, ()):
            event.set()

    def tell_all(self) -> None:
        """There may be news anywhere."""
        for events in self._listening.values():
            for event in events:
                event.set()
