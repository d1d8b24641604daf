"""What a URL says about where an object is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from connectory.errors import StorageError

__all__ = ["CLOUD_SCHEMES", "HTTP_SCHEMES", "MEMORY_SCHEME", "Location", "is_local", "join", "local_path", "scheme_of"]

CLOUD_SCHEMES: Final = frozenset({"s3", "s3a", "gs", "az", "azure", "abfs", "abfss"})
HTTP_SCHEMES: Final = frozenset({"http", "https"})
MEMORY_SCHEME: Final = "memory"


@dataclass(frozen=True, slots=True)
class Location:
    """An object outside of the local file system: the store it is in, and its key there."""

    scheme: str
    root: str
    """The URL of the store, without a slash at its end."""
    key: str
    """The path within the store, without a slash at its beginning."""

    @classmethod
    def parse(cls, url: str) -> "Location":
        """Split a URL; one that names no bucket or host is a `StorageError`."""
        scheme = scheme_of(url)
        rest = url[len(scheme) + 3 :]
        if scheme == MEMORY_SCHEME:
            return cls(scheme, "memory:/", rest.lstrip("/"))
        host, _, key = rest.partition("/")
        if not host:
            raise StorageError(f"{url} names no bucket or host")
        return cls(scheme, f"{scheme}://{host}", key.lstrip("/"))

    def url_of(self, key: str) -> str:
        """The URL of another object in the same store."""
        return f"{self.root}/{key}"


def scheme_of(url: str) -> str:
    """The scheme of a URL in lower case; empty for a plain local path."""
    scheme, found, _ = url.partition("://")
    return scheme.lower() if found and scheme.isascii() and scheme.replace("+", "").isalnum() else ""


def is_local(url: str) -> bool:
    """Whether a URL is a plain path or a file:// URL."""
    return scheme_of(url) in ("", "file")


def local_path(url: str) -> Path:
    """The path of a local URL, as it is written: `~` and variables are not expanded."""
    if not url or "\0" in url:
        raise StorageError(f"{url!r} is no path")
    if scheme_of(url) != "file":
        return Path(url)
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise StorageError(
            f"{url} names a host; file URLs have three slashes, as in file:///{parts.netloc}{parts.path}"
        )
    return Path(unquote(parts.path))


def join(prefix: str, *parts: str) -> str:
    """A URL below a prefix. Slashes at the joints are made one; empty parts count for nothing."""
    inner = [part.strip("/") for part in parts if part.strip("/")]
    if not inner:
        return prefix
    scheme, found, rest = prefix.rpartition("://")
    start = rest.rstrip("/")
    joint = "/" if rest else ""
    return f"{scheme}{found}{start}{joint}{'/'.join(inner)}"
