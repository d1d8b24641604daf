"""A client of the Kubernetes API, for plugins that need one."""

from typing import Any

from connectory.errors import SettingsError

__all__ = ["open_kube_client"]


def open_kube_client() -> Any:
    """A `lightkube.AsyncClient` of the cluster that this process is in, or that KUBECONFIG or ~/.kube/config names.

    SettingsError when lightkube is not installed, or no cluster is configured. Nothing is asked over the network.
    """
    try:
        import lightkube  # noqa: PLC0415
        from lightkube.core.exceptions import ConfigError  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "a plugin needs Kubernetes, whose client is not installed: pip install 'connectory[kubernetes]'"
        ) from error
    try:
        return lightkube.AsyncClient(lightkube.KubeConfig.from_env())
    except (ConfigError, OSError) as error:
        raise SettingsError(
            f"a plugin needs Kubernetes, and no cluster is configured ({error}): run inside of a cluster, or name a "
            "kubeconfig file in KUBECONFIG"
        ) from error
