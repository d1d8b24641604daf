"""Plain data beside the schemas that declared types of dataclasses carry."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.types import ConversionContext, default_types
from connectory.types.json_schema import json_schema
from connectory.types.schema_check import misfit


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Leaf:
    size: float
    color: Color = Color.RED


@dataclass
class Tree:
    name: str
    leaves: list[Leaf] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    parent: "Tree | None" = None
    planted: datetime | None = None
    is_old: bool = False


SCHEMA = json_schema(Tree) or {}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"name": "oak"}, None),
        ({"name": "oak", "leaves": [{"size": 1, "color": "blue"}], "notes": {"age": 3}, "parent": None}, None),
        ({"name": "oak", "parent": {"name": "acorn"}, "planted": "2026-01-01T00:00:00Z", "is_old": True}, None),
        ({}, "missing name"),
        ({"name": "oak", "nme": 1}, "unknown nme (there are: is_old, leaves, name, notes, parent, planted)"),
        ({"name": 1}, "name: expected string, got 1"),
        ({"name": "oak", "is_old": 1}, "is_old: expected boolean, got 1"),
        ({"name": "oak", "notes": {"age": True}}, "notes.age: expected integer, got True"),
        ({"name": "oak", "leaves": [{"size": 1}, {"size": "big"}]}, "leaves[1].size: expected number, got 'big'"),
        ({"name": "oak", "leaves": [{"size": 1, "color": "pink"}]}, "expected one of 'red', 'blue', got 'pink'"),
        ({"name": "oak", "parent": {}}, "parent: missing name"),
        ([], "expected object, got []"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(value: Any, said: str | None) -> None:
    found = misfit(value, SCHEMA)
    assert (found is None) if said is None else (said in str(found))


def test_what_a_schema_does_not_say_is_no_misfit() -> None:
    assert misfit({"a": 1}, {}) is None
    assert misfit(1, {"$ref": "#/elsewhere"}) is None


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
    assert misfit(default_types().to_plain(tree, Tree, ConversionContext()), SCHEMA) is None
