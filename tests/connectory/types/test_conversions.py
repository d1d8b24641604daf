"""What is taken, what is refused, and what is said about it."""

import math
import subprocess
import sys
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from google.protobuf import struct_pb2

from connectory.errors import TypeConversionError
from connectory.types import StructuredDataset
from connectory.v1 import interface_pb2, literals_pb2, types_pb2
from tests.connectory.types.samples import CTX, TYPES, Color, Order, Part, crossed


def refused(value: Any, annotation: Any) -> str:
    with pytest.raises(TypeConversionError) as caught:
        TYPES.to_literal(value, TYPES.literal_type(annotation), CTX, annotation=annotation)
    return str(caught.value)


def packed(plain: Any) -> literals_pb2.Literal:
    binary = literals_pb2.Binary(value=msgspec.msgpack.encode(plain), tag="msgpack")
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(binary=binary))


@pytest.mark.parametrize(
    ("value", "annotation"),
    [(True, int), (1.0, int), ("1", int), (True, float), ("1", float), (1, bool), (1, str), (b"x", str), ("x", bytes)],
)
def test_one_scalar_is_not_silently_another(value: Any, annotation: Any) -> None:
    assert "expected" in refused(value, annotation)
    assert repr(value) in refused(value, annotation)


def test_an_int_is_a_float_unless_digits_would_be_lost() -> None:
    assert crossed(3, float) == 3.0
    assert type(crossed(3, float)) is float
    assert crossed(Fraction(1, 4), float) == 0.25
    assert "without losing digits" in refused(2**53 + 1, float)
    assert "without losing digits" in refused(10**400, float)


def test_an_int_beyond_64_bits_is_refused_with_a_remedy() -> None:
    assert crossed(2**63 - 1, int) == 2**63 - 1
    assert "does not fit into 64 bits" in refused(2**63, int)
    assert "use str or float" in refused(-(2**63) - 1, int)


def test_text_that_is_no_unicode_is_refused() -> None:
    assert "not valid Unicode" in refused("\ud800", str)
    assert "not valid Unicode" in refused({"\ud800": 1}, dict)


def test_infinities_cross() -> None:
    assert crossed(math.inf, float) == math.inf
    assert crossed(-math.inf, float) == -math.inf


def test_a_datetime_without_a_zone_is_utc_and_what_is_read_is_always_aware() -> None:
    noon = datetime(2024, 1, 1, 12)
    assert crossed(noon, datetime) == noon.replace(tzinfo=UTC)
    east = noon.replace(tzinfo=timezone(timedelta(hours=2)))
    assert crossed(east, datetime) == east
    assert crossed(east, datetime).tzinfo is UTC
    assert crossed(date(2024, 1, 1), datetime) == datetime(2024, 1, 1, tzinfo=UTC)


def test_a_datetime_is_no_date() -> None:
    assert "expected date" in refused(datetime(2024, 1, 1, tzinfo=UTC), date)


def test_times_beyond_what_the_wire_or_python_holds_are_refused() -> None:
    assert "10,000 years" in refused(timedelta.max, timedelta)
    assert "1 to 9999" in refused(datetime.min.replace(tzinfo=timezone(timedelta(hours=2))), datetime)
    far = literals_pb2.Literal()
    far.scalar.primitive.datetime.seconds = 10**15
    with pytest.raises(TypeConversionError, match="1 to 9999"):
        TYPES.to_python(far, datetime, CTX)


def test_the_path_leads_to_the_part_that_does_not_fit() -> None:
    assert refused({"a": [1, "2"]}, dict[str, list[int]]).startswith("['a'][1]: expected int")
    order = Order(key="k", parts=[Part(1), Part("x")])  # type: ignore[arg-type]
    assert refused(order, Order).startswith("parts[1].number: expected int")
    assert refused({1: 2}, dict[str, int]) == "expected keys of type str, got 1 of type int"


def test_a_list_must_say_what_it_holds() -> None:
    with pytest.raises(TypeConversionError, match=r"write list\[int\]"):
        TYPES.literal_type(list)


def test_what_nobody_converts_is_named() -> None:
    with pytest.raises(TypeConversionError, match="no transformer is registered for complex"):
        TYPES.literal_type(complex)
    with pytest.raises(TypeConversionError, match="Any says nothing"):
        TYPES.literal_type(Any)

    @dataclass
    class Strange:
        number: complex

    with pytest.raises(TypeConversionError, match=r"Strange\.number: no transformer"):
        TYPES.literal_type(Strange)


def test_an_enum_is_taken_by_member_and_by_value() -> None:
    assert crossed("blue", Color) is Color.BLUE
    assert "expected one of 'red', 'blue'" in refused("green", Color)
    literal = TYPES.to_literal(Color.RED, TYPES.literal_type(Color), CTX)
    assert TYPES.to_python(literal, TYPES.annotation_for(TYPES.literal_type(Color)), CTX) == "red"


def test_a_union_says_what_it_takes() -> None:
    assert refused([], int | str | None) == "expected int | str | none, got [] of type list"


def test_a_dataclass_names_its_missing_and_unknown_fields() -> None:
    with pytest.raises(TypeConversionError, match="Part needs number, which is missing"):
        TYPES.to_python(packed({"name": "x"}), Part, CTX)
    with pytest.raises(TypeConversionError, match=r"Part has no field size \(it has number, name\)"):
        TYPES.to_python(packed({"number": 1, "size": 2}), Part, CTX)


