"""Which literal each declared output gets."""

from typing import Any

from connectory.connector.contract import CreateContext
from connectory.errors import InvalidTaskError, TypeConversionError
from connectory.v1 import interface_pb2, literals_pb2

__all__ = ["echoed"]


def echoed(ctx: CreateContext[Any]) -> literals_pb2.LiteralMap:
    """The task's outputs: the literal of the input of the same name, as it came.

    One input and one output may have different names (Flyte's `Echo` calls its output `o0`). An input that is absent
    because its type allows it becomes None.
    """
    interface = ctx.template.interface
    renamed = _single_rename(interface)
    outputs = literals_pb2.LiteralMap()
    for name, variable in interface.outputs.variables.items():
        source = renamed or name
        if source in ctx.literals.literals:
            literal = ctx.literals.literals[source]
            _check(ctx, source, name, literal)
        elif source in interface.inputs.variables:
            literal = ctx.types.to_literal(None, variable.type, ctx.conversion)
        else:
            raise _no_such_input(name, interface)
        outputs.literals[name].CopyFrom(literal)
    return outputs


def _single_rename(interface: interface_pb2.TypedInterface) -> str | None:
    inputs, outputs = interface.inputs.variables, interface.outputs.variables
    if len(inputs) == len(outputs) == 1:
        return next(iter(inputs))
    return None


def _check(ctx: CreateContext[Any], source: str, name: str, literal: literals_pb2.Literal) -> None:
    interface = ctx.template.interface
    declared = interface.outputs.variables[name].type
    if interface.inputs.variables[source].type == declared:
        return
    try:
        ctx.types.check(literal, declared)
    except TypeConversionError as error:
        text = f"output {name!r} is declared as another type than input {source!r}: {error}"
        raise InvalidTaskError(text, fields={f"template.interface.outputs.{name}": str(error)}) from error


def _no_such_input(name: str, interface: interface_pb2.TypedInterface) -> InvalidTaskError:
    known = ", ".join(sorted(interface.inputs.variables)) or "none"
    text = f"output {name!r} has no input of the same name to echo; the inputs are: {known}"
    return InvalidTaskError(text, fields={f"template.interface.outputs.{name}": text})
