"""A connector's outputs as the literals that the task declares."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import DecodeError

from connectory.connector.registry import Registration
from connectory.errors import InternalError, InvalidTaskError, TypeConversionError
from connectory.types import ConversionContext, TypeRegistry
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import interface_pb2, literals_pb2, types_pb2

__all__ = ["OutputWriter"]


class OutputWriter:
    """Converts outputs by the declared interface, on the connector's pool when that may read or write objects."""

    def __init__(self, types: TypeRegistry) -> None:
        self._types = types

    async def write(
        self,
        message: pb.Resource,
        outputs: Mapping[str, Any] | literals_pb2.LiteralMap,
        declared: interface_pb2.VariableMap | bytes,
        registration: Registration,
        conversion: ConversionContext,
    ) -> None:
        """Fill `message.outputs`. Missing, unknown and ill-typed outputs are the connector's defect, and named."""
        variables = _parsed(declared) if isinstance(declared, bytes) else declared
        try:
            if isinstance(outputs, literals_pb2.LiteralMap):
                self._types.check_map(outputs, variables)
                message.outputs.CopyFrom(outputs)
            elif _need_storage(variables):
                literals = await registration.pool.run(self._types.map_to_literals, outputs, variables, conversion)
                message.outputs.CopyFrom(literals)
            else:
                message.outputs.CopyFrom(self._types.map_to_literals(outputs, variables, conversion))
        except TypeConversionError as error:
            raise InternalError(
                f"the outputs of connector {registration.name} do not fit what the task declares: {error}",
                reason="OUTPUT_MISMATCH",
            ) from error


def _parsed(declared: bytes) -> interface_pb2.VariableMap:
    try:
        return interface_pb2.VariableMap.FromString(declared)
    except DecodeError as error:
        sentence = "it declares outputs that cannot be read"
        raise InvalidTaskError(
            f"the handle cannot be used: {sentence}",
            reason="INVALID_HANDLE",
            fields={"resource_meta.outputs": sentence},
        ) from error


def _need_storage(declared: interface_pb2.VariableMap) -> bool:
    variables = declared.variables
    return any(_needs_storage(variables[name].type) for name in variables)


def _needs_storage(declared: types_pb2.LiteralType) -> bool:
    kind = declared.WhichOneof("type")
    if kind == "simple":
        return declared.simple == types_pb2.STRUCT
    if kind == "collection_type":
        return _needs_storage(declared.collection_type)
    if kind == "map_value_type":
        return _needs_storage(declared.map_value_type)
    if kind == "union_type":
        return any(_needs_storage(variant) for variant in declared.union_type.variants)
    return kind != "enum_type"
