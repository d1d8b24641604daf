"""What a container needs of its machine, in the words of Kubernetes."""

from collections.abc import Mapping
from typing import Any, Final

from connectors.k8s_job.config import KubernetesJobConfig
from connectors.k8s_job.settings import KubernetesSettings
from connectory.errors import InvalidTaskError
from connectory.v1 import tasks_pb2

__all__ = ["accelerator_selector", "put_shared_memory", "resources_of", "with_devices"]

_GPU: Final = "gpu"
_DEVICES: Final = {
    "NVIDIA_GPU": "nvidia.com/gpu",
    "GOOGLE_TPU": "google.com/tpu",
    "AMAZON_NEURON": "aws.amazon.com/neuron",
    "AMD_GPU": "amd.com/gpu",
    "HABANA_GAUDI": "habana.ai/gaudi",
}
_Resources = Mapping[str, Mapping[str, str]]


def resources_of(own: tasks_pb2.Container, config: KubernetesJobConfig) -> dict[str, dict[str, str]]:
    """Requests and limits: those of the task's container, below those of its config."""
    said = {
        "requests": {**_quantities(own.resources.requests), **config.requests},
        "limits": {**_quantities(own.resources.limits), **config.limits},
    }
    return {kind: quantities for kind, quantities in said.items() if quantities}


def with_devices(resources: _Resources, wanted: tasks_pb2.ExtendedResources) -> dict[str, dict[str, str]]:
    """The same with accelerators under the name of their family. What is requested of them is their limit, too."""
    family = tasks_pb2.GPUAccelerator.DeviceClass.Name(wanted.gpu_accelerator.device_class)
    if family not in _DEVICES:
        raise InvalidTaskError(f"the task wants an accelerator of the family {family}, which no cluster has")
    device = _DEVICES[family]
    named = {
        kind: {device if name == _GPU else name: amount for name, amount in quantities.items()}
        for kind, quantities in resources.items()
    }
    requested = named.get("requests", {}).get(device)
    if requested is not None:
        named["limits"] = {device: requested, **named.get("limits", {})}
    return named


def accelerator_selector(wanted: tasks_pb2.ExtendedResources, settings: KubernetesSettings) -> dict[str, str]:
    """By which labels nodes with the wanted accelerator, or part of one, are found; empty: any will do."""
    accelerator = wanted.gpu_accelerator
    labels = (
        (accelerator.device, settings.accelerator_label, "CONNECTORY_K8S_ACCELERATOR_LABEL"),
        (accelerator.partition_size, settings.partition_label, "CONNECTORY_K8S_PARTITION_LABEL"),
    )
    for value, label, setting in labels:
        if value and not label:
            text = (
                f"the task wants an accelerator {value!r}, and the operator has not said by which label nodes tell that"
            )
            raise InvalidTaskError(f"{text}: set {setting}", reason="NO_ACCELERATOR_LABEL")
    return {label: value for value, label, _ in labels if value}


def put_shared_memory(spec: dict[str, Any], own: dict[str, Any], wanted: tasks_pb2.ExtendedResources) -> None:
    """Mount the shared memory that the task asks for; none when it asks for none."""
    if not wanted.HasField("shared_memory"):
        return
    memory = wanted.shared_memory
    name = memory.mount_name or "connectory-shared-memory"
    limit = {"sizeLimit": memory.size_limit} if memory.size_limit else {}
    volume = {"name": name, "emptyDir": {"medium": "Memory", **limit}}
    spec["volumes"] = [*spec.get("volumes", ()), volume]
    mount = {"name": name, "mountPath": memory.mount_path or "/dev/shm"}
    own["volumeMounts"] = [*own.get("volumeMounts", ()), mount]


def _quantities(entries: Any) -> dict[str, str]:
    names = ((tasks_pb2.Resources.ResourceName.Name(entry.name), entry.value) for entry in entries)
    return {name.lower().replace("_", "-"): value for name, value in names}
