"""The API of one cluster: the few calls that Jobs need, over lightkube's authenticated connection."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx2
import msgspec
from lightkube import KubeConfig
from lightkube.config.client_adapter import AsyncClient, ConnectionParams
from lightkube.core.exceptions import ConfigError

from connectors.k8s_job.refusals import refusal
from connectory.errors import ConnectorError, NotFoundError, UnavailableError, UnsupportedError

__all__ = ["Cluster", "open_cluster"]

_TIMEOUT: Final = httpx2.Timeout(15.0, pool=60.0)
_MERGE: Final = {"Content-Type": "application/merge-patch+json"}
_JSON: Final = {"Content-Type": "application/json"}


class Cluster:
    """Jobs and pods, as plain data. Refusals are errors of the connector tree; what is not there is None."""

    def __init__(self, client: httpx2.AsyncClient, namespace: str) -> None:
        self._client = client
        self.namespace = namespace
        """The namespace for those who name none."""

    async def create_job(self, namespace: str, job: Mapping[str, Any]) -> dict[str, Any]:
        """Create it. Fields that Kubernetes does not know are refused, so that no slip of the pen is ignored."""
        return await self._call("POST", _jobs(namespace), job, params={"fieldValidation": "Strict"})

    async def job(self, namespace: str, name: str) -> dict[str, Any] | None:
        """The Job of this name."""
        return await self._found(f"{_jobs(namespace)}/{name}")

    async def patch_job(self, namespace: str, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Merge these changes into the Job."""
        return await self._call("PATCH", f"{_jobs(namespace)}/{name}", changes, headers=_MERGE)

    async def delete_job(self, namespace: str, name: str, uid: str) -> None:
        """Delete this very Job after its pods. What is gone already is no error."""
        how = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid}}
        response = await self._send("DELETE", f"{_jobs(namespace)}/{name}", how)
        if response.status_code not in (404, 409):
            _read(response)

    async def pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        """The pods with these labels."""
        found = await self._call("GET", _pods(namespace), params={"labelSelector": selector})
        return list(found["items"])

    async def pod_template(self, namespace: str, name: str) -> dict[str, Any] | None:
        """What a PodTemplate of this name says about pods."""
        found = await self._found(f"/api/v1/namespaces/{namespace}/podtemplates/{name}")
        return None if found is None else found["template"]

    async def log(self, namespace: str, pod: str, container: str, since_seconds: int | None) -> AsyncIterator[str]:
        """The lines that there are now, each after its time; none of a container that has not started, or is gone."""
        params = {"container": container, "timestamps": "true"}
        if since_seconds is not None:
            params["sinceSeconds"] = str(since_seconds)
        try:
            async with self._client.stream("GET", f"{_pods(namespace)}/{pod}/log", params=params) as response:
                if response.status_code in (400, 404):
                    return
                if response.is_error:
                    await response.aread()
                    _read(response)
                async for line in response.aiter_lines():
                    yield line
        except httpx2.HTTPError as error:
            raise _unreachable(error) from error

    async def check(self) -> None:
        """Raise unless the cluster answers."""
        await self._call("GET", "/version")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _found(self, path: str) -> dict[str, Any] | None:
        try:
            return await self._call("GET", path)
        except NotFoundError:
            return None

    async def _call(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        return _read(await self._send(method, path, body, **options))

    async def _send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        if body is not None:
            options = {"headers": _JSON, **options, "content": msgspec.json.encode(body)}
        try:
            return await self._client.request(method, path, **options)
        except httpx2.HTTPError as error:
            raise _unreachable(error) from error
        except ConfigError as error:
            raise _unusable(error) from error


def open_cluster(context: str) -> Cluster:
    """The cluster of a context; empty: the one around this process, or the kubeconfig file's current one.

    UnsupportedError when none is configured. Nothing is asked over the network.
    """
    try:
        found = KubeConfig.from_env().get(context_name=context or None)
        if found is None:
            raise ConfigError("it names no current context")
        return Cluster(AsyncClient(found, ConnectionParams(timeout=_TIMEOUT)), found.namespace)
    except (ConfigError, OSError, KeyError, ValueError, AssertionError) as error:
        raise _unusable(error) from error


def _jobs(namespace: str) -> str:
    return f"/apis/batch/v1/namespaces/{namespace}/jobs"


def _pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def _read(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        body = {}
    if response.is_error:
        raise refusal(response.status_code, body, response.headers.get("Retry-After", ""))
    return body


def _unreachable(error: httpx2.HTTPError) -> ConnectorError:
    return UnavailableError(f"the cluster's API cannot be reached: {type(error).__name__} {error}".rstrip())


def _unusable(error: Exception) -> ConnectorError:
    return UnsupportedError(
        f"no cluster can be used here ({error}): run the connector server inside of a cluster, or name a kubeconfig "
        "file in KUBECONFIG",
        reason="NO_CLUSTER",
    )
