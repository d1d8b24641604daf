"""Tasks for tests, built from Python values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectory.connector.contract import TaskCategory
from connectory.connector.structs import fill_struct
from connectory.types import ConversionContext, TypeRegistry, default_types
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2, tasks_pb2

__all__ = ["TaskCall", "task_call"]


@dataclass(frozen=True, kw_only=True)
class TaskCall:
    """A task with its inputs: what a connector is called with."""

    template: tasks_pb2.TaskTemplate
    inputs: literals_pb2.LiteralMap
    output_prefix: str = ""

    @property
    def category(self) -> TaskCategory:
        """Which connector the task is for."""
        return TaskCategory(self.template.type, self.template.task_type_version)

    def create_request(self, key: str = "") -> pb.CreateTaskRequest:
        """The request that starts it as a job."""
        return pb.CreateTaskRequest(
            template=self.template, inputs=self.inputs, output_prefix=self.output_prefix, idempotency_key=key
        )

    def get_request(self, handle: bytes) -> pb.GetTaskRequest:
        """The request that asks how its job stands."""
        return pb.GetTaskRequest(
            resource_meta=handle, task_category=self._wire_category(), output_prefix=self.output_prefix
        )

    def delete_request(self, handle: bytes) -> pb.DeleteTaskRequest:
        """The request that ends its job."""
        return pb.DeleteTaskRequest(resource_meta=handle, task_category=self._wire_category())

    def logs_request(self, handle: bytes, *, lines: int = 0, token: str = "") -> pb.GetTaskLogsRequest:
        """The request that reads its job's log."""
        category = self._wire_category()
        return pb.GetTaskLogsRequest(resource_meta=handle, task_category=category, lines=lines, token=token)

    def header(self, key: str = "") -> pb.CreateRequestHeader:
        """The header with which a sync connector is asked to do it."""
        return pb.CreateRequestHeader(template=self.template, output_prefix=self.output_prefix, idempotency_key=key)

    def _wire_category(self) -> pb.TaskCategory:
        return pb.TaskCategory(name=self.template.type, version=self.template.task_type_version)


def task_call(
    task_type: str,
    *,
    version: int = 0,
    config: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    input_types: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    output_prefix: str = "",
    name: str = "tests.task",
    types: TypeRegistry | None = None,
) -> TaskCall:
    """A task of this type. `inputs` are values, declared as `input_types` says or as their own types; `outputs` are
    annotations.
    """
    types = types or default_types()
    given = dict(inputs or {})
    annotations = {name: type(value) for name, value in given.items()} | dict(input_types or {})
    template = tasks_pb2.TaskTemplate(type=task_type, task_type_version=version)
    template.id.name = name
    for variable, annotation in annotations.items():
        template.interface.inputs.variables[variable].type.CopyFrom(types.literal_type(annotation))
    for variable, annotation in (outputs or {}).items():
        template.interface.outputs.variables[variable].type.CopyFrom(types.literal_type(annotation))
    if config:
        fill_struct(template.custom, config, "config")
    literals = types.map_to_literals(given, template.interface.inputs, ConversionContext(), annotations)
    return TaskCall(template=template, inputs=literals, output_prefix=output_prefix)
