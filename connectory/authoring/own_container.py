"""A task's own container, wherever its template has it: alone, or as one of a pod's."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from google.protobuf import json_format

from connectory.v1 import tasks_pb2

__all__ = ["PRIMARY_CONTAINER_FIELD", "arguments_of", "change_variables", "variables_of"]

PRIMARY_CONTAINER_FIELD: Final = "primary_container_name"
"""The field of a template's config that names the task's own container of its pod."""


def arguments_of(template: tasks_pb2.TaskTemplate) -> Sequence[str]:
    """The words that its program is given; none where the task has no container."""
    if template.WhichOneof("target") != "k8s_pod":
        return list(template.container.args)
    return [str(word) for word in _own(template, _pod(template)).get("args", ())]


def variables_of(template: tasks_pb2.TaskTemplate) -> dict[str, str]:
    """Its environment variables, as far as their values are written down; none where the task has no container."""
    if template.WhichOneof("target") != "k8s_pod":
        return {pair.key: pair.value for pair in template.container.env}
    variables = _own(template, _pod(template)).get("env", ())
    return {each["name"]: each["value"] for each in variables if "name" in each and "value" in each}


def change_variables(
    template: tasks_pb2.TaskTemplate, given: Mapping[str, str], *, without: Collection[str] = ()
) -> None:
    """Set variables, in place of those of the same names, and take others away. A task without a container stays."""
    gone = {*given, *without}
    match template.WhichOneof("target"):
        case "container":
            kept = [pair for pair in template.container.env if pair.key not in gone]
            del template.container.env[:]
            template.container.env.extend(kept)
            for key, value in given.items():
                template.container.env.add(key=key, value=value)
        case "k8s_pod":
            pod = _pod(template)
            container = _own(template, pod)
            kept = [each for each in container.get("env", ()) if each.get("name") not in gone]
            container["env"] = [*kept, *({"name": key, "value": value} for key, value in given.items())]
            template.k8s_pod.pod_spec.Clear()
            json_format.ParseDict(pod, template.k8s_pod.pod_spec)


def _pod(template: tasks_pb2.TaskTemplate) -> dict[str, Any]:
    pod: dict[str, Any] = json_format.MessageToDict(template.k8s_pod.pod_spec)
    return pod


def _own(template: tasks_pb2.TaskTemplate, pod: Mapping[str, Any]) -> dict[str, Any]:
    """The task's own among the pod's containers; an empty one where there is none."""
    name = template.config.get(PRIMARY_CONTAINER_FIELD) or template.k8s_pod.primary_container_name
    found: list[dict[str, Any]] = [each for each in pod.get("containers", ()) if each.get("name") == name]
    return found[0] if found else {}
