"""What every kind of place that holds objects can do."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from connectory.storage.info import ObjectInfo

__all__ = ["Backend"]


class Backend(ABC):
    """Objects of some URL schemes. Used by many threads at once.

    Obligations: an absent object is an `ObjectNotFoundError` (for `head`: None; for `delete`: nothing); any other
    failure is a `StorageError` that names the URL; readers never see half of a write.
    """

    @abstractmethod
    def head(self, url: str) -> ObjectInfo | None:
        """What is known about the object."""

    @abstractmethod
    def read(self, url: str) -> bytes:
        """The object's content."""

    def read_range(self, url: str, start: int, length: int) -> bytes:
        """A part of the content, which is as long as asked for; fewer bytes only at the end."""
        return self.read(url)[start : start + length]

    @abstractmethod
    def write(self, url: str, data: bytes, *, if_absent: bool) -> None:
        """Replace the content. With `if_absent`, of any number of writers exactly one succeeds, the others get an
        `ObjectExistsError`.
        """

    @abstractmethod
    def download(self, url: str, path: Path) -> None:
        """Copy the content to a local file, whose folder exists, in pieces."""

    @abstractmethod
    def upload(self, path: Path, url: str) -> None:
        """Replace the content with that of a local file, in pieces."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects below the prefix, at any depth; an object at the prefix itself is not one of them."""

    @abstractmethod
    def delete(self, url: str) -> None:
        """Make sure that there is no such object."""
