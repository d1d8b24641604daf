"""From what the body of a workflow returns to the bindings of its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectory.authoring.binding import Binder
from connectory.authoring.conversion import describe
from connectory.authoring.entity import Entity
from connectory.authoring.graph import Graph
from connectory.authoring.location import authoring_error, pointing_to
from connectory.v1 import workflow_pb2

__all__ = ["bind_outputs"]


def bind_outputs(graph: Graph, entity: Entity, result: Any) -> Sequence[workflow_pb2.Binding]:
    """The declared outputs, each bound to what was returned for it. Another number of them is an AuthoringError."""
    binder = Binder(graph=graph, place=f"{entity.kind} '{entity.name}'")
    variables = entity.typed_interface.outputs.variables
    with pointing_to(entity.location):
        return [
            binder.bind(name, value, entity.interface.outputs[name], variables[name].type, role="output")
            for name, value in _returned(entity, result).items()
        ]


def _returned(entity: Entity, result: Any) -> Mapping[str, Any]:
    names = list(entity.interface.outputs)
    if not names:
        return {}
    if result is None and not all(kind is None for kind in entity.interface.outputs.values()):
        raise _mismatch(entity, "returns nothing; add a return statement at its end")
    if len(names) == 1:
        single = isinstance(result, tuple) and len(result) == 1
        return {names[0]: result[0] if single else result}
    if not isinstance(result, tuple) or len(result) != len(names):
        count = len(result) if isinstance(result, tuple) else 1
        raise _mismatch(entity, f"returns {count}")
    return dict(zip(names, result, strict=True))


def _mismatch(entity: Entity, what: str) -> Exception:
    declared = ", ".join(f"{name}: {describe(kind)}" for name, kind in entity.interface.outputs.items())
    return authoring_error(
        f"{entity.kind} '{entity.name}' declares {len(entity.interface.outputs)} outputs ({declared}), but {what}",
        location=entity.location,
    )
