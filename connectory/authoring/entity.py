"""What a node of a workflow can stand for: tasks, workflows, launch plans, choices, gates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from connectory.authoring.conversion import conversion_context, describe, type_registry
from connectory.authoring.interface import Interface, typed_interface
from connectory.authoring.location import user_location
from connectory.authoring.node import Node, Overrides
from connectory.errors import AuthoringError, ConnectoryError
from connectory.v1 import interface_pb2, literals_pb2, types_pb2, workflow_pb2

__all__ = ["Entity"]


class Entity(ABC):
    """Something with a name and an interface that a node can stand for."""

    repeats_as_it_is: ClassVar[bool] = False
    """Whether `map_task` makes nodes that repeat it; of other things it makes a task that runs them by turns."""

    runs_code: ClassVar[bool] = True
    """Whether it is code of its own that runs, which may decide on the partitions of its outputs."""

    def __init__(self, *, name: str, interface: Interface, location: str | None = None) -> None:
        self._name = name
        self._interface = interface
        self._location = location or user_location()
        self.typed_interface  # noqa: B018 - annotations that cannot work are an error here
        self._check_defaults()

    @property
    def name(self) -> str:
        """The full name, by which a cluster knows it."""
        return self._name

    @property
    def short_name(self) -> str:
        """The last part of the name, by which people know it."""
        return self._name.rsplit(".", 1)[-1]

    @property
    def interface(self) -> Interface:
        """Inputs and outputs in Python types."""
        return self._interface

    @property
    def python_interface(self) -> Interface:
        """The same as `interface`, as Flyte's users call it."""
        return self._interface

    @property
    def location(self) -> str | None:
        """`file:line` where it is defined."""
        return self._location

    @cached_property
    def typed_interface(self) -> interface_pb2.TypedInterface:
        """Inputs and outputs in literal types."""
        return typed_interface(
            self._interface, type_registry(), owner=self._name, location=self._location, runs_code=self.runs_code
        )

    @cached_property
    def input_types(self) -> Mapping[str, types_pb2.LiteralType]:
        """The literal types of the inputs, at hand for every call."""
        return {name: variable.type for name, variable in self.typed_interface.inputs.variables.items()}

    @cached_property
    def output_types(self) -> Mapping[str, types_pb2.LiteralType]:
        """The literal types of the outputs, at hand for every call."""
        return {name: variable.type for name, variable in self.typed_interface.outputs.variables.items()}

    def _change_interface(self, interface: Interface) -> None:
        """Have another interface from now on; when it cannot work, that is an error and nothing changes."""
        previous = self._interface
        self._interface = interface
        for derived in ("typed_interface", "input_types", "output_types"):
            self.__dict__.pop(derived, None)
        try:
            self.typed_interface  # noqa: B018 - an annotation that cannot work is an error here
        except ConnectoryError:
            self._interface = previous
            raise

    def _check_defaults(self) -> None:
        """What cannot work is an error where it is written, not where it is used."""
        for name, default in self._interface.defaults.items():
            annotation = self._interface.inputs[name]
            declared = self.typed_interface.inputs.variables[name].type
            try:
                type_registry().to_literal(default, declared, conversion_context(), annotation=annotation)
            except (ConnectoryError, TypeError, ValueError) as error:
                remedy = f"; write {name}: {describe(annotation)} | None" if default is None else ""
                raise AuthoringError(
                    f"parameter '{name}' of '{self._name}' takes {describe(annotation)}, but its default is {default!r}"
                    f"{remedy}: {error}",
                    location=self._location,
                ) from error

    @property
    @abstractmethod
    def kind(self) -> str:
        """What errors call it: "task", "workflow"."""

    @property
    def inner_nodes(self) -> Sequence[Node]:
        """Nodes that a node of this entity has within itself, which belong to the same workflow."""
        return ()

    def same_as(self, other: Entity) -> bool:
        """Whether both are one and the same for everybody who knows them by name."""
        return self is other

    def check_overrides(self, overrides: Overrides) -> None:
        """Raise AuthoringError for overrides that have no meaning for a node of this entity."""
        metadata = getattr(self, "metadata", None)
        if overrides.cache is True and not (overrides.cache_version or metadata is None or metadata.cache_version):
            raise AuthoringError(
                f"{self.kind} '{self.name}' has no cache version, so results of older code would be taken;"
                " give the node cache_version, too",
                location=user_location(),
            )
        own = getattr(self, "task_config", None)
        if overrides.task_config is not None and (own is None or type(own) is not type(overrides.task_config)):
            raise AuthoringError(
                f"{self.kind} '{self.name}' has the config {own!r}; it cannot be overridden by "
                f"{overrides.task_config!r}, which is of another type",
                location=user_location(),
            )

    @abstractmethod
    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Run it in this process, to the end. All inputs are there and fit the interface."""

    @abstractmethod
    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """The metadata of a node that calls it."""
