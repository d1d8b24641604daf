"""Which secrets a command was given: references, so that later calls know what to take out of what it writes."""

from collections.abc import Iterable

from connectory.errors import ConnectoryError
from connectory.secrets import Secrets

__all__ = ["NotedSecrets", "Reference", "read_again"]

Reference = tuple[str, str | None, str | None]
"""Key, group and version."""


class NotedSecrets:
    """Secrets of `source`, of which it is noted which were read."""

    def __init__(self, source: Secrets) -> None:
        self._source = source
        self.read: list[Reference] = []

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        value = self._source.get(key, group=group, version=version)
        if (key, group, version) not in self.read:
            self.read.append((key, group, version))
        return value


def read_again(references: Iterable[Reference], secrets: Secrets) -> None:
    """Read them once more: the server takes out of answers what its own process has read, and it may be a new one.

    One that is not there any more, or that came with the create alone, cannot be known here.
    """
    for key, group, version in references:
        try:
            secrets.get(key, group=group, version=version)
        except ConnectoryError:
            continue
