"""pydantic models. Loaded when a model or an annotation of one appears."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from pydantic import BaseModel, PydanticUserError, ValidationError
from pydantic_core import PydanticSerializationError

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.declaring import declaring, is_inside_itself
from connectory.types.describing import describe_annotation, describe_value, nested
from connectory.types.extras import bare
from connectory.types.kinds import Kind, kind_of
from connectory.types.pydantic_references import CONVERSION
from connectory.types.registry import TypeRegistry
from connectory.types.structures import pack, plain_of, struct_type
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["TRANSFORMERS", "PydanticTransformer"]


class PydanticTransformer(TypeTransformer):
    """A model crosses as the JSON data that it dumps, and is validated when it is read.

    The declared type has the model's own JSON schema and the types of the fields that can stand alone.
    """

    tag = "Pydantic Transformer"

    def claims(self, annotation: Any) -> bool:
        return isinstance(annotation, type) and issubclass(annotation, BaseModel)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        literal_type = struct_type()
        try:
            literal_type.metadata.update(annotation.model_json_schema())
        except PydanticUserError as error:  # a field that JSON cannot carry
            said = f"{describe_annotation(annotation)} has no JSON schema: {error.message}"
            raise TypeConversionError(said) from error
        if not is_inside_itself(annotation):
            with declaring(annotation, types):
                self._declare_fields(literal_type, annotation, types)
        return literal_type

    @staticmethod
    def _declare_fields(literal_type: types_pb2.LiteralType, annotation: Any, types: TypeRegistry) -> None:
        for name, field in annotation.model_fields.items():
            if bare(field.annotation) is Any:
                continue
            try:
                field_type = types.shared_literal_type(field.annotation)
            except TypeConversionError:  # what only pydantic converts is described by the schema
                continue
            literal_type.structure.dataclass_type[name].CopyFrom(field_type)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        if kind_of(literal_type) is not Kind.STRUCT:
            raise TypeConversionError(f"a model does not fit a variable of kind {kind_of(literal_type).value}")
        return pack(self.to_plain(value, annotation, types, ctx))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        return self.from_plain(plain_of(literal), annotation, types, ctx)

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        if not isinstance(value, annotation):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(value)}")
        try:
            return msgspec.json.decode(value.model_dump_json(context={CONVERSION: (types, ctx)}))
        except PydanticSerializationError as error:
            raise TypeConversionError(f"{describe_annotation(annotation)} cannot be written: {error}") from error

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        if not isinstance(data, Mapping):
            raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(data)}")
        try:
            return annotation.model_validate_json(msgspec.json.encode(data), context={CONVERSION: (types, ctx)})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ".".join(str(part) for part in first["loc"])
            said = first["msg"]
            if first["type"] != "missing" and not annotation.model_config.get("hide_input_in_errors"):
                said = f"{said}, got {describe_value(first['input'])}"
            raise nested(TypeConversionError(said), path) from error


TRANSFORMERS: Final = (PydanticTransformer,)
