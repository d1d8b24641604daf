"""Types, literals and values in words, for messages."""

import reprlib
from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.types.kinds import Kind, kind_of
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["describe", "describe_annotation", "describe_literal", "describe_value", "nested"]

_PRIMITIVES: Final = {
    "integer": "int",
    "float_value": "float",
    "string_value": "str",
    "boolean": "bool",
    "datetime": "datetime",
    "duration": "timedelta",
}
_SCALARS: Final = {
    "binary": "bytes",
    "schema": "schema",
    "none_type": "none",
    "error": "error",
    "generic": "struct",
    "structured_dataset": "structured dataset",
}

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60


def describe(literal_type: types_pb2.LiteralType) -> str:
    """A literal type as people write it: `list[int]`, `int | none`, `file`."""
    kind = kind_of(literal_type) if literal_type.WhichOneof("type") else None
    match kind:
        case None:
            return "an empty type"
        case Kind.LIST:
            return f"list[{describe(literal_type.collection_type)}]"
        case Kind.MAP:
            return f"dict[str, {describe(literal_type.map_value_type)}]"
        case Kind.UNION:
            return " | ".join(describe(variant) for variant in literal_type.union_type.variants)
        case Kind.ENUM:
            return f"one of {', '.join(map(repr, literal_type.enum_type.values))}"
        case _:
            return str(kind.value)


def describe_literal(literal: literals_pb2.Literal) -> str:
    """What kind of value a literal holds, without the value."""
    match literal.WhichOneof("value"):
        case "scalar":
            return _describe_scalar(literal.scalar)
        case "collection":
            return f"list of {len(literal.collection.literals)}"
        case "map":
            return f"dict of {len(literal.map.literals)}"
        case "offloaded_metadata":
            return f"offloaded {describe(literal.offloaded_metadata.inferred_type)}"
        case _:
            return "a literal without a value"


def _describe_scalar(scalar: literals_pb2.Scalar) -> str:
    which = scalar.WhichOneof("value")
    if which == "primitive":
        return _PRIMITIVES.get(scalar.primitive.WhichOneof("value") or "", "a primitive without a value")
    if which == "blob":
        multipart = scalar.blob.metadata.type.dimensionality == types_pb2.BlobType.MULTIPART
        return "directory" if multipart else "file"
    if which == "union":
        return describe_literal(scalar.union.value)
    if which == "binary" and scalar.binary.tag:
        return f"bytes tagged {scalar.binary.tag!r}"
    return _SCALARS.get(which or "", "a scalar without a value")


def describe_annotation(annotation: Any) -> str:
    """A Python annotation as people write it."""
    if isinstance(annotation, type) and not getattr(annotation, "__args__", ()):
        return annotation.__qualname__
    return str(annotation).replace("typing.", "")


def describe_value(value: object) -> str:
    """A value, clipped, with its type."""
    return f"{_short.repr(value)} of type {type(value).__qualname__}"


def nested(error: TypeConversionError, segment: str) -> TypeConversionError:
    """The same error, one step further out: `segment` is a name, or an index in brackets."""
    joint = "" if not error.path or error.path.startswith("[") else "."
    plain = type(error).__init__ is TypeConversionError.__init__
    return (type(error) if plain else TypeConversionError)(error.message, path=f"{segment}{joint}{error.path}")
