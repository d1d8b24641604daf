"""From the arguments of a call to the bindings of a node."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, NoReturn

from connectory.authoring.casting import castable, type_name
from connectory.authoring.conversion import conversion_context, describe, type_registry
from connectory.authoring.graph import Graph
from connectory.authoring.location import authoring_error
from connectory.authoring.node import Node
from connectory.authoring.promise import OutputTuple, Promise, VoidPromise, output_names, reference_of
from connectory.errors import ConnectoryError
from connectory.v1 import literals_pb2, types_pb2, workflow_pb2

__all__ = ["Binder", "literal_binding"]


@dataclass(kw_only=True)
class Binder:
    """Binds the values of one call; remembers which nodes they come from."""

    graph: Graph
    place: str
    """What errors say about the call: "task 'm.t'"."""
    sources: dict[Node, None] = field(default_factory=dict)

    def bind(
        self, var: str, value: Any, annotation: Any, literal_type: types_pb2.LiteralType, *, role: str = "input"
    ) -> workflow_pb2.Binding:
        """The binding of one variable."""
        place = f"{role} '{var}' of {self.place}"
        return workflow_pb2.Binding(var=var, binding=self._data(value, annotation, literal_type, place))

    def _data(
        self, value: Any, annotation: Any, expected: types_pb2.LiteralType, place: str
    ) -> workflow_pb2.BindingData:
        value = value if isinstance(value, Promise) else _unwrapped(value, place)
        if isinstance(value, Promise):
            return self._promised(value, expected, place)
        if isinstance(value, list) and expected.WhichOneof("type") == "collection_type":
            return self._collection(value, annotation, expected.collection_type, place)
        if isinstance(value, dict) and expected.WhichOneof("type") == "map_value_type":
            return self._map(value, annotation, expected.map_value_type, place)
        if _holds_promise(value):
            return self._nested(value, annotation, expected, place)
        return literal_binding(_literal(value, annotation, expected, place))

    def _promised(self, promise: Promise, expected: types_pb2.LiteralType, place: str) -> workflow_pb2.BindingData:
        reference = reference_of(promise)
        if reference.graph is not self.graph:
            raise authoring_error(
                f"{place} is given {reference.label}, which belongs to another workflow; pass it in as an input"
            )
        if not castable(reference.literal_type, expected):
            raise authoring_error(
                f"{place} takes {type_name(expected)}, but is given {reference.label}, which is "
                f"{type_name(reference.literal_type)}"
            )
        if reference.node is not None:
            self.sources.setdefault(reference.node)
        return reference.to_proto()

    def _collection(
        self, values: list[Any], annotation: Any, member: types_pb2.LiteralType, place: str
    ) -> workflow_pb2.BindingData:
        data = workflow_pb2.BindingData()
        data.collection.SetInParent()
        kind = _argument(annotation, 0)
        for index, value in enumerate(values):
            data.collection.bindings.append(self._data(value, kind, member, f"[{index}] of {place}"))
        return data

    def _map(
        self, values: dict[Any, Any], annotation: Any, member: types_pb2.LiteralType, place: str
    ) -> workflow_pb2.BindingData:
        data = workflow_pb2.BindingData()
        data.map.SetInParent()
        kind = _argument(annotation, 1)
        for key, value in values.items():
            if not isinstance(key, str):
                raise authoring_error(f"{place} has the key {key!r}; keys are strings")
            data.map.bindings[key].CopyFrom(self._data(value, kind, member, f"[{key!r}] of {place}"))
        return data

    def _nested(
        self, value: Any, annotation: Any, expected: types_pb2.LiteralType, place: str
    ) -> workflow_pb2.BindingData:
        """A list or dict with promises in it, where the declared type is neither: only a union may still hold one."""
        wanted = "collection_type" if isinstance(value, list) else "map_value_type"
        for variant, kind in zip(expected.union_type.variants, _members(annotation), strict=False):
            if variant.WhichOneof("type") == wanted:
                return self._data(value, kind, variant, place)
        raise authoring_error(
            f"{place} takes {type_name(expected)}, but is given a {type(value).__name__} with results of other tasks "
            "in it; these can stand only in a list[...] or dict[str, ...] whose members are typed"
        )


def literal_binding(literal: literals_pb2.Literal) -> workflow_pb2.BindingData:
    """The binding of a constant."""
    data = workflow_pb2.BindingData()
    match literal.WhichOneof("value"):
        case "scalar":
            data.scalar.CopyFrom(literal.scalar)
        case "collection":
            data.collection.SetInParent()
            data.collection.bindings.extend(literal_binding(member) for member in literal.collection.literals)
        case "map":
            data.map.SetInParent()
            for key, member in literal.map.literals.items():
                data.map.bindings[key].CopyFrom(literal_binding(member))
        case "offloaded_metadata":
            data.offloaded_metadata.CopyFrom(literal.offloaded_metadata)
    return data


def _unwrapped(value: Any, place: str) -> Any:
    """The one promise behind what calls return; several, or none, cannot be bound to one variable."""
    if isinstance(value, VoidPromise):
        raise authoring_error(f"{place} is given {value!r}; order the two with >> instead")
    if isinstance(value, OutputTuple):
        return value[0] if len(value) == 1 else _refuse_many(output_names(value), place)
    if isinstance(value, Node):
        return next(iter(value.outputs.values())) if len(value.outputs) == 1 else _refuse_many(value.outputs, place)
    return value


def _refuse_many(names: Iterable[str], place: str) -> NoReturn:
    listed = ", ".join(f".{name}" for name in names)
    raise authoring_error(
        f"{place} is given a call with {'several outputs' if listed else 'no output'}; choose {listed}"
    )


def _literal(value: Any, annotation: Any, expected: types_pb2.LiteralType, place: str) -> literals_pb2.Literal:
    try:
        return type_registry().to_literal(value, expected, conversion_context(), annotation=annotation)
    except (ConnectoryError, TypeError, ValueError) as error:
        raise authoring_error(
            f"{place} takes {describe(annotation)}, but is given {_shown(value)} ({type(value).__name__}): {error}"
        ) from error


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _holds_promise(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_promise(member) for member in value)
    if isinstance(value, dict):
        return any(_holds_promise(member) for member in value.values())
    return isinstance(value, Promise | VoidPromise | Node)


def _argument(annotation: Any, index: int) -> Any:
    if typing.get_origin(annotation) is typing.Annotated:
        return _argument(typing.get_args(annotation)[0], index)
    arguments = typing.get_args(annotation)
    return arguments[index] if index < len(arguments) else None


def _members(annotation: Any) -> list[Any]:
    return [NoneType if member is None else member for member in typing.get_args(annotation)]
