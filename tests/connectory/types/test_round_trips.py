"""What goes in comes out: random values of every type, over the wire and back."""

import enum
import string
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from connectory.errors import TypeConversionError
from connectory.types import Directory, File, StructuredDataset
from tests.connectory.types.samples import CTX, TYPES, Color, Order, Part, crossed

BOUNDED = settings(max_examples=60, deadline=None)

ints = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False)
texts = st.text(max_size=20)
moments = st.datetimes(
    min_value=datetime(1, 1, 2),
    max_value=datetime(9999, 12, 30),
    timezones=st.just(UTC),
)
spans = st.timedeltas(min_value=timedelta(days=-3_652_000), max_value=timedelta(days=3_652_000))
plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | ints | floats | texts | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
parts = st.builds(Part, number=ints, name=st.none() | texts)
orders = st.builds(
    Order,
    key=texts,
    weight=floats,
    paid=st.booleans(),
    placed=moments,
    due=st.dates(),
    # inside of a structure a length of time is a float of seconds, which is exact to the microsecond for 100 years
    patience=st.timedeltas(min_value=timedelta(days=-36_500), max_value=timedelta(days=36_500)),
    color=st.sampled_from(Color),
    seal=st.binary(max_size=8),
    parts=st.lists(parts, max_size=3),
    by_place=st.dictionaries(texts, parts, max_size=3),
    by_number=st.dictionaries(ints, texts, max_size=3),
    remark=st.none() | texts | parts,
    anything=st.dictionaries(texts, plain, max_size=2),
)
urls = st.text(string.ascii_letters + string.digits + "/._-", min_size=1, max_size=20).map("s3://bucket/".__add__)

CASES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, ints),
    (float, floats),
    (str, texts),
    (bool, st.booleans()),
    (bytes, st.binary(max_size=50)),
    (None, st.none()),
    (datetime, moments),
    (date, st.dates()),
    (timedelta, spans),
    (list[int], st.lists(ints, max_size=5)),
    (list[list[str]], st.lists(st.lists(texts, max_size=3), max_size=3)),
    (dict[str, float], st.dictionaries(texts, floats, max_size=5)),
    (dict[str, list[Part]], st.dictionaries(texts, st.lists(parts, max_size=3), max_size=3)),
    (dict, st.dictionaries(texts, plain, max_size=4)),
    (dict[int, str], st.dictionaries(ints, texts, max_size=4)),
    (Color, st.sampled_from(Color)),
    (int | None, st.none() | ints),
    (list[int] | None, st.none() | st.lists(ints, max_size=3)),
    (list[int | None], st.lists(st.none() | ints, max_size=5)),
    (int | float | str | bool, ints | floats | texts | st.booleans()),
    (Part | Color | None, parts | st.sampled_from(Color) | st.none()),
    (Order, orders),
    (File, st.builds(File, urls)),
    (Directory, st.builds(Directory, urls)),
    (StructuredDataset, st.builds(StructuredDataset, urls, st.sampled_from(["parquet", "csv"]))),
]


@pytest.mark.parametrize(("annotation", "values"), CASES, ids=lambda case: str(case)[:40])
def test_a_value_comes_back_equal_and_of_the_same_type(annotation: Any, values: st.SearchStrategy[Any]) -> None:
    @BOUNDED
    @given(values)
    def comes_back(value: Any) -> None:
        result = crossed(value, annotation)
        assert result == value
        assert type(result) is type(value)

    comes_back()


@BOUNDED
@given(st.data())
def test_what_a_declared_type_alone_makes_of_a_value_fits_it(data: st.DataObject) -> None:
    annotation, values = data.draw(st.sampled_from(CASES))
    value = data.draw(values)
    literal_type = TYPES.literal_type(annotation)
    natural = value.value if isinstance(value, enum.Enum) else value
    literal = TYPES.to_literal(natural, literal_type, CTX)
    TYPES.check(literal, literal_type)
    TYPES.to_python(literal, TYPES.annotation_for(literal_type), CTX)


def test_nan_crosses() -> None:
    result = crossed(float("nan"), float)
    assert result != result


def test_a_union_remembers_which_variant_it_holds() -> None:
    assert crossed(1, int | float) == 1
    assert type(crossed(1, float | int)) is int
    assert type(crossed(1.0, int | float)) is float
    assert crossed("red", Color | str) == "red"
    assert crossed(Color.RED, str | Color) is Color.RED


def test_a_class_derived_from_a_type_crosses_as_that_type() -> None:
    class Shade(str, enum.Enum):  # noqa: UP042 - text that does not write itself as its value
        DARK = "dark"

    class Level(enum.IntEnum):
        HIGH = 3

    assert crossed(Shade.DARK, str) == "dark"
    assert type(crossed(Shade.DARK, str)) is str
    assert type(crossed(Level.HIGH, float | int)) is int
    assert crossed({"a": Level.HIGH, "b": 2, "c": 3}, dict[str, int]) == {"a": 3, "b": 2, "c": 3}


@BOUNDED
@given(
    st.sampled_from([(int, ints | st.booleans()), (float, floats | ints), (str, texts), (bool, st.booleans())]),
    st.data(),
)
def test_maps_of_any_length_cross_alike(kind: tuple[Any, st.SearchStrategy[Any]], data: st.DataObject) -> None:
    annotation, values = kind
    given = data.draw(st.dictionaries(texts, values, max_size=8))
    alone = {key: outcome(value, annotation) for key, value in given.items()}
    refused = [said for said in alone.values() if isinstance(said, TypeConversionError)]
    together = outcome(given, dict[str, annotation])  # type: ignore[valid-type]
    if refused:
        assert isinstance(together, TypeConversionError)
        assert together.message in [said.message for said in refused]
    else:
        assert together == alone


def outcome(value: Any, annotation: Any) -> Any:
    try:
        return crossed(value, annotation)
    except TypeConversionError as error:
        return error


class Branch(BaseModel):
    """A model that is part of itself in every way."""

    length: int = 1
    longest: "Branch | None" = None
    others: list["Branch"] = []
    leaves: "dict[str, Leaf]" = {}


@dataclass
class Leaf:
    on: Branch | None = None


def test_models_and_dataclasses_may_be_parts_of_each_other() -> None:
    value = Branch(longest=Branch(others=[Branch(length=2)]), leaves={"a": Leaf(Branch(length=3))})
    assert crossed(value, Branch) == value
    assert crossed(Leaf(value), Leaf) == Leaf(value)
    whole = TYPES.literal_type(Branch)
    inner = TYPES.literal_type(list[Branch]).collection_type
    assert inner == whole
    assert "length" in whole.structure.dataclass_type
    assert not whole.structure.dataclass_type["others"].collection_type.structure.dataclass_type


def test_a_long_list_of_floats_may_hold_an_int() -> None:
    assert crossed([0.5] * 99 + [3], list[float]) == [0.5] * 99 + [3.0]
    with pytest.raises(TypeConversionError, match=r"\[99\]: .* without losing digits"):
        crossed([0.5] * 99 + [2**53 + 1], list[float])
    with pytest.raises(TypeConversionError, match=r"\[99\]: expected float, got True"):
        crossed([0.5] * 99 + [True], list[float])
