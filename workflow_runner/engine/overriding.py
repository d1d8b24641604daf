"""What a node changes about the container of its task, and the pod around it."""

from collections.abc import Iterable, MutableSequence
from typing import Any

from google.protobuf import struct_pb2

from connectory.authoring.own_container import PRIMARY_CONTAINER_FIELD, change_variables, variables_of
from connectory.v1 import tasks_pb2

__all__ = ["overridden"]

Entries = MutableSequence[tasks_pb2.Resources.ResourceEntry]


def overridden(task: tasks_pb2.TaskTemplate, overrides: tasks_pb2.TaskNodeOverrides) -> tasks_pb2.TaskTemplate:
    """The template with the node's pod, image, resources and accelerator in place of its own."""
    if not overrides.ByteSize():
        return task
    changed = tasks_pb2.TaskTemplate()
    changed.CopyFrom(task)
    if overrides.HasField("extended_resources"):
        changed.extended_resources.MergeFrom(overrides.extended_resources)
    if overrides.HasField("pod_template"):
        _put_pod(changed, overrides.pod_template)
    if changed.WhichOneof("target") == "container":
        if overrides.container_image:
            changed.container.image = overrides.container_image
        _replace(changed.container.resources.requests, overrides.resources.requests)
        _replace(changed.container.resources.limits, overrides.resources.limits)
    elif changed.WhichOneof("target") == "k8s_pod":
        _change_own_container(changed, overrides)
    return changed


def _put_pod(task: tasks_pb2.TaskTemplate, pod: tasks_pb2.K8sPod) -> None:
    """The node's pod in place of the task's container or pod.

    Inputs and outputs stay where they were, and variables that the pod does not have, such as those that say where the
    code is, are taken along.
    """
    variables = variables_of(task)
    data = tasks_pb2.DataLoadingConfig()
    data.CopyFrom(task.k8s_pod.data_config if task.WhichOneof("target") == "k8s_pod" else task.container.data_config)
    task.k8s_pod.CopyFrom(pod)
    if data.enabled and not pod.data_config.enabled:
        task.k8s_pod.data_config.CopyFrom(data)
    if pod.primary_container_name:
        task.config[PRIMARY_CONTAINER_FIELD] = pod.primary_container_name
    own = variables_of(task)
    change_variables(task, {name: value for name, value in variables.items() if name not in own})


def _change_own_container(task: tasks_pb2.TaskTemplate, overrides: tasks_pb2.TaskNodeOverrides) -> None:
    """The task's own container in a pod, which is written as Kubernetes writes it."""
    pod = task.k8s_pod
    name = pod.primary_container_name or task.config.get(PRIMARY_CONTAINER_FIELD, "")
    if "containers" not in pod.pod_spec:
        return
    containers: Any = pod.pod_spec["containers"]
    for own in containers if isinstance(containers, struct_pb2.ListValue) else ():
        if not isinstance(own, struct_pb2.Struct) or "name" not in own or own["name"] != name:
            continue  # what is no container is left to whoever makes the pod
        if overrides.container_image:
            own["image"] = overrides.container_image
        for kind in ("requests", "limits"):
            amounts = _amounts(getattr(overrides.resources, kind))
            if amounts:
                own.get_or_create_struct("resources").get_or_create_struct(kind).update(amounts)


def _amounts(entries: Iterable[tasks_pb2.Resources.ResourceEntry]) -> dict[str, str]:
    names = ((tasks_pb2.Resources.ResourceName.Name(entry.name), entry.value) for entry in entries)
    return {name.lower().replace("_", "-"): value for name, value in names}


def _replace(known: Entries, given: Entries) -> None:
    """What is given counts in place of what is known of the same resource."""
    named = {entry.name for entry in given}
    kept = [entry for entry in known if entry.name not in named]
    del known[:]
    known.extend([*kept, *given])
