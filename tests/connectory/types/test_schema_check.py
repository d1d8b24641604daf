"""Plain data beside the schemas that declared types of dataclasses carry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from connectory.types import ConversionContext, default_types
from connectory.types.json_schema import json_schema
from connectory.types.schema_check import find_misfit
from tests.connectory.types.leaves import Color, Leaf


@dataclass
class Tree:
    name: str
    leaves: list[Leaf] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    parent: "Tree | None" = None
    planted: datetime | None = None
    is_old: bool = False


SCHEMA = json_schema(Tree) or {}


class Dog(BaseModel):
    says: Literal["woof"]


class Cat(BaseModel):
    says: Literal["miaow"]
    lives: int


def told(value: Any, schema: Mapping[str, Any]) -> str | None:
    found = find_misfit(value, schema)
    return f"{found[0]}: {found[1]}" if found is not None else None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"name": "oak"}, None),
        ({"name": "oak", "leaves": [{"size": 1, "color": "blue"}], "notes": {"age": 3}, "parent": None}, None),
        ({"name": "oak", "parent": {"name": "acorn"}, "planted": "2026-01-01T00:00:00Z", "is_old": True}, None),
        ({}, "missing name"),
        ({"nme": 1}, "missing name; unknown nme (there are: "),
        ({"name": "oak", "nme": 1}, "unknown nme (there are: is_old, leaves, name, notes, parent, planted)"),
        ({"name": 1}, "name: expected string, got 1 of type int"),
        ({"name": "oak", "is_old": 1}, "is_old: expected boolean, got 1"),
        ({"name": "oak", "notes": {"age": True}}, "notes.age: expected integer, got True"),
        ({"name": "oak", "leaves": [{"size": 1}, {"size": "big"}]}, "leaves[1].size: expected number, got 'big'"),
        ({"name": "oak", "leaves": [{"size": 1, "color": "pink"}]}, "expected one of 'red', 'blue', got 'pink'"),
        ({"name": "oak", "parent": {}}, "parent: missing name"),
        ({"name": "oak", "parent": 3}, "parent: expected object or null, got 3"),
        (
            {"name": "oak", "parent": {"name": "acorn", "notes": {"a": "b"}}},
            "parent.notes.a: expected integer, got 'b'",
        ),
        ([], "expected object, got []"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(value: Any, said: str | None) -> None:
    found = told(value, SCHEMA)
    assert (found is None) if said is None else (said in str(found))


def test_what_a_schema_does_not_say_is_no_misfit() -> None:
    for value, schema in (
        ({"a": 1}, {}),
        (1, {"$ref": "#/elsewhere"}),
        (1, {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}),
        (1, {"type": "colour"}),
        ({"a": 1}, {"properties": {"a": True}}),
    ):
        assert find_misfit(value, schema) is None


class Size(BaseModel):
    """What pydantic reads is more than its schema says."""

    count: int
    exact: Decimal = Decimal(1)
    ready: bool = False
    lasts: timedelta = timedelta(0)
    pair: tuple[int, str] = (1, "a")
    kind: Literal["a"] | Literal[3] = "a"
    like: Annotated[Dog | Cat, Field(discriminator="says")] | None = None
    inner: "Size | None" = None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"count": "5", "exact": 3, "ready": "yes", "lasts": 3}, None),
        ({"count": 1, "more": 2}, None),
        ({"count": 1, "inner": {"count": "2", "inner": {"count": 3.0}}}, None),
        ({"count": 1, "like": {"says": "miaow", "lives": 3}}, None),
        ({"cont": 1}, "missing count; unknown cont (there are: count, exact,"),
        ({"count": "five"}, "count: expected integer, got 'five' of type str"),
        ({"count": 1.5}, "count: expected integer, got 1.5"),
        ({"count": 1, "ready": "perhaps"}, "ready: expected boolean, got 'perhaps'"),
        ({"count": 1, "lasts": []}, "lasts: expected string, got []"),
        ({"count": 1, "pair": [1]}, "pair: expected 2 members, got 1"),
        ({"count": 1, "pair": [1, 2]}, "pair[1]: expected string, got 2"),
        ({"count": 1, "kind": "b"}, "kind: expected "),
        ({"count": 1, "inner": {"inner": None}}, "inner: missing count"),
        ({"count": 1, "like": {"says": "miaow", "lives": "many"}}, "like.lives: expected integer, got 'many'"),
    ],
)
def test_models_read_more_than_their_schemas_say(value: Any, said: str | None) -> None:
    found = told(value, Size.model_json_schema())
    assert (found is None) if said is None else (said in str(found))
    try:
        Size.model_validate_json(msgspec.json.encode(value))
    except ValidationError:
        assert said is not None
    else:
        assert said is None, "what the model takes is not refused"


def test_what_takes_too_long_is_not_gone_through() -> None:
    deep: Any = {"name": "oak"}
    for _ in range(5000):
        deep = {"name": "oak", "parent": deep}
    assert find_misfit(deep, SCHEMA) is None
    assert find_misfit([1] * 200_000 + ["a"], {"type": "array", "items": {"type": "integer"}}) is None
    names = [{"$ref": f"#/$defs/{name}"} for name in "abcdef"]
    defs = {name: {"type": "array", "items": {"anyOf": names}} for name in "abcdef"}
    nested: Any = 3
    for _ in range(30):
        nested = [nested]
    assert find_misfit(nested, {"$ref": "#/$defs/a", "$defs": defs}) is None


parts = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.sampled_from(["red", "oak", ""])
)
fields = st.sampled_from(["name", "leaves", "notes", "parent", "is_old", "size", "color", "more"])
documents = st.recursive(
    parts, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(fields, inner, max_size=5), max_leaves=12
)


@given(documents)
def test_it_agrees_with_a_library_that_knows_all_of_json_schema(value: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="comes with kubernetes-validate: requirements/dev.txt")
    assert (find_misfit(value, SCHEMA) is None) is jsonschema.Draft202012Validator(SCHEMA).is_valid(value)


leaves = st.builds(Leaf, st.floats(allow_nan=False), st.sampled_from(Color))
trees = st.recursive(
    st.builds(
        Tree, st.text(), st.lists(leaves, max_size=2), st.dictionaries(st.text(), st.integers(-9, 9), max_size=2)
    ),
    lambda inner: st.builds(Tree, st.text(), parent=st.none() | inner, planted=st.none() | st.datetimes()),
    max_leaves=3,
)


@given(trees)
def test_every_value_fits_its_own_schema(tree: Tree) -> None:
    assert find_misfit(default_types().to_plain(tree, Tree, ConversionContext()), SCHEMA) is None
