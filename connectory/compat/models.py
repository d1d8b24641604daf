"""What Flyte's SDK hands to a connector and takes from it, as views on this project's messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from connectory.connector.configs import plain
from connectory.v1 import execution_pb2, interface_pb2, literals_pb2, tasks_pb2

__all__ = ["LiteralMap", "Resource", "TaskTemplate"]


class LiteralMap:
    """Literals by name."""

    def __init__(self, literals: Mapping[str, literals_pb2.Literal] | None = None) -> None:
        self._message = literals_pb2.LiteralMap(literals=literals or {})

    @property
    def literals(self) -> Mapping[str, literals_pb2.Literal]:
        """The literals themselves."""
        return self._message.literals

    def to_flyte_idl(self) -> literals_pb2.LiteralMap:
        """The message."""
        return self._message

    @classmethod
    def from_flyte_idl(cls, message: literals_pb2.LiteralMap) -> "LiteralMap":
        """A view on a message."""
        view = cls.__new__(cls)
        view._message = message
        return view

    def to_json(self) -> str:
        """The literals as JSON, for people."""
        return json_format.MessageToJson(self._message, indent=None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LiteralMap) and self._message == other._message

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"LiteralMap({', '.join(sorted(self._message.literals))})"


class _Interface:
    """Inputs and outputs as plain dicts of variables."""

    def __init__(self, interface: interface_pb2.TypedInterface) -> None:
        self.inputs = dict(interface.inputs.variables)
        self.outputs = dict(interface.outputs.variables)


class TaskTemplate:
    """A task's template: the message's fields by their names, with `custom` and `config` as dicts."""

    def __init__(self, message: tasks_pb2.TaskTemplate) -> None:
        self._message = message

    @property
    def custom(self) -> dict[str, Any]:
        """The task's own config."""
        return plain(self._message.custom)

    @property
    def config(self) -> dict[str, str]:
        """Further settings, as texts."""
        return dict(self._message.config)

    @property
    def interface(self) -> _Interface:
        """What goes in and comes out."""
        return _Interface(self._message.interface)

    @property
    def container(self) -> tasks_pb2.Container | None:
        """The container, when the task has one."""
        return self._message.container if self._message.HasField("container") else None

    @property
    def sql(self) -> tasks_pb2.Sql | None:
        """The query, when the task has one."""
        return self._message.sql if self._message.HasField("sql") else None

    def to_flyte_idl(self) -> tasks_pb2.TaskTemplate:
        """The message."""
        return self._message

    @classmethod
    def from_flyte_idl(cls, message: tasks_pb2.TaskTemplate) -> "TaskTemplate":
        """A view on a message."""
        return cls(message)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)


@dataclass
class Resource:
    """How a job stands. `outputs` are a LiteralMap, or Python values by name."""

    phase: int
    message: str | None = None
    log_links: Sequence[execution_pb2.TaskLog] | None = None
    outputs: LiteralMap | literals_pb2.LiteralMap | Mapping[str, Any] | None = None
    custom_info: Mapping[str, Any] | None = None
