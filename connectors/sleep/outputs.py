"""The literals of a sleep task's declared outputs, made when the job is created."""

from typing import Any

from connectors.sleep.config import SleepConfig
from connectory.connector.contract import CreateContext
from connectory.errors import InvalidTaskError, TypeConversionError
from connectory.v1 import literals_pb2

__all__ = ["outputs_of"]


def outputs_of(ctx: CreateContext[SleepConfig]) -> literals_pb2.LiteralMap:
    """Each declared output from the config, or else the input of the same name as it came."""
    declared = ctx.template.interface.outputs.variables
    for name in ctx.config.outputs:
        if name not in declared:
            raise _wrong(name, f"is not a declared output; declared are: {', '.join(sorted(declared)) or 'none'}")
    outputs = literals_pb2.LiteralMap()
    for name in declared:
        outputs.literals[name].CopyFrom(_literal(ctx, name))
    return outputs


def _literal(ctx: CreateContext[SleepConfig], name: str) -> literals_pb2.Literal:
    if name not in ctx.config.outputs:
        if name in ctx.literals.literals:
            return ctx.literals.literals[name]
        raise _wrong(name, "has no value in custom.outputs, and no input has its name")
    declared = ctx.template.interface.outputs.variables[name].type
    try:
        return ctx.types.to_literal(_whole(ctx.config.outputs[name]), declared, ctx.conversion)
    except TypeConversionError as error:
        raise _wrong(name, f"does not fit its declared type: {error}") from error


def _whole(value: Any) -> Any:
    """The value with whole floats as integers: a protobuf Struct knows only floats. A float output takes both."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return value


def _wrong(name: str, text: str) -> InvalidTaskError:
    return InvalidTaskError(f"output {name!r} {text}", fields={f"custom.outputs.{name}": text})
