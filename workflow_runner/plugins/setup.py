"""What plugins may use of the runner: when they are loaded, and for each attempt."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from connectory.secrets import Secrets, default_secrets
from connectory.storage import Storage, default_storage
from workflow_runner.kube import open_kube_client
from workflow_runner.plugins.metrics import MetricsScope
from workflow_runner.plugins.resources import ResourceRegistrar
from workflow_runner.quotas import Quotas

__all__ = ["SetupContext"]


class SetupContext:
    """What a plugin may use when it is loaded. Nothing is opened before it is asked for."""

    def __init__(
        self,
        *,
        secrets: Secrets | None = None,
        storage: Storage | None = None,
        metrics: MetricsScope | None = None,
        kube: Callable[[], Any] = open_kube_client,
        quotas: Quotas | None = None,
    ) -> None:
        self._secrets = secrets
        self._storage = storage
        self._metrics = metrics
        self._kube = kube
        self.quotas = quotas or Quotas()
        """All quotas and tokens of the runner."""

    @cached_property
    def secret_manager(self) -> Secrets:
        """Secrets by key: the environment, then files, unless the runner was given another source."""
        return default_secrets() if self._secrets is None else self._secrets

    @property
    def resource_registrar(self) -> ResourceRegistrar:
        """Where quotas are registered."""
        return self.quotas

    @cached_property
    def metrics_scope(self) -> MetricsScope:
        """Metrics of the plugin, published to Prometheus under `connectory_PLUGIN_NAME`."""
        if self._metrics is not None:
            return self._metrics
        from workflow_runner.metrics import PrometheusScope  # noqa: PLC0415 - a fifth of the runner's start

        return PrometheusScope("connectory")

    def kube_client(self) -> Any:
        """A client of the Kubernetes API (lightkube's); SettingsError says what is missing when there can be none."""
        return self._kube()

    @cached_property
    def data_store(self) -> Storage:
        """Objects by URL."""
        return default_storage() if self._storage is None else self._storage

    def of_plugin(self, plugin_id: str) -> "SetupContext":
        """The same for one plugin, whose metrics have its name."""
        return _PluginSetup(self, plugin_id)


class _PluginSetup(SetupContext):
    def __init__(self, whole: SetupContext, plugin_id: str) -> None:
        super().__init__(kube=whole.kube_client, quotas=whole.quotas)
        self._whole = whole
        self._plugin_id = plugin_id

    @cached_property
    def secret_manager(self) -> Secrets:
        return self._whole.secret_manager

    @cached_property
    def metrics_scope(self) -> MetricsScope:
        return self._whole.metrics_scope.sub_scope(self._plugin_id)

    @cached_property
    def data_store(self) -> Storage:
        return self._whole.data_store
