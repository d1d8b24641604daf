"""A request that is ready to be sent, and what is said about it to people."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from connectory.errors import InvalidTaskError, UserError

__all__ = ["REDIRECTS", "Request", "check_url", "redirected"]

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_PRIVATE_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request."""

    method: str
    url: str
    shown: str
    """The method and the URL with secrets masked, for errors."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    private_headers: frozenset[str] = frozenset()
    """The names of headers that hold secrets; they never go to another origin."""
    content: bytes = b""
    file: Path | None = None
    """The body, when it is a file; then `content` is empty."""

    @property
    def has_body(self) -> bool:
        """Whether it sends one."""
        return bool(self.content) or self.file is not None

    @property
    def is_repeatable(self) -> bool:
        """Whether sending it twice has the effect of sending it once."""
        return self.method in _REPEATABLE or "idempotency-key" in self.headers


def check_url(url: str, shown: str) -> None:
    """Raise an `InvalidTaskError` unless it is an absolute http(s) URL without credentials."""
    try:
        parts = urlsplit(url)
        problem = _problem(parts.scheme, parts.hostname, "@" in parts.netloc)
        _ = parts.port
    except ValueError as error:
        problem = f"is not a URL ({error})"
    if problem:
        raise InvalidTaskError(f"{shown}: the URL {problem}", fields={"custom.url": problem})


def redirected(request: Request, status: int, location: str) -> Request:
    """The request that follows a redirect.

    Secrets stay with their origin: to another one, headers that hold them are left out, and a body is not sent.
    """
    url = urljoin(request.url, location)
    shown = f"{request.shown} (redirected)"
    check_url(url, shown)
    if urlsplit(request.url).scheme == "https" and urlsplit(url).scheme == "http":
        raise UserError(f"{request.shown} redirects from https to http, which is not followed", reason="HTTP_DOWNGRADE")
    if status == 303 or (status in (301, 302) and request.method == "POST"):
        request = _without_body(request)
    if _origin(url) != _origin(request.url):
        if request.has_body:
            text = f"{request.shown} redirects to another origin, where its body is not sent"
            raise UserError(text, reason="HTTP_REDIRECT_WITH_BODY")
        private = request.private_headers | _PRIVATE_HEADERS
        request = replace(request, headers={k: v for k, v in request.headers.items() if k not in private})
    return replace(request, url=url, shown=shown)


def _without_body(request: Request) -> Request:
    headers = {name: value for name, value in request.headers.items() if not name.startswith("content-")}
    method = "HEAD" if request.method == "HEAD" else "GET"
    return replace(request, method=method, headers=headers, content=b"", file=None)


def _problem(scheme: str, host: str | None, has_credentials: bool) -> str:
    if scheme not in ("http", "https"):
        return "does not begin with http:// or https://"
    if not host:
        return "names no host"
    if has_credentials:
        return "holds credentials; put a secret into an Authorization header instead"
    return ""


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
