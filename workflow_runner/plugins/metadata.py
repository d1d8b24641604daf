"""Who an attempt is, and what it is allowed and told beside its task."""

from collections.abc import Mapping

from connectory.v1 import connector_pb2, identifiers_pb2, tasks_pb2
from workflow_runner.naming import generated_name

__all__ = ["ExecutionMetadata"]


class ExecutionMetadata:
    """The metadata of one attempt."""

    def __init__(self, key: str, message: connector_pb2.TaskExecutionMetadata, name_limit: int | None) -> None:
        self._message = message
        self._name_limit = name_limit
        self.unique_id = key
        """The same for every round of this attempt, and for no other attempt, ever."""

    @property
    def generated_name(self) -> str:
        """A name for what the plugin creates: made of the unique id, the same every time, and no other attempt's.

        Lower-case letters, digits and dashes, beginning with a letter, not longer than the plugin's property
        `generated_name_max_length`.
        """
        return generated_name(self.unique_id, self._name_limit)

    @property
    def task_execution_id(self) -> identifiers_pb2.TaskExecutionIdentifier:
        """Execution, node, task and attempt."""
        return self._message.task_execution_id

    @property
    def overrides(self) -> tasks_pb2.TaskNodeOverrides:
        """What the node changes about the task; what it says nothing of is empty."""
        return self._message.overrides

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels for what the plugin creates."""
        return self._message.labels

    @property
    def annotations(self) -> Mapping[str, str]:
        """Annotations for what the plugin creates."""
        return self._message.annotations

    @property
    def max_attempts(self) -> int:
        """How often the task may run in all."""
        return self._message.max_attempts

    @property
    def is_interruptible(self) -> bool:
        """Whether the work may be put where it can be interrupted."""
        return self._message.interruptible
