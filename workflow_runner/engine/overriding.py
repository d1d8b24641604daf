"""What a node changes about the container of its task."""

from collections.abc import MutableSequence

from connectory.v1 import tasks_pb2

__all__ = ["overridden"]

Entries = MutableSequence[tasks_pb2.Resources.ResourceEntry]


def overridden(task: tasks_pb2.TaskTemplate, overrides: tasks_pb2.TaskNodeOverrides) -> tasks_pb2.TaskTemplate:
    """The template with the node's resources, image and accelerator. A pod template is left to whoever runs pods: it
    is told with the attempt's metadata, as all of them are.
    """
    if not overrides.ByteSize():
        return task
    changed = tasks_pb2.TaskTemplate()
    changed.CopyFrom(task)
    if overrides.HasField("extended_resources"):
        changed.extended_resources.MergeFrom(overrides.extended_resources)
    if changed.WhichOneof("target") == "container":
        if overrides.container_image:
            changed.container.image = overrides.container_image
        _replace(changed.container.resources.requests, overrides.resources.requests)
        _replace(changed.container.resources.limits, overrides.resources.limits)
    return changed


def _replace(known: Entries, given: Entries) -> None:
    """What is given counts in place of what is known of the same resource."""
    named = {entry.name for entry in given}
    kept = [entry for entry in known if entry.name not in named]
    del known[:]
    known.extend([*kept, *given])