def test_a_dataclass_that_refuses_its_fields_is_a_conversion_error() -> None:
    @dataclass
    class Even:
        number: int

        def __post_init__(self) -> None:
            if self.number % 2:
                raise ValueError("odd")

    with pytest.raises(TypeConversionError, match="refuses its fields: odd"):
        TYPES.to_python(packed({"number": 1}), Even, CTX)


def test_a_dataclass_whose_annotations_mean_nothing_is_named() -> None:
    @dataclass
    class Lost:
        part: "Nowhere"  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(TypeConversionError, match=r"Lost mean nothing: name 'Nowhere' is not defined"):
        TYPES.literal_type(Lost)


def test_untyped_structures_hold_whatever_can_be_written() -> None:
    value = {"when": datetime(2024, 1, 1, tzinfo=UTC), "color": Color.RED, "many": (1, OrderedDict(a=Part(1)))}
    assert crossed(value, dict) == {
        "when": "2024-01-01T00:00:00+00:00",
        "color": "red",
        "many": [1, {"a": {"number": 1, "name": None}}],
    }
    assert "cannot be a part of a structure" in refused({"x": object()}, dict)
    assert "cannot be a part of a structure" in refused({"x": [complex(1)]}, dict)


def test_a_value_that_contains_itself_is_refused() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    variables = interface_pb2.VariableMap()
    variables.variables["x"].type.CopyFrom(TYPES.literal_type(dict))
    with pytest.raises(TypeConversionError, match="x: the value contains itself"):
        TYPES.map_to_literals({"x": value}, variables, CTX)


def test_the_older_form_of_structures_is_read() -> None:
    struct = struct_pb2.Struct()
    struct.update({"key": "k", "weight": 2, "by_number": {"7": "seven"}, "parts": [{"number": 3}], "remark": None})
    literal = literals_pb2.Literal(scalar=literals_pb2.Scalar(generic=struct))
    order = TYPES.to_python(literal, Order, CTX)
    assert order == Order(key="k", weight=2.0, by_number={7: "seven"}, parts=[Part(3)])
    assert type(order.weight) is float
    assert TYPES.to_python(literal, dict, CTX)["parts"] == [{"number": 3}]


@pytest.mark.parametrize(
    ("plain", "annotation", "expected"),
    [
        (3, int, 3),
        ("x", str, "x"),
        ([1, 2], list[int], [1, 2]),
        ({"a": 1}, dict[str, int], {"a": 1}),
        (None, int | None, None),
    ],
)
def test_a_part_of_a_structure_is_read_as_any_type(plain: Any, annotation: Any, expected: Any) -> None:
    literal = packed(plain)
    TYPES.check(literal, TYPES.literal_type(annotation))
    assert TYPES.to_python(literal, annotation, CTX) == expected


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x01", b"\x81\xa1"])
def test_a_structure_that_is_garbage_is_a_conversion_error(data: bytes) -> None:
    literal = literals_pb2.Literal()
    literal.scalar.binary.value = data
    literal.scalar.binary.tag = "msgpack"
    with pytest.raises(TypeConversionError, match="cannot be read"):
        TYPES.to_python(literal, dict, CTX)


def test_a_literal_of_another_type_is_refused() -> None:
    literal = TYPES.to_literal("x", TYPES.literal_type(str), CTX)
    for annotation in (int, float, bool, bytes, datetime, timedelta, list[int], dict[str, int], Part, None):
        with pytest.raises(TypeConversionError, match="expected"):
            TYPES.to_python(literal, annotation, CTX)


def test_an_offloaded_value_is_fetched() -> None:
    value = TYPES.to_literal([1, 2], TYPES.literal_type(list[int]), CTX)
    url = "memory://offloaded/value.pb"
    CTX.storage.write(url, value.SerializeToString())
    metadata = literals_pb2.LiteralOffloadedMetadata(uri=url, inferred_type=TYPES.literal_type(list[int]))
    assert TYPES.to_python(literals_pb2.Literal(offloaded_metadata=metadata), list[int], CTX) == [1, 2]


def test_a_table_is_taken_by_uri_and_a_schema_is_read_as_one() -> None:
    assert crossed("s3://b/t", StructuredDataset) == StructuredDataset("s3://b/t", "parquet")
    assert "with a URI" in refused(StructuredDataset(""), StructuredDataset)
    schema = literals_pb2.Literal(scalar=literals_pb2.Scalar(schema=literals_pb2.Schema(uri="s3://b/t")))
    TYPES.check(schema, types_pb2.LiteralType(structured_dataset_type=types_pb2.StructuredDatasetType()))
    assert TYPES.to_python(schema, StructuredDataset, CTX).uri == "s3://b/t"


def test_importing_the_types_loads_no_heavy_library() -> None:
    probe = (
        "import sys, connectory.types, connectory.storage, connectory.templating, connectory.secrets\n"
        "loaded = {'numpy', 'pandas', 'pyarrow', 'obstore', 'httpx', 'grpc', 'asyncio'} & set(sys.modules)\n"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_keys_that_are_no_keys_are_told() -> None:
    assert "the keys of a structure are texts or numbers, not [1, 2]" in refused({(1, 2): 3}, dict)
