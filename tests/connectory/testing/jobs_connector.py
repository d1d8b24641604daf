"""A connector as an author would write it for the fake system; also `--module` of real processes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx

from connectory import AsyncConnector, CreateContext, JobContext, Phase, Resource
from connectory.errors import NotFoundError, RateLimitedError, UnavailableError

__all__ = ["FakeSystemConnector", "connectors"]

_PHASES: Final[Mapping[str, Phase]] = {"running": Phase.RUNNING, "done": Phase.SUCCEEDED}


@dataclass(frozen=True)
class SystemJob:
    """The handle."""

    id: str


class FakeSystemConnector(AsyncConnector[dict[str, Any], SystemJob]):
    """Puts the fake system behind the task type `fake_system`."""

    name = "FakeSystem"
    task_type = "fake_system"

    def __init__(self, url: str = "") -> None:
        self._client = httpx.AsyncClient(base_url=url or os.environ["FAKE_SYSTEM_URL"])

    async def create(self, ctx: CreateContext[dict[str, Any]]) -> SystemJob:
        return SystemJob((await self._call("POST", "/jobs", json={"label": ctx.idempotency_key}))["id"])

    async def find(self, key: str, ctx: CreateContext[dict[str, Any]]) -> SystemJob | None:
        found = await self._call("GET", "/jobs", params={"label": key})
        return SystemJob(found[0]["id"]) if found else None

    async def get(self, job: SystemJob, ctx: JobContext) -> Resource:
        state = (await self._call("GET", f"/jobs/{job.id}"))["state"]
        return Resource(phase=_PHASES.get(state, Phase.RUNNING), message=state)

    async def delete(self, job: SystemJob, ctx: JobContext) -> None:
        try:
            await self._call("DELETE", f"/jobs/{job.id}")
        except NotFoundError:
            return

    async def close(self) -> None:
        await self._client.aclose()

    async def _call(self, method: str, path: str, **request: Any) -> Any:
        try:
            response = await self._client.request(method, path, timeout=5.0, **request)
        except httpx.TransportError as error:
            raise UnavailableError(f"the system does not answer: {error!r}") from error
        if response.status_code == 404:
            raise NotFoundError(response.json()["error"])
        if response.status_code == 429:
            wait = float(response.headers.get("Retry-After", "1"))
            raise RateLimitedError("the system asks to wait", retry_after=timedelta(seconds=wait))
        if response.status_code >= 500:
            raise UnavailableError(f"the system answered {response.status_code}")
        return response.json()


connectors = [FakeSystemConnector]
