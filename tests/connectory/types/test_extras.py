"""What `Annotated` adds: hashes, notes; and what is loaded when."""

import subprocess
import sys
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory import kwtypes
from connectory.errors import TypeConversionError
from connectory.types import HashMethod, TypeNote
from connectory.v1 import literals_pb2
from tests.connectory.types.samples import CTX, TYPES, crossed


def written(value: Any, annotation: Any) -> literals_pb2.Literal:
    return TYPES.to_literal(value, TYPES.literal_type(annotation), CTX, annotation=annotation)


def test_a_hash_is_recorded_where_the_annotation_asks_for_it() -> None:
    Hashed = Annotated[list[int], HashMethod(lambda value: str(sum(value)))]
    assert written([1, 2], Hashed).hash == "3"
    assert crossed([1, 2], Hashed) == [1, 2]
    inner = written([[1], [2]], list[Hashed])
    assert [part.hash for part in inner.collection.literals] == ["1", "2"]
    assert [
        part.hash for part in written([1.0] * 100, list[Annotated[float, HashMethod(str)]]).collection.literals
    ] == ["1.0"] * 100


def test_a_hash_method_that_fails_or_answers_no_text_is_an_error() -> None:
    with pytest.raises(TypeConversionError, match="cannot be hashed: ZeroDivisionError"):
        written(1, Annotated[int, HashMethod(lambda value: str(value / 0))])
    with pytest.raises(TypeConversionError, match="must be str, and the HashMethod answers int"):
        written(1, Annotated[int, HashMethod(lambda value: value)])


def test_a_note_is_declared_with_the_type() -> None:
    declared = TYPES.literal_type(Annotated[int, TypeNote({"unit": "kelvin"})])
    assert declared.annotation.annotations["unit"] == "kelvin"
    assert not TYPES.literal_type(int).HasField("annotation")
    with pytest.raises(TypeConversionError, match="one TypeNote"):
        TYPES.literal_type(Annotated[int, TypeNote({}), TypeNote({})])
    with pytest.raises(TypeConversionError, match="cache-key-metadata"):
        TYPES.literal_type(Annotated[dict, TypeNote({"cache-key-metadata": {}})])


def test_other_extras_mean_nothing() -> None:
    assert crossed(3, Annotated[int, "seconds", kwtypes(a=int), object()]) == 3


T = TypeVar("T")


@dataclass
class Box(Generic[T]):
    content: T
    more: list[T]


def test_generic_dataclasses_cross() -> None:
    assert crossed(Box(1, [2]), Box[int]) == Box(1, [2])
    assert crossed(Box(Box("x", []), []), Box[Box[str]]) == Box(Box("x", []), [])
    with pytest.raises(TypeConversionError, match="content: expected int"):
        crossed(Box("x", []), Box[int])


@dataclass
class Tree:
    name: str
    branches: list["Tree"] = field(default_factory=list)
    parent: "Tree | None" = None


def test_a_dataclass_may_be_a_part_of_itself() -> None:
    tree = Tree("a", [Tree("b", [Tree("c")]), Tree("d")], Tree("e"))
    assert crossed(tree, Tree) == tree
    assert crossed([tree], list[Tree]) == [tree]
    declared = TYPES.literal_type(Tree)
    assert declared.metadata["$ref"] == "#/$defs/Tree"
    inner = declared.structure.dataclass_type["branches"].collection_type
    assert inner.metadata["title"] == "Tree"
    assert not inner.structure.dataclass_type
    assert TYPES.literal_type(list[Tree]).collection_type == declared


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        (float, st.floats(allow_nan=False)),
        (int, st.integers(-(2**63), 2**63 - 1)),
        (str, st.text(max_size=3)),
        (bool, st.booleans()),
    ],
    ids=lambda case: str(case)[:20],
)
def test_long_lists_are_converted_as_short_ones(annotation: Any, values: st.SearchStrategy[Any]) -> None:
    declared = TYPES.literal_type(list[annotation])

    @settings(max_examples=20, deadline=None)
    @given(st.lists(values, min_size=64, max_size=80))
    def converts(given: list[Any]) -> None:
        literal = TYPES.to_literal(given, declared, CTX, annotation=list[annotation])
        one_by_one = [written(value, annotation) for value in given]
        assert list(literal.collection.literals) == one_by_one
        TYPES.check(literal, declared)
        assert TYPES.to_python(literal, list[annotation], CTX) == given
        assert TYPES.to_literal(given, declared, CTX) == literal

    converts()


@pytest.mark.parametrize(
    ("annotation", "values", "said"),
    [
        (float, [0.5] * 70 + ["x"], r"\[70\]: expected float"),
        (int, [1] * 70 + [2**63], r"\[70\]: .* does not fit into 64 bits"),
        (int, [1] * 70 + [True], r"\[70\]: expected int"),
        (str, ["a"] * 70 + ["\ud800"], r"\[70\]: .* is not valid Unicode"),
        (bool, [True] * 70 + [1], r"\[70\]: expected bool"),
    ],
)
def test_what_does_not_fit_in_a_long_list_is_named(annotation: Any, values: list[Any], said: str) -> None:
    with pytest.raises(TypeConversionError, match=said):
        written(values, list[annotation])


def test_a_long_list_of_mixed_numbers_is_read() -> None:
    assert crossed([1, 0.5] * 50, list[float]) == [1.0, 0.5] * 50
    assert crossed([1, None] * 50, list[int | None]) == [1, None] * 50
    literal = written([1] * 100, list[int])
    assert TYPES.to_python(literal, list[float], CTX) == [1.0] * 100
    with pytest.raises(TypeConversionError, match=r"\[0\]: expected str"):
        TYPES.to_python(literal, list[str], CTX)


LOADED = """
import sys
import connectory
from connectory import task, workflow
from connectory.types import ConversionContext, StructuredDataset, default_types
from connectory.types.engine import TypeEngine

@task
def t(a: int, b: list[str], c: StructuredDataset) -> dict[str, float]:
    return {"x": 1.0}

types = default_types()
declared = types.literal_type(list[int])
types.to_literal([1], declared, ConversionContext(), annotation=list[int])
types.literal_type(StructuredDataset)
libraries = {"numpy", "pandas", "polars", "pyarrow", "pydantic", "cloudpickle", "grpc", "obstore"}
print(sorted(libraries & set(sys.modules)))
import numpy
types.literal_type(numpy.ndarray)
print(sorted(libraries & set(sys.modules)))
"""


def test_no_library_is_loaded_before_a_type_of_it_appears() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['numpy']"]
