"""A task whose work is done by a connector: it says what is wanted, and has no code of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.python_task import PythonTask
from connectory.authoring.template import CompileSettings
from connectory.v1 import literals_pb2, tasks_pb2

__all__ = ["ConnectorTask"]

ConfigT = TypeVar("ConfigT")


class ConnectorTask(PythonTask[ConfigT]):
    """A task of a type that some connector answers.

    `config` is what the connector's own config class says, as a dataclass, a `msgspec.Struct` or a mapping;
    fields that are None are left out. In plain Python the call runs through the connectors that are installed here;
    the job is deleted when
    the call is interrupted.
    """

    def __init__(
        self,
        name: str,
        task_type: str,
        config: ConfigT | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        *,
        task_type_version: int = 0,
        retries: int = 0,
        timeout: Any = None,
        metadata: TaskMetadata | None = None,
        interface: Interface | None = None,
        **settings: Any,
    ) -> None:
        if metadata is not None and (retries or timeout is not None):
            raise authoring_error(f"task '{name}' is given metadata; say retries and timeout in it")
        super().__init__(
            task_type=task_type,
            name=name,
            task_config=config,
            interface=interface or Interface(inputs or {}, outputs or {}),
            metadata=metadata or TaskMetadata(retries=retries, timeout=timeout),
            task_type_version=task_type_version,
            **settings,
        )

    def get_custom(self, settings: CompileSettings) -> Mapping[str, Any]:
        """The config as JSON, without what is not set."""
        return {} if self.task_config is None else config_values(self.task_config, owner=self.name)

    def get_container(self, settings: CompileSettings) -> tasks_pb2.Container | None:
        """None: nothing of it runs in a container of its own."""
        return None

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Run it through the connectors that are installed here."""
        from connectory.authoring.local_connectors import (  # noqa: PLC0415 - only who runs it loads the dispatcher
            run_with_connectors,
        )

        return run_with_connectors(self.template(CompileSettings()), literals)


def config_values(config: Any, *, owner: str) -> Mapping[str, Any]:
    """A config as JSON-like values; what cannot be said in JSON is an error that names the task."""
    try:
        values = msgspec.to_builtins(config, str_keys=True)
    except (TypeError, ValueError) as error:
        raise authoring_error(f"the config of task '{owner}' cannot be written as JSON: {error}") from error
    if not isinstance(values, dict):
        raise authoring_error(
            f"the config of task '{owner}' is a {type(config).__name__}; give a dataclass or a mapping"
        )
    return {key: value for key, value in values.items() if value is not None}
