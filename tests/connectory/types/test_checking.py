"""Whether literals fit declared types."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from connectory.errors import TypeConversionError
from connectory.types import Directory, File, StructuredDataset
from connectory.v1 import interface_pb2, literals_pb2, types_pb2
from tests.connectory.types.samples import CTX, TYPES, Color, Part

VALUES: list[tuple[Any, Any]] = [
    (1, int),
    (1.5, float),
    ("x", str),
    (True, bool),
    (None, None),
    (b"x", bytes),
    (datetime(2024, 1, 1), datetime),
    (timedelta(1), timedelta),
    ([1], list[int]),
    ({"a": 1}, dict[str, int]),
    (File("s3://b/f"), File),
    (Directory("s3://b/d"), Directory),
    (StructuredDataset("s3://b/t"), StructuredDataset),
]


def literal_of(value: Any, annotation: Any) -> literals_pb2.Literal:
    return TYPES.to_literal(value, TYPES.literal_type(annotation), CTX, annotation=annotation)


@pytest.mark.parametrize(("value", "annotation"), VALUES, ids=str)
def test_a_literal_fits_its_own_type_and_no_other(value: Any, annotation: Any) -> None:
    literal = literal_of(value, annotation)
    for other in (annotation for _, annotation in VALUES):
        declared = TYPES.literal_type(other)
        if other == annotation or (annotation is int and other is float):
            TYPES.check(literal, declared)
        else:
            with pytest.raises(TypeConversionError, match="expected"):
                TYPES.check(literal, declared)


def test_the_path_leads_to_the_part() -> None:
    literal = literal_of({"a": [[1], [2, 3]]}, dict[str, list[list[int]]])
    with pytest.raises(TypeConversionError) as caught:
        TYPES.check(literal, TYPES.literal_type(dict[str, list[list[str]]]))
    assert str(caught.value) == "['a'][0][0]: expected str, got int"


def test_an_enum_takes_its_values_only() -> None:
    TYPES.check(literal_of("red", str), TYPES.literal_type(Color))
    with pytest.raises(TypeConversionError, match="expected one of 'red', 'blue', got 'green'"):
        TYPES.check(literal_of("green", str), TYPES.literal_type(Color))


def test_a_union_takes_its_variants_bare_or_wrapped() -> None:
    TYPES.check(literal_of(1, int), TYPES.literal_type(int | None))
    TYPES.check(literal_of(1, int | str), TYPES.literal_type(int | None))
    TYPES.check(literal_of(1, int | str), TYPES.literal_type(int))
    with pytest.raises(TypeConversionError, match=r"expected int \| none, got str"):
        TYPES.check(literal_of("x", int | str), TYPES.literal_type(int | None))


def test_an_empty_literal_and_an_empty_type_are_refused() -> None:
    with pytest.raises(TypeConversionError, match="got a literal without a value"):
        TYPES.check(literals_pb2.Literal(), TYPES.literal_type(int))
    with pytest.raises(TypeConversionError, match="expected an empty type"):
        TYPES.check(literal_of(1, int), types_pb2.LiteralType())
    with pytest.raises(TypeConversionError, match="simple type number 77"):
        TYPES.check(literal_of(1, int), types_pb2.LiteralType(simple=77))  # type: ignore[arg-type]


def test_a_structure_takes_both_forms() -> None:
    TYPES.check(literal_of(Part(1), Part), TYPES.literal_type(Part))
    older = literals_pb2.Literal()
    older.scalar.generic.update({"number": 1})
    TYPES.check(older, TYPES.literal_type(Part))


def test_a_map_names_the_variable() -> None:
    declared = interface_pb2.VariableMap()
    declared.variables["n"].type.CopyFrom(TYPES.literal_type(list[int]))
    given = literals_pb2.LiteralMap()
    with pytest.raises(TypeConversionError, match="missing n"):
        TYPES.check_map(given, declared)
    given.literals["n"].CopyFrom(literal_of(["x"], list[str]))
    with pytest.raises(TypeConversionError, match=r"n\[0\]: expected int, got str"):
        TYPES.check_map(given, declared)
    given.literals["n"].CopyFrom(literal_of([1], list[int]))
    TYPES.check_map(given, declared)
    given.literals["m"].CopyFrom(literal_of(1, int))
    with pytest.raises(TypeConversionError, match="unknown m"):
        TYPES.check_map(given, declared)
