"""Objects by URL, whatever holds them."""

import functools
import secrets
from collections.abc import Iterator
from pathlib import Path

from connectory.errors import StorageError
from connectory.storage.backend import Backend
from connectory.storage.errors import ObjectNotFoundError
from connectory.storage.http import HttpBackend
from connectory.storage.info import ObjectInfo
from connectory.storage.local import LocalBackend
from connectory.storage.objects import ObjectStoreBackend
from connectory.storage.urls import CLOUD_SCHEMES, HTTP_SCHEMES, MEMORY_SCHEME, join, scheme_of

__all__ = ["Storage", "default_storage"]


class Storage:
    """Objects by URL: plain paths and file://, memory://, s3://, gs://, az://, and http(s):// for reading.

    The calls block; call them on a thread from asynchronous code. It is shared by threads. An absent object is an
    `ObjectNotFoundError`, any other failure a `StorageError`; both name the URL.
    """

    def __init__(self) -> None:
        clouds = ObjectStoreBackend()
        self._backends: dict[str, Backend] = dict.fromkeys(("", "file"), LocalBackend())
        self._backends.update(dict.fromkeys({*CLOUD_SCHEMES, MEMORY_SCHEME}, clouds))
        self._backends.update(dict.fromkeys(HTTP_SCHEMES, HttpBackend()))

    def knows(self, url: str) -> bool:
        """Whether the URL's scheme is one of these. Nothing is asked over the network."""
        return scheme_of(url) in self._backends

    def exists(self, url: str) -> bool:
        """Whether there is an object. A folder is none."""
        return self.head(url) is not None

    def head(self, url: str) -> ObjectInfo | None:
        """What is known about the object; None when there is none."""
        return self._backend(url).head(url)

    def read(self, url: str) -> bytes:
        """The object's content."""
        return self._backend(url).read(url)

    def read_range(self, url: str, start: int, length: int) -> bytes:
        """`length` bytes of the content from `start` on; fewer only where it ends. Only these are transferred."""
        return self._backend(url).read_range(url, start, length)

    def write(self, url: str, data: bytes, *, if_absent: bool = False) -> None:
        """Create the object or replace its content, at once and whole.

        With `if_absent` an object that is there already stays as it is and `ObjectExistsError` is raised: of any number
        of writers, exactly one succeeds.
        """
        self._backend(url).write(url, data, if_absent=if_absent)

    def download(self, url: str, path: str | Path) -> Path:
        """Copy the content to a local file, whose folders are made; answer its path."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".connectory-partial-{secrets.token_hex(8)}")
        try:
            self._backend(url).download(url, partial)
            partial.replace(target)
        except OSError as error:
            raise StorageError(f"{url} cannot be downloaded to {target}: {error}") from error
        finally:
            partial.unlink(missing_ok=True)
        return target

    def upload(self, path: str | Path, url: str) -> None:
        """Create the object or replace its content with that of a local file."""
        source = Path(path)
        if not source.is_file():
            raise ObjectNotFoundError(f"there is no file at {source} to upload to {url}")
        self._backend(url).upload(source, url)

    def download_tree(self, prefix: str, folder: str | Path) -> Path:
        """Copy everything below a prefix into a local folder; answer its path."""
        target = Path(folder)
        start = prefix.rstrip("/") + "/"
        for info in self.list(prefix):
            relative = info.url.removeprefix(start)
            if ".." in relative.split("/") or relative.startswith("/"):
                raise StorageError(f"{info.url} would be stored outside of {target}")
            self.download(info.url, target / relative)
        return target

    def upload_tree(self, folder: str | Path, prefix: str) -> None:
        """Copy everything in a local folder below a prefix."""
        source = Path(folder)
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            self.upload(path, join(prefix, path.relative_to(source).as_posix()))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects below the prefix, at any depth. Prefixes end at slashes: `a/b` is not below `a/bc`."""
        return self._backend(prefix).list(prefix)

    def delete(self, url: str) -> None:
        """Make sure that there is no such object; that there was none is no error."""
        self._backend(url).delete(url)

    @staticmethod
    def join(prefix: str, *parts: str) -> str:
        """A URL below a prefix. Slashes at the joints are made one; empty parts count for nothing."""
        return join(prefix, *parts)

    def _backend(self, url: str) -> Backend:
        try:
            return self._backends[scheme_of(url)]
        except KeyError:
            known = ", ".join(f"{scheme}://" for scheme in sorted(self._backends) if scheme)
            raise StorageError(f"{url} has a scheme that is not known; there are plain paths and {known}") from None


@functools.cache
def default_storage() -> Storage:
    """One storage for the whole process, which needs no settings beyond each cloud's usual environment variables."""
    return Storage()
