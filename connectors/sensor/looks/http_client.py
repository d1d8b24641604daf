"""Asking for statuses with httpx. Import it on first use only: httpx takes a while to load."""

import asyncio
from collections.abc import Mapping

import httpx

from connectory.errors import InvalidTaskError, UnavailableError
from connectory.web import HostPolicy
from connectory.web.client import open_client

__all__ = ["StatusClient"]


class StatusClient:
    """A pool of connections. It keeps no cookies, follows no redirects and reads no bodies."""

    def __init__(self, policy: HostPolicy) -> None:
        self._client = open_client(policy)

    async def status(self, method: str, url: str, headers: Mapping[str, str], *, timeout: float, shown: str) -> int:
        """The status that the URL answers with."""
        try:
            async with asyncio.timeout(timeout):
                request = self._client.build_request(method, url, headers=dict(headers))
                response = await self._client.send(request, stream=True)
                await response.aclose()
        except (httpx.InvalidURL, httpx.LocalProtocolError) as error:
            raise InvalidTaskError(f"{shown} cannot be sent: {error}") from error
        except (TimeoutError, httpx.TransportError) as error:
            raise UnavailableError(f"{shown} failed: {str(error) or type(error).__name__}") from error
        return response.status_code

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()
