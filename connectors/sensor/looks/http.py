"""Does the URL answer with the status?"""

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors.sensor.config import HttpCheck
from connectors.sensor.filling import Filling
from connectors.sensor.finding import Finding
from connectory.errors import InvalidTaskError, UserError
from connectory.web import HostPolicy, PerLoop, StatusSet

if TYPE_CHECKING:
    from connectors.sensor.looks.http_client import StatusClient

__all__ = ["HttpLook"]


class HttpLook:
    """Asks for the status of URLs within one event loop; loads httpx when it is first asked."""

    def __init__(self, policy: HostPolicy | None = None) -> None:
        allowed = policy if policy is not None else HostPolicy.from_environment(os.environ)
        self._client = PerLoop(lambda: _new_client(allowed))

    async def look(self, check: HttpCheck, filling: Filling) -> Finding:
        """One request. A status that fails the job is a `UserError`; no answer is an `UnavailableError`."""
        url, shown = filling.url(check.url), f"{check.method.upper()} {filling.url(check.url, masked=True)}"
        _check_url(url, shown)
        headers = {name: filling.text(value) for name, value in check.headers.items()}
        client = await self._client.get()
        status = await client.status(check.method.upper(), url, headers, timeout=check.timeout, shown=shown)
        if status in StatusSet(check.expect, field="custom.http.expect"):
            return Finding(
                met=True,
                message=f"{shown} answered {status}",
                facts={"url": filling.url(check.url, masked=True), "status": status},
            )
        if status in StatusSet(check.fail, field="custom.http.fail"):
            raise UserError(f"{shown} answered {status}, which ends the wait", reason=f"HTTP_{status}")
        return Finding(met=False, message=f"{shown} answered {status}; waiting for another status")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _check_url(url: str, shown: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable:
        problem = "not an absolute http or https URL without credentials"
        raise InvalidTaskError(f"{shown} is {problem}", fields={"custom.http.url": problem})


def _new_client(policy: HostPolicy) -> "StatusClient":
    from connectors.sensor.looks.http_client import StatusClient  # noqa: PLC0415 - httpx loads on the first look

    return StatusClient(policy)
