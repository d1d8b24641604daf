"""The API server, as the fake kubelet asks it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
from lightkube import KubeConfig
from lightkube.config.client_adapter import AsyncClient, ConnectionParams

__all__ = ["MERGE", "Api"]

MERGE = {"Content-Type": "application/merge-patch+json"}


class Api:
    """The API server."""

    def __init__(self, kubeconfig: Path) -> None:
        config = KubeConfig.from_file(kubeconfig).get()
        assert config is not None
        self.client = AsyncClient(config, ConnectionParams(timeout=httpx2.Timeout(30)))

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any] | None:
        """The answer; None when there is no such thing (any more)."""
        if body is not None:
            options = {"headers": {"Content-Type": "application/json"}, **options, "content": json.dumps(body)}
        response = await self.client.request(method, path, **options)
        if response.status_code in (404, 409, 422):
            return None
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    async def pods(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What happens to pods, from the beginning."""
        timeout = httpx2.Timeout(30, read=None)
        parameters = {"watch": "true"}
        async with self.client.stream("GET", "/api/v1/pods", params=parameters, timeout=timeout) as response:
            async for line in response.aiter_lines():
                event = json.loads(line)
                yield event["type"], event["object"]
