"""What a node says about how its task is executed: the task's settings, changed by the node's overrides."""

from datetime import timedelta

from connectory.authoring.extended_resources import extended_resources_message
from connectory.authoring.image_spec import image_name
from connectory.authoring.metadata import Cache, TaskMetadata, as_duration
from connectory.authoring.node import Overrides
from connectory.authoring.pod_template import pod_message
from connectory.authoring.resources import resources_message
from connectory.v1 import tasks_pb2, workflow_pb2

__all__ = ["node_metadata", "node_overrides"]


_Kind = tasks_pb2.Resources.ResourceName
_ORDER = (_Kind.CPU, _Kind.MEMORY, _Kind.GPU, _Kind.EPHEMERAL_STORAGE)
"""The order in which Flyte's SDK lists what nodes override."""


def node_metadata(name: str, metadata: TaskMetadata, overrides: Overrides) -> workflow_pb2.NodeMetadata:
    """The metadata of a task's node."""
    timeout = as_duration(metadata.timeout if overrides.timeout is None else overrides.timeout, "timeout")
    message = workflow_pb2.NodeMetadata(
        name=overrides.name or name,
        retries=tasks_pb2.RetryStrategy(retries=metadata.retries if overrides.retries is None else overrides.retries),
    )
    if isinstance(timeout, timedelta) and (timeout or overrides.timeout is not None):
        message.timeout.FromTimedelta(timeout)
    interruptible = metadata.interruptible if overrides.interruptible is None else overrides.interruptible
    if interruptible is not None:
        message.interruptible = interruptible
    _cache(message, overrides)
    return message


def _cache(message: workflow_pb2.NodeMetadata, overrides: Overrides) -> None:
    cache = overrides.cache
    version, serialize = overrides.cache_version, overrides.cache_serialize
    if isinstance(cache, Cache):
        version, serialize = version or cache.version, cache.serialize
    if cache is not None:
        message.cacheable = cache is not False
    if version:
        message.cache_version = version
    if serialize is not None:
        message.cache_serializable = serialize


def node_overrides(
    overrides: Overrides, *, container: tasks_pb2.Container | None = None, owner: str = ""
) -> tasks_pb2.TaskNodeOverrides:
    """What the node changes about the task's container, which stands in the pod when the node gives one."""
    message = tasks_pb2.TaskNodeOverrides(
        container_image=image_name(overrides.container_image) or "",
        extended_resources=extended_resources_message(
            accelerator=overrides.accelerator, shared_memory=overrides.shared_memory
        ),
    )
    if overrides.requests or overrides.limits or overrides.resources:
        wanted = resources_message(requests=overrides.requests, limits=overrides.limits, resources=overrides.resources)
        message.resources.requests.extend(sorted(wanted.requests, key=lambda entry: _ORDER.index(entry.name)))
        message.resources.limits.extend(sorted(wanted.limits, key=lambda entry: _ORDER.index(entry.name)))
    if overrides.pod_template is not None:
        pod = pod_message(overrides.pod_template, container or tasks_pb2.Container(), owner=owner)
        pod.primary_container_name = overrides.pod_template.primary_container_name
        message.pod_template.CopyFrom(pod)
    return message
