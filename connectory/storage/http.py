"""Objects that are read over HTTP."""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from connectory.errors import StorageError
from connectory.storage.backend import Backend
from connectory.storage.errors import ObjectNotFoundError
from connectory.storage.info import ObjectInfo

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpBackend"]

_TIMEOUT: Final = 60.0
_PARTIAL_CONTENT: Final = 206
_GONE: Final = frozenset({404, 410})


class HttpBackend(Backend):
    """http:// and https:// URLs: they are read, with redirects followed, and never written."""

    def head(self, url: str) -> ObjectInfo | None:
        try:
            with _response("HEAD", url) as response:
                return _info(url, response)
        except ObjectNotFoundError:
            return None

    def read(self, url: str) -> bytes:
        with _response("GET", url) as response:
            return response.read()

    def read_range(self, url: str, start: int, length: int) -> bytes:
        if not length:
            return b""
        with _response("GET", url, {"range": f"bytes={start}-{start + length - 1}"}) as response:
            content = response.read()
            return content if response.status_code == _PARTIAL_CONTENT else content[start : start + length]

    def download(self, url: str, path: Path) -> None:
        with _response("GET", url) as response, path.open("wb") as file:
            for piece in response.iter_bytes():
                file.write(piece)

    def write(self, url: str, data: bytes, *, if_absent: bool) -> NoReturn:
        _refuse(url)

    def upload(self, path: Path, url: str) -> NoReturn:
        _refuse(url)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        _refuse(prefix)

    def delete(self, url: str) -> NoReturn:
        _refuse(url)


def _refuse(url: str) -> NoReturn:
    raise StorageError(f"{url} can only be read: objects over HTTP are neither written, listed nor deleted")


@functools.cache
def _library() -> Any:
    import httpx  # noqa: PLC0415 - an optional technology for whoever reads nothing over HTTP

    return httpx


@contextmanager
def _response(method: str, url: str, headers: Mapping[str, str] | None = None) -> "Iterator[httpx.Response]":
    httpx = _library()
    try:
        with httpx.stream(method, url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as response:
            if response.status_code in _GONE:
                raise ObjectNotFoundError(f"there is no object at {url}")
            if not response.is_success:
                raise StorageError(f"{url} answers with HTTP status {response.status_code}")
            yield response
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StorageError(f"{url} cannot be read: {error}") from error


def _info(url: str, response: "httpx.Response") -> ObjectInfo:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - loads sockets, for HTTP only

    modified = response.headers.get("last-modified")
    try:
        when = parsedate_to_datetime(modified) if modified else None
    except ValueError:
        when = None
    size = response.headers.get("content-length", "")
    return ObjectInfo(
        url=url, size=int(size) if size.isdigit() else 0, etag=response.headers.get("etag"), modified=when
    )
