"""k8s_job: runs a container as a Kubernetes Job, which outlives the server."""

from connectors.k8s_job.config import KubernetesJob, KubernetesJobConfig, SecretKey
from connectors.k8s_job.connector import KubernetesJobConnector
from connectors.k8s_job.settings import KubernetesSettings

__all__ = [
    "KubernetesJob",
    "KubernetesJobConfig",
    "KubernetesJobConnector",
    "KubernetesSettings",
    "SecretKey",
    "connectors",
]

connectors = [KubernetesJobConnector]
