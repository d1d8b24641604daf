"""Looking for what belongs to a handle."""

from typing import TYPE_CHECKING, Any

from connectors.k8s_job.config import KubernetesJob
from connectors.k8s_job.identity import JOB_LABEL

if TYPE_CHECKING:
    from connectors.k8s_job.cluster import Cluster

__all__ = ["own_job", "own_pod"]


async def own_job(cluster: "Cluster", job: KubernetesJob) -> dict[str, Any] | None:
    """This very Job; None: it is gone, whatever has its name now."""
    made = await cluster.job(job.namespace, job.name)
    return made if made is not None and made["metadata"]["uid"] == job.uid else None


async def own_pod(cluster: "Cluster", job: KubernetesJob) -> dict[str, Any] | None:
    """The latest pod of this very Job."""
    pods = await cluster.pods(job.namespace, f"{JOB_LABEL}={job.name}")
    own = [pod for pod in pods if any(one["uid"] == job.uid for one in pod["metadata"].get("ownerReferences", ()))]
    return max(own, key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)
