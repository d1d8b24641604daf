"""The clusters that Jobs go to, opened with the first call that needs them."""

import importlib
import re
from typing import TYPE_CHECKING

from connectors.k8s_job.config import KubernetesJob, KubernetesJobConfig
from connectors.k8s_job.identity import NAME
from connectors.k8s_job.settings import KubernetesSettings
from connectory.errors import InvalidTaskError, UnsupportedError

if TYPE_CHECKING:
    from connectors.k8s_job.cluster import Cluster

__all__ = ["Clusters"]


class Clusters:
    """One connection per context. The library that makes them is imported with the first."""

    def __init__(self, settings: KubernetesSettings) -> None:
        self._settings = settings
        self._opened: dict[str, Cluster] = {}

    def of_task(self, config: KubernetesJobConfig) -> tuple["Cluster", str]:
        """Where a task's Job belongs: the cluster and the namespace. PermissionDeniedError: it may not go there."""
        cluster = self._open(config.context)
        own = "" if config.context else self._settings.namespace
        namespace = config.namespace or own or cluster.namespace
        self._settings.check_allowed(config.context, namespace)
        return cluster, namespace

    def of_job(self, job: KubernetesJob) -> "Cluster":
        """Where a Job is."""
        if not re.fullmatch(NAME, job.name) or not job.namespace:
            raise InvalidTaskError("the handle's name is not one of this connector's", fields={"name": job.name})
        self._settings.check_allowed(job.context, job.namespace)
        return self._open(job.context)

    async def check(self) -> None:
        """Raise when one that was used before does not answer."""
        for cluster in self._opened.values():
            await cluster.check()

    async def close(self) -> None:
        """Close the connections."""
        for cluster in self._opened.values():
            await cluster.close()
        self._opened.clear()

    def _open(self, context: str) -> "Cluster":
        name = context or self._settings.context
        if name not in self._opened:
            try:
                module = importlib.import_module("connectors.k8s_job.cluster")
            except ImportError as error:
                raise UnsupportedError(
                    f"the library for Kubernetes is not installed here ({error}); the operator installs it: "
                    "pip install 'connectory[kubernetes]'",
                    reason="LIBRARY_MISSING",
                ) from error
            self._opened[name] = module.open_cluster(name)
        return self._opened[name]
