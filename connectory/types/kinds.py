"""The kinds of literal types: what a transformer is chosen by when only the declared type is known."""

import enum
from typing import Final

from connectory.errors import TypeConversionError
from connectory.v1 import types_pb2

__all__ = ["Kind", "kind_of"]


class Kind(enum.Enum):
    """One member per kind of `LiteralType`; the value is what people call it."""

    NONE = "none"
    INTEGER = "int"
    FLOAT = "float"
    STRING = "str"
    BOOLEAN = "bool"
    DATETIME = "datetime"
    DURATION = "timedelta"
    BINARY = "bytes"
    ERROR = "error"
    STRUCT = "struct"
    LIST = "list"
    MAP = "dict"
    FILE = "file"
    DIRECTORY = "directory"
    ENUM = "enum"
    STRUCTURED_DATASET = "structured dataset"
    SCHEMA = "schema"
    UNION = "union"


_SIMPLE: Final = (
    Kind.NONE,
    Kind.INTEGER,
    Kind.FLOAT,
    Kind.STRING,
    Kind.BOOLEAN,
    Kind.DATETIME,
    Kind.DURATION,
    Kind.BINARY,
    Kind.ERROR,
    Kind.STRUCT,
)  # in the order of SimpleType's numbers

_OTHER: Final = {
    "collection_type": Kind.LIST,
    "map_value_type": Kind.MAP,
    "enum_type": Kind.ENUM,
    "structured_dataset_type": Kind.STRUCTURED_DATASET,
    "schema": Kind.SCHEMA,
    "union_type": Kind.UNION,
}


def kind_of(literal_type: types_pb2.LiteralType) -> Kind:
    """The kind of a literal type; one that declares nothing, or something unheard of, is a `TypeConversionError`."""
    which = literal_type.WhichOneof("type")
    if which == "simple":
        if 0 <= literal_type.simple < len(_SIMPLE):
            return _SIMPLE[literal_type.simple]
        raise TypeConversionError(f"simple type number {literal_type.simple} is not known")
    if which == "blob":
        multipart = literal_type.blob.dimensionality == types_pb2.BlobType.MULTIPART
        return Kind.DIRECTORY if multipart else Kind.FILE
    if which is None:
        raise TypeConversionError("the literal type is empty: it declares no kind of value")
    return _OTHER[which]
