"""Objects in memory and in the clouds, through the object store library, which is loaded here and only on first use."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connectory.errors import StorageError
from connectory.storage.backend import Backend
from connectory.storage.errors import ObjectExistsError, ObjectNotFoundError
from connectory.storage.info import ObjectInfo
from connectory.storage.urls import MEMORY_SCHEME, Location

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

__all__ = ["ObjectStoreBackend"]

_RETRIES: Final = {"max_retries": 5, "retry_timeout": timedelta(seconds=30)}
_memory_lock = threading.Lock()


class ObjectStoreBackend(Backend):
    """s3://, gs://, az:// and memory://. Settings come from each cloud's usual variables in the environment.

    There is one memory store per process.
    """

    def __init__(self) -> None:
        self._stores: dict[str, ObjectStore] = {}
        self._lock = threading.Lock()

    def head(self, url: str) -> ObjectInfo | None:
        store, location = self._locate(url)
        try:
            with _translated(url):
                return _info(url, library().head(store, location.key))
        except ObjectNotFoundError:
            return None

    def read(self, url: str) -> bytes:
        store, location = self._locate(url)
        with _translated(url):
            return bytes(library().get(store, location.key).bytes())

    def read_range(self, url: str, start: int, length: int) -> bytes:
        store, location = self._locate(url)
        with _translated(url):
            return bytes(library().get_range(store, location.key, start=start, length=length)) if length else b""

    def write(self, url: str, data: bytes, *, if_absent: bool) -> None:
        store, location = self._locate(url)
        with _translated(url):
            library().put(store, location.key, data, mode="create" if if_absent else "overwrite")

    def download(self, url: str, path: Path) -> None:
        store, location = self._locate(url)
        with _translated(url), path.open("wb") as file:
            for piece in library().get(store, location.key).stream():
                file.write(piece)

    def upload(self, path: Path, url: str) -> None:
        store, location = self._locate(url)
        with _translated(url):
            library().put(store, location.key, path)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        store, location = self._locate(prefix)
        with _translated(prefix):
            for metas in library().list(store, location.key.rstrip("/") or None):
                for meta in metas:
                    yield _info(location.url_of(meta["path"]), meta)

    def delete(self, url: str) -> None:
        store, location = self._locate(url)
        try:
            with _translated(url):
                library().delete(store, location.key)
        except ObjectNotFoundError:
            return

    def _locate(self, url: str) -> "tuple[ObjectStore, Location]":
        location = Location.parse(url)
        with self._lock:
            if location.root not in self._stores:
                with _translated(url):
                    self._stores[location.root] = _open(location)
            return self._stores[location.root], location


@functools.cache
def library() -> Any:
    """The object store library."""
    import obstore  # noqa: PLC0415 - an optional technology for whoever only has local files

    return obstore


def _open(location: Location) -> "ObjectStore":
    from obstore import store  # noqa: PLC0415 - see `library`

    if location.scheme == MEMORY_SCHEME:
        with _memory_lock:
            return _memory_store()
    return store.from_url(location.root, retry_config=_RETRIES)  # type: ignore[call-overload,no-any-return]


@functools.cache
def _memory_store() -> "ObjectStore":
    from obstore.store import MemoryStore  # noqa: PLC0415 - see `library`

    return MemoryStore()


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectNotFoundError(f"there is no object at {url}") from error
    except (library().exceptions.BaseError, OSError, ValueError) as error:
        if isinstance(error, library().exceptions.AlreadyExistsError | library().exceptions.PreconditionError):
            raise ObjectExistsError(f"there is an object at {url} already") from error
        raise StorageError(f"{url} cannot be used: {str(error).partition(chr(10))[0]}") from error


def _info(url: str, meta: "ObjectMeta") -> ObjectInfo:
    return ObjectInfo(url=url, size=meta["size"], etag=meta["e_tag"], modified=meta["last_modified"])
