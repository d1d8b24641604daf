"""What a task may say about its Job, and how the Job is found again."""

from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["MAIN", "KubernetesJob", "KubernetesJobConfig", "SecretKey"]

MAIN: Final = "main"
"""What the task's container is called where nobody says otherwise."""


@dataclass(frozen=True, kw_only=True)
class SecretKey:
    """One key of a Kubernetes Secret in the Job's namespace."""

    name: str
    key: str


@dataclass(frozen=True, kw_only=True)
class KubernetesJobConfig:
    """The container and its pod. What the task's own container says (its template) holds where this says nothing.

    Texts marked (rendered) may refer to inputs and prefixes. What the template's own container says never is rendered.
    """

    image: str = ""
    command: list[str] = field(default_factory=list)
    """The program in place of the image's own (rendered, each word for itself)."""
    args: list[str] = field(default_factory=list)
    """Its arguments (rendered)."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables of the container (values rendered). Whoever may read Jobs can read them."""
    secrets: dict[str, SecretKey] = field(default_factory=dict)
    """Variables whose values Kubernetes takes from its own Secrets."""
    env_from: list[str] = field(default_factory=list)
    """Kubernetes Secrets all of whose keys become variables."""
    input_dir: str = ""
    """Where the container finds its inputs as files. Empty: it gets none."""
    output_dir: str = ""
    """Where the container leaves its outputs as files. Empty: it leaves none, or writes `outputs.pb` by itself."""
    requests: dict[str, str] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    namespace: str = ""
    context: str = ""
    """A context of the server's kubeconfig file. Empty: the operator's choice."""
    service_account: str = ""
    pod: dict[str, Any] = field(default_factory=dict)
    """A PodSpec as Kubernetes documents it; everything else here is put into it."""
    container: str = MAIN
    """The name of the task's own container in the pod."""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    node_selector: dict[str, str] = field(default_factory=dict)
    tolerations: list[dict[str, Any]] = field(default_factory=list)
    image_pull_secrets: list[str] = field(default_factory=list)
    retryable_exit_codes: list[int] = field(default_factory=list)
    """Exit codes after which the same task may succeed when it is run again."""
    active_deadline_seconds: int | None = None
    """Kubernetes ends the Job after so long, whether or not a server runs."""
    ttl_seconds: int = 604_800
    """How long Kubernetes keeps a Job that has ended, with its log."""
    schedule_seconds: float = 86_400.0
    """How long the pod may wait for a node, or for an image that is on its way, before the Job is given up."""
    start_seconds: float = 600.0
    """How long a pod that has a node may be in trouble, as when its image cannot be fetched."""


@dataclass(frozen=True, kw_only=True)
class KubernetesJob:
    """A Job's handle."""

    name: str
    namespace: str
    uid: str
    """Tells the Job from a later one of the same name."""
    context: str = ""
    container: str = MAIN
    data: str = ""
    """Below which `outputs.pb` or `error.pb` are left; empty: nothing is."""
    carried: bool = False
    """Whether containers of ours bring the inputs and deliver the outputs."""
    retryable_exit_codes: list[int] = field(default_factory=list)
    schedule_seconds: float = 86_400.0
    start_seconds: float = 600.0
