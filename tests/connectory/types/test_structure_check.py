"""Literals of structures beside the declared types that say what their classes have."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from connectory.errors import TypeConversionError
from connectory.types import ConversionContext, default_types
from connectory.types.structure_check import check_structures, find_structure_mismatch
from connectory.types.structures import pack
from connectory.v1 import interface_pb2, literals_pb2, types_pb2
from tests.connectory.types.leaves import Color, Leaf

TYPES = default_types()


@dataclass
class Tree:
    name: str
    leaves: list[Leaf] = field(default_factory=list)
    limit: float = float("inf")


@dataclass
class Node:
    value: int
    after: "Node | None" = None


@dataclass
class Counted:
    names: list[str]
    count: int = field(init=False)

    def __post_init__(self) -> None:
        self.count = len(self.names)


class Model(BaseModel):
    name: str
    tree: Tree | None = None


class Renamed(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    size: int = Field(alias="theSize")


class Holder(BaseModel):
    inner: Renamed


def declared(annotation: Any) -> types_pb2.LiteralType:
    return TYPES.literal_type(annotation)


def mismatch(plain: Any, annotation: Any) -> str | None:
    found = find_structure_mismatch(pack(plain), declared(annotation), by_hand=True)
    return f"{found[0]}: {found[1]}" if found is not None else None


@pytest.mark.parametrize(
    ("annotation", "plain", "said"),
    [
        (Tree, {"name": "oak", "leaves": [{"size": 1}]}, None),
        (Tree, {"nme": "oak"}, ": missing name; unknown nme (there are: leaves, limit, name)"),
        (Tree, {"name": "oak", "leaves": [{"size": "big"}]}, "leaves[0].size: expected number, got 'big' of type str"),
        (
            Tree,
            {"name": "oak", "leaves": [{"size": 1, "color": "pink"}]},
            "leaves[0].color: expected one of 'red', 'blue'",
        ),
        (Tree, "oak", ": expected object, got 'oak' of type str"),
        (list[Tree], [{"name": "oak"}, {"name": 1}], "[1].name: expected string, got 1"),
        (dict[str, Tree], {"a": {}}, "['a']: missing name"),
        (Tree | None, {"nme": "oak"}, ": missing name"),
        (Tree | None, None, None),
        (list[Tree] | None, [{"nme": "oak"}], "[0]: missing name"),
        (Tree | str, {"nme": "oak"}, ": missing name"),
        (Tree | str, "oak", None),
        (Color, "pink", ": expected one of 'red', 'blue', got 'pink'"),
        (list[int], [1, "a"], "[1]: expected integer, got 'a'"),
        (list[int], {"a": 1}, ": expected array"),
        (int, 1.0, None),
        (int, "1", ": expected integer, got '1'"),
        (dict, {"any": ["thing"]}, None),
        (Node, {"value": 1, "after": {"value": 2, "after": None}}, None),
        (Node, {"value": 1, "after": {"valu": 2}}, "after: missing value; unknown valu"),
        (
            Model,
            {"name": "a", "tree": {"name": "oak", "leaves": [{"size": "big"}]}},
            "tree.leaves[0].size: expected number",
        ),
        (Model, {"tree": None}, ": missing name"),
    ],
)
def test_the_part_that_is_another_one_is_told(annotation: Any, plain: Any, said: str | None) -> None:
    found = mismatch(plain, annotation)
    assert (found is None) if said is None else (said in str(found))


@pytest.mark.parametrize(
    "value",
    [
        Tree("oak", [Leaf(1.5, Color.BLUE)]),
        Node(1, Node(2)),
        Counted(["a"]),
        Model(name="a", tree=Tree("oak", limit=1.0)),
        Renamed(theSize=3),
        Holder(inner=Renamed(theSize=3)),
    ],
)
def test_what_a_class_writes_itself_is_never_refused(value: Any) -> None:
    kind = declared(type(value))
    literal = TYPES.to_literal(value, kind, ConversionContext(), annotation=type(value))
    assert find_structure_mismatch(literal, kind) is None
    optional = types_pb2.LiteralType.FromString(declared(type(value) | None).SerializeToString())
    assert find_structure_mismatch(literal, optional) is None
    wrapped = literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=[literal]))
    assert find_structure_mismatch(wrapped, types_pb2.LiteralType(collection_type=kind)) is None


def test_a_field_too_many_counts_where_all_fields_are_known_or_somebody_wrote_it() -> None:
    plain, optional = {"name": "oak", "age": 3}, declared(Tree | None)
    assert find_structure_mismatch(pack(plain), declared(Tree)) is not None
    assert find_structure_mismatch(pack(plain), optional) is None
    assert find_structure_mismatch(pack({"leaves": []}), optional) == ("", "missing name")
    assert find_structure_mismatch(pack(plain), optional, by_hand=True) is not None


def test_the_older_form_is_looked_at_too() -> None:
    literal = literals_pb2.Literal()
    literal.scalar.generic.update({"name": "oak", "leaves": [{"size": 2}]})
    assert find_structure_mismatch(literal, declared(Tree)) is None
    literal.scalar.generic.update({"leaves": [{"size": "2"}]})
    found = find_structure_mismatch(literal, declared(Tree))
    assert found is not None
    assert found[0] == "leaves[0].size"


def test_a_union_says_what_is_in_it() -> None:
    kind = declared(Tree | None)
    union = literals_pb2.Literal()
    union.scalar.union.value.CopyFrom(pack({"name": 3}))
    union.scalar.union.type.CopyFrom(kind.union_type.variants[0])
    assert find_structure_mismatch(union, kind) is not None
    union.scalar.union.value.CopyFrom(pack({"name": "oak"}))
    assert find_structure_mismatch(union, kind) is None


def test_what_cannot_be_read_is_none() -> None:
    literal = pack({"name": "oak"})
    literal.scalar.binary.value = b"\xc1"
    found = find_structure_mismatch(literal, declared(Tree))
    assert found is not None
    assert "cannot be read" in found[1]


def test_what_is_kept_elsewhere_passes() -> None:
    literal = literals_pb2.Literal()
    literal.offloaded_metadata.uri = "s3://somewhere"
    assert find_structure_mismatch(literal, declared(Tree)) is None


def test_the_variable_is_named() -> None:
    variables = interface_pb2.VariableMap(variables={"trees": interface_pb2.Variable(type=declared(list[Tree]))})
    given = literals_pb2.LiteralMap()
    given.literals["trees"].collection.literals.append(pack({"name": 3}))
    with pytest.raises(TypeConversionError, match=r"^trees\[0\]\.name: expected string, got 3 of type int$"):
        check_structures(given, variables)


class Quiet(Model):
    model_config = ConfigDict(hide_input_in_errors=True)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Model, "name: Input should be a valid string, got 3 of type int"),
        (Quiet, "name: Input should be a valid string"),
    ],
)
def test_a_model_says_what_it_was_given_unless_it_is_to_hide_it(model: type[BaseModel], said: str) -> None:
    with pytest.raises(TypeConversionError) as refused:
        TYPES.from_plain({"name": 3}, model, ConversionContext())
    assert str(refused.value) == said
