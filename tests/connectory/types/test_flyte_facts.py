"""Declared types and literals are the ones that Flyte's own SDK makes for the same annotation and value."""

from datetime import date, datetime, timedelta
from typing import Any, Optional, Union

import msgspec
import pytest
from google.protobuf import text_format

from connectory.types import Directory, File, StructuredDataset
from connectory.v1 import types_pb2
from tests.connectory.types.samples import CTX, TYPES, Color, Part

MSGPACK = """annotation { annotations { fields { key: "cache-key-metadata" value { struct_value { fields {
    key: "serialization-format" value { string_value: "msgpack" } } } } } } }"""


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, "simple: INTEGER"),
        (float, "simple: FLOAT"),
        (str, "simple: STRING"),
        (bool, "simple: BOOLEAN"),
        (None, "simple: NONE"),
        (datetime, "simple: DATETIME"),
        (date, "simple: DATETIME"),
        (timedelta, "simple: DURATION"),
        (list[int], "collection_type { simple: INTEGER }"),
        (dict[str, int], "map_value_type { simple: INTEGER }"),
        (dict, "simple: STRUCT " + MSGPACK),
        (dict[int, int], "simple: STRUCT " + MSGPACK),
        (Color, 'enum_type { values: "red" values: "blue" }'),
        (File, "blob {}"),
        (File["csv"], 'blob { format: "csv" }'),
        (Directory, "blob { dimensionality: MULTIPART }"),
        (StructuredDataset, "structured_dataset_type {}"),
        (
            Optional[int],  # noqa: UP045 - both spellings mean the same
            'union_type { variants { simple: INTEGER structure { tag: "int" } }'
            ' variants { simple: NONE structure { tag: "none" } } }',
        ),
        (
            Union[File, list[int], dict[str, int], Color],  # noqa: UP007 - both spellings mean the same
            'union_type { variants { blob {} structure { tag: "FlyteFilePath" } }'
            ' variants { collection_type { simple: INTEGER } structure { tag: "Typed List" } }'
            ' variants { map_value_type { simple: INTEGER } structure { tag: "Typed Dict" } }'
            ' variants { enum_type { values: "red" values: "blue" } structure { tag: "DefaultEnumTransformer" } } }',
        ),
    ],
    ids=str,
)
def test_the_declared_type_of_an_annotation(annotation: Any, expected: str) -> None:
    assert TYPES.literal_type(annotation) == text_format.Parse(expected, types_pb2.LiteralType())


def test_a_dataclass_declares_the_types_of_its_fields() -> None:
    literal_type = TYPES.literal_type(Part)
    assert literal_type.simple == types_pb2.STRUCT
    assert literal_type.structure.dataclass_type["number"].simple == types_pb2.INTEGER
    assert literal_type.structure.dataclass_type["name"].WhichOneof("type") == "union_type"


def test_a_dataclass_is_written_as_msgpack_with_flytes_tag() -> None:
    literal = TYPES.to_literal(Part(7), TYPES.literal_type(Part), CTX, annotation=Part)
    assert literal.scalar.binary.tag == "msgpack"
    assert msgspec.msgpack.decode(literal.scalar.binary.value) == {"number": 7, "name": None}


def test_an_optional_value_records_its_variant() -> None:
    literal = TYPES.to_literal(3, TYPES.literal_type(int | None), CTX)
    assert literal.scalar.union.type.structure.tag == "int"
    assert literal.scalar.union.value.scalar.primitive.integer == 3


def test_the_registry_answers_with_a_type_of_ones_own() -> None:
    first = TYPES.literal_type(list[int])
    first.collection_type.simple = types_pb2.STRING
    assert TYPES.literal_type(list[int]).collection_type.simple == types_pb2.INTEGER
