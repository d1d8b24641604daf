"""A Kubernetes pod around a task's container."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from connectory.authoring.image_spec import ImageSpec, image_name
from connectory.authoring.location import authoring_error
from connectory.v1 import tasks_pb2

__all__ = ["PodTemplate", "pod_message"]


@dataclass(frozen=True)
class PodTemplate:
    """The pod in which a task's container runs, beside whatever else it needs.

    `pod_spec` is a mapping as Kubernetes documents it (`{"containers": [...], "nodeSelector": {...}}`), or an object
    of a Kubernetes client that has `to_dict`. The container named `primary_container_name` becomes the task's own:
    its command, arguments, environment and resources come from the task; its image, too, unless it names one.
    """

    pod_spec: Any = None
    primary_container_name: str = "primary"
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.primary_container_name:
            raise authoring_error("a PodTemplate names its primary container; leave the name out to have 'primary'")
        spec = self.spec()
        if not isinstance(spec, dict) or not isinstance(spec.get("containers", []), list):
            raise authoring_error("the pod_spec of a PodTemplate is a mapping with a list of containers")
        if "spec" in spec:
            raise authoring_error("the pod_spec of a PodTemplate is given a whole pod; give what is its spec")

    def spec(self) -> Any:
        """The pod's specification as plain data."""
        return _plain(self.pod_spec) if self.pod_spec is not None else {}

    def version_hash(self) -> str:
        """A text that changes with everything in it."""
        content = [self.spec(), self.primary_container_name, dict(self.labels or {}), dict(self.annotations or {})]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def pod_message(template: PodTemplate, container: tasks_pb2.Container, *, owner: str) -> tasks_pb2.K8sPod:
    """The pod with the task's container in it."""
    spec = copy.deepcopy(template.spec())
    containers = spec.setdefault("containers", [])
    own = next((one for one in containers if one.get("name") == template.primary_container_name), None)
    if own is None:
        own = {"name": template.primary_container_name}
        containers.append(own)
    own.update(_container_fields(own, container))
    pod = tasks_pb2.K8sPod(
        metadata=tasks_pb2.K8sObjectMetadata(labels=template.labels, annotations=template.annotations)
    )
    try:
        json_format.ParseDict(spec, pod.pod_spec)
    except (json_format.ParseError, TypeError, ValueError) as error:
        raise authoring_error(f"the pod of task '{owner}' cannot be written as JSON: {error}") from error
    return pod


def _container_fields(own: Mapping[str, Any], container: tasks_pb2.Container) -> dict[str, Any]:
    environment = [{"name": pair.key, "value": pair.value} for pair in container.env]
    fields: dict[str, Any] = {
        "image": own.get("image") or container.image,
        "command": list(container.command),
        "env": [*environment, *own.get("env", ())],
    }
    if container.args:
        fields["args"] = list(container.args)
    limits, requests = container.resources.limits, container.resources.requests
    if limits or requests:
        fields["resources"] = {
            "limits": {_resource(entry.name): entry.value for entry in limits},
            "requests": {_resource(entry.name): entry.value for entry in requests},
        }
    return fields


def _resource(name: tasks_pb2.Resources.ResourceName.ValueType) -> str:
    return tasks_pb2.Resources.ResourceName.Name(name).lower().replace("_", "-")


def _plain(value: Any) -> Any:
    """Objects of Kubernetes clients as Kubernetes writes them, without what is not set."""
    names = getattr(value, "attribute_map", None)
    if isinstance(value, ImageSpec):
        return image_name(value)
    if isinstance(names, Mapping):
        return {names[name]: _plain(part) for name in names if (part := getattr(value, name, None)) is not None}
    if hasattr(value, "to_dict"):
        return _plain(value.to_dict())
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items() if part is not None}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_plain(part) for part in value]
    return value
