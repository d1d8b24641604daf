"""What happens when a task or workflow is called: a node while a workflow is being built, otherwise a run."""

import difflib
import typing
from collections import namedtuple
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any

from connectory.authoring.binding import Binder
from connectory.authoring.conversion import conversion_context, describe, type_registry
from connectory.authoring.delegation import current_delegate
from connectory.authoring.entity import Entity
from connectory.authoring.graph import Graph, building, current_graph
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error, user_location
from connectory.authoring.node import Node
from connectory.authoring.promise import Promise, Reference, VoidPromise
from connectory.errors import TypeConversionError
from connectory.v1 import literals_pb2

__all__ = ["call", "create_node", "link", "link_call", "native_result", "output_promises", "takes_none", "to_literals"]


def call(entity: Entity, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Add a node to the workflow that is being built here; without one, run the entity and return its result."""
    graph = current_graph()
    if graph is not None:
        return link(graph, entity, _arguments(entity, args, kwargs)).result
    literals = to_literals(entity, args, kwargs)
    delegate = current_delegate()
    if delegate is not None:
        return native_result(entity, delegate.run(entity, literals))
    with building(None):
        return native_result(entity, entity.run(literals))


def create_node(entity: Entity, *args: Any, **kwargs: Any) -> Node:
    """Like calling the entity within a workflow, but gives the node: for ordering, and outputs by name."""
    graph = current_graph()
    if not isinstance(entity, Entity):
        raise authoring_error(f"create_node is given {entity!r}; it calls tasks, workflows and launch plans")
    if graph is None:
        raise authoring_error(f"create_node({entity.short_name}) works only in the body of a workflow")
    return link(graph, entity, _arguments(entity, args, kwargs))


def link_call(graph: Graph, entity: Entity, kwargs: Mapping[str, Any]) -> Node:
    """Add a node that calls the entity, with defaults for what is not given."""
    return link(graph, entity, _arguments(entity, (), kwargs))


def link(graph: Graph, entity: Entity, arguments: Mapping[str, Any]) -> Node:
    """Add a node that calls the entity with these arguments."""
    binder = Binder(graph=graph, place=_title(entity))
    annotations, types = entity.interface.inputs, entity.input_types
    bindings = [binder.bind(name, arguments[name], annotations[name], types[name]) for name in sorted(arguments)]
    node_id = graph.next_id()
    node = Node(
        id=node_id,
        first_id=node_id,
        entity=entity,
        bindings=bindings,
        upstream=binder.sources,
        location=user_location(),
    )
    node.outputs = output_promises(graph, node)
    graph.add(node)
    return node


def output_promises(graph: Graph, node: Node) -> dict[str, Promise]:
    """What the node will give, by name."""
    entity, types = node.entity, node.entity.output_types
    return {
        name: Promise(
            Reference(
                graph=graph,
                node=node,
                var=name,
                annotation=annotation,
                literal_type=types[name],
                label=f"output '{name}' of '{entity.short_name}'",
            )
        )
        for name, annotation in entity.interface.outputs.items()
    }


def to_literals(entity: Entity, args: Sequence[Any], kwargs: Mapping[str, Any]) -> literals_pb2.LiteralMap:
    """The arguments of a plain Python call, with defaults, as literals of the declared types."""
    arguments = _arguments(entity, args, kwargs)
    for name, value in arguments.items():
        if isinstance(value, Promise | VoidPromise | Node):
            raise authoring_error(f"input '{name}' of {_title(entity)} is given {value!r} outside of its workflow")
    inputs = entity.typed_interface.inputs
    try:
        return type_registry().map_to_literals(arguments, inputs, conversion_context(), entity.interface.inputs)
    except TypeConversionError as error:
        name = error.path.partition(".")[0].partition("[")[0]
        expected = f"takes {describe(entity.interface.inputs[name])}, but " if name in arguments else ""
        raise authoring_error(
            f"input '{name}' of {_title(entity)} {expected}is given what does not fit: {error}"
        ) from error


def native_result(entity: Entity, outputs: literals_pb2.LiteralMap) -> Any:
    """Outputs as the call's return value: nothing, the value, or a tuple that knows the outputs' names.

    None when the task ignored its outputs.
    """
    interface = entity.interface
    if not outputs.literals:
        return None
    values = type_registry().map_to_python(
        outputs, entity.typed_interface.outputs, conversion_context(), interface.outputs
    )
    ordered = [values[name] for name in interface.outputs]
    if interface.output_tuple is not None:
        return interface.output_tuple(*ordered)
    if len(ordered) < 2:
        return ordered[0] if ordered else None
    return namedtuple("Outputs", interface.outputs, rename=True)(*ordered)


def _arguments(entity: Entity, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Every input's argument; defaults, and None for optional inputs, stand in for what is not given."""
    interface = entity.interface
    arguments = _positional(entity, args)
    for name, value in kwargs.items():
        if name not in interface.inputs:
            raise authoring_error(f"{_title(entity)} has no input '{name}'{_suggestion(name, interface)}")
        if name in arguments:
            raise authoring_error(f"input '{name}' of {_title(entity)} is given twice, by position and by name")
        arguments[name] = value
    for name in interface.inputs:
        if name not in arguments:
            arguments[name] = _absent(entity, name)
    return arguments


def _positional(entity: Entity, args: Sequence[Any]) -> dict[str, Any]:
    if not args:
        return {}
    interface = entity.interface
    names = [name for name in interface.inputs if name not in interface.keyword_only]
    if len(args) > len(names):
        wanted = ", ".join(f"{name}=..." for name in interface.inputs) or "nothing"
        raise authoring_error(
            f"{_title(entity)} is given {len(args)} arguments by position, but takes {len(names)} so; "
            f"name them: {entity.short_name}({wanted})"
        )
    return dict(zip(names, args, strict=False))


def _absent(entity: Entity, name: str) -> Any:
    interface = entity.interface
    if name in interface.defaults:
        return interface.defaults[name]
    annotation = interface.inputs[name]
    if takes_none(annotation):
        return None
    raise authoring_error(f"input '{name}' of {_title(entity)} is missing; it takes {describe(annotation)}")


def takes_none(annotation: Any) -> bool:
    """Whether None is among the values of this type."""
    if typing.get_origin(annotation) is typing.Annotated:
        return takes_none(typing.get_args(annotation)[0])
    union = typing.get_origin(annotation) in (typing.Union, UnionType)
    return union and NoneType in typing.get_args(annotation)


def _suggestion(name: str, interface: Interface) -> str:
    close = difflib.get_close_matches(name, interface.inputs, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; it has {', '.join(interface.inputs)}" if interface.inputs else "; it has no inputs at all"


def _title(entity: Entity) -> str:
    return f"{entity.kind} '{entity.name}'"
