"""What a task's declared outputs get from an answer."""

import json
from collections.abc import Mapping
from typing import Any

from connectors.http.answers import Answer
from connectory.connector.contract import CreateContext
from connectory.errors import InvalidTaskError, TypeConversionError, UserError
from connectory.types import File
from connectory.v1 import interface_pb2, literals_pb2, types_pb2

__all__ = ["body_output", "converted", "outputs_of", "wants_file"]

_KNOWN = ("status", "body", "headers")


def body_output(interface: interface_pb2.TypedInterface) -> str | None:
    """The output that the body goes to: `body`, or the only output whatever its name; None when there is none.

    Raises an `InvalidTaskError` for outputs that nothing would fill.
    """
    names = list(interface.outputs.variables)
    unknown = [name for name in names if name not in _KNOWN]
    if not unknown:
        return "body" if "body" in names else None
    if len(names) == 1:
        return unknown[0]
    problem = f"unknown; an http task gives {', '.join(_KNOWN)}, or one output of any name"
    fields = {f"template.interface.outputs.{name}": problem for name in unknown}
    raise InvalidTaskError(f"output {', '.join(unknown)}: {problem}", fields=fields)


def wants_file(interface: interface_pb2.TypedInterface) -> bool:
    """Whether the body is declared as a File."""
    name = body_output(interface)
    return name is not None and interface.outputs.variables[name].type.WhichOneof("type") == "blob"


def outputs_of(ctx: CreateContext[Any], answer: Answer, file_url: str, shown: str) -> literals_pb2.LiteralMap:
    """The declared outputs; `file_url` is where the body is when it is declared as a File.

    An answer that does not fit what is declared is a `UserError`: its content is the server's and the task's business.
    """
    declared = ctx.template.interface.outputs
    body = body_output(ctx.template.interface)
    values: dict[str, Any] = {"status": answer.status, "headers": answer.headers}
    if body is not None:
        values[body] = File.stored(file_url) if file_url else _body(answer, declared.variables[body].type, shown)
    return converted({name: values[name] for name in declared.variables}, ctx, shown)


def converted(values: Mapping[str, Any], ctx: CreateContext[Any], shown: str) -> literals_pb2.LiteralMap:
    """The values as literals of the declared outputs."""
    try:
        return ctx.types.map_to_literals(values, ctx.template.interface.outputs, ctx.conversion)
    except TypeConversionError as error:
        text = f"{shown}: the answer does not fit the declared outputs: {error}"
        raise UserError(text, reason="ANSWER_DOES_NOT_FIT") from error


def _body(answer: Answer, declared: types_pb2.LiteralType, shown: str) -> Any:
    if declared.WhichOneof("type") == "simple":
        if declared.simple == types_pb2.SimpleType.STRING:
            return answer.text
        if declared.simple == types_pb2.SimpleType.BINARY:
            return answer.content
        if declared.simple == types_pb2.SimpleType.NONE:
            return None
    try:
        return json.loads(answer.content)
    except ValueError as error:
        if declared.WhichOneof("type") == "union_type":
            return answer.text
        text = f"{shown}: the answer is not JSON ({error}); declare the output as a str to have its text"
        raise UserError(text, reason="NOT_JSON") from error
