"""What the operator decides about Kubernetes Jobs, read from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from connectory.errors import InvalidTaskError, PermissionDeniedError

__all__ = ["KubernetesSettings"]


@dataclass(frozen=True, kw_only=True)
class KubernetesSettings:
    """Which cluster and namespace Jobs go to, and what their pods are given."""

    context: str = ""
    """CONNECTORY_K8S_CONTEXT: a context of the kubeconfig file; empty: the cluster around this process, or the file's
    current context.
    """
    namespace: str = ""
    """CONNECTORY_K8S_NAMESPACE: where Jobs go that name no namespace; empty: the one of the context."""
    allow: tuple[str, ...] | None = None
    """CONNECTORY_K8S_ALLOW: patterns of namespaces, or of CONTEXT:NAMESPACE where a task names a context, separated by
    blanks; None: everything.
    """
    image: str = ""
    """CONNECTORY_K8S_IMAGE: an image with this project in it, for the containers that carry data."""
    storage_secrets: tuple[str, ...] = ()
    """CONNECTORY_K8S_STORAGE_SECRETS: Kubernetes Secrets whose keys are variables with which those containers reach the
    object store, separated by blanks.
    """
    pod_template: str = ""
    """CONNECTORY_K8S_POD_TEMPLATE: the PodTemplate, in the Jobs' namespace, of tasks that name none."""
    accelerator_label: str = ""
    """CONNECTORY_K8S_ACCELERATOR_LABEL: the label by which nodes tell the model of their accelerators."""
    partition_label: str = ""
    """CONNECTORY_K8S_PARTITION_LABEL: the label by which nodes tell into which parts their accelerators are cut."""
    log_url: str = ""
    """CONNECTORY_K8S_LOG_URL: a page about a pod's log, with {namespace}, {job}, {pod} and {container} in it."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "KubernetesSettings":
        """The settings that these environment variables say."""
        allow = environ.get("CONNECTORY_K8S_ALLOW")
        return cls(
            context=environ.get("CONNECTORY_K8S_CONTEXT", ""),
            namespace=environ.get("CONNECTORY_K8S_NAMESPACE", ""),
            allow=None if allow is None else tuple(allow.split()),
            image=environ.get("CONNECTORY_K8S_IMAGE", ""),
            storage_secrets=tuple(environ.get("CONNECTORY_K8S_STORAGE_SECRETS", "").split()),
            pod_template=environ.get("CONNECTORY_K8S_POD_TEMPLATE", ""),
            accelerator_label=environ.get("CONNECTORY_K8S_ACCELERATOR_LABEL", ""),
            partition_label=environ.get("CONNECTORY_K8S_PARTITION_LABEL", ""),
            log_url=environ.get("CONNECTORY_K8S_LOG_URL", ""),
        )

    def check_allowed(self, context: str, namespace: str) -> None:
        """Raise unless the operator lets Jobs run there."""
        place = f"{context}:{namespace}" if context else namespace
        if self.allow is None or any(_matches(place, pattern) for pattern in self.allow):
            return
        text = (
            f"{place} is not among the namespaces that may be used here ({' '.join(self.allow) or 'none'}); "
            "the operator adds it to CONNECTORY_K8S_ALLOW"
        )
        raise PermissionDeniedError(text, reason="NAMESPACE_NOT_ALLOWED", fields={"custom.namespace": text})

    def data_image(self) -> str:
        """The image of the containers that carry data. InvalidTaskError: the operator named none."""
        if not self.image:
            raise InvalidTaskError(
                "the task's container reads or writes files, and the operator has not said by which image they are "
                "carried: set CONNECTORY_K8S_IMAGE to one with connectory in it",
                reason="NO_DATA_IMAGE",
            )
        return self.image


def _matches(place: str, pattern: str) -> bool:
    """Whether context and namespace each are as the pattern says; a pattern without a context is for none."""
    (context, _, namespace), (allowed, _, among) = (_parts(text) for text in (place, pattern))
    return fnmatchcase(context, allowed) and fnmatchcase(namespace, among)


def _parts(text: str) -> tuple[str, str, str]:
    context, colon, namespace = text.rpartition(":")
    return context, colon, namespace
