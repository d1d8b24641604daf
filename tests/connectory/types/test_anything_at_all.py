"""Whatever is written as an annotation, and whatever value is given for it: the only error is the project's own."""

import collections
import collections.abc
import enum
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict

from connectory import kwtypes
from connectory.errors import TypeConversionError
from connectory.types import File, StructuredDataset
from tests.connectory.types.samples import CTX, TYPES, Color, Order


class Numbers(enum.Enum):
    ONE = 1


class NoMembers(enum.Enum):
    pass


@dataclass
class Nowhere:
    x: "Unheard"  # type: ignore[name-defined]  # noqa: F821


@dataclass
class Functions:
    x: Callable[[], int]
    y: object


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    function: Callable[[int], int]


class Pair(typing.NamedTuple):
    a: int


class Typed(typing.TypedDict):
    a: int


T = typing.TypeVar("T")

ANNOTATIONS: list[Any] = [
    *(3, "int", [int], (int, str), enum, ..., NotImplemented, float("nan"), {}, None, lambda: 3, Exception, complex),
    *(int, float, str, bool, bytes, list, dict, tuple, set, object, type, Any, typing.List, typing.Dict),  # noqa: UP006
    *(typing.Union, typing.Literal, typing.Optional, typing.Annotated, typing.Generic, typing.NoReturn, typing.Self),
    *(T, list[T], dict[str, T], dict[T, int], Callable[..., int], typing.ClassVar[int], typing.NewType("N", int)),  # type: ignore[valid-type]
    *(list[int], list[int, str], dict[str, Any], dict[int, str], set[int], tuple[int, ...], tuple[int, str]),  # type: ignore[misc]
    *(int | None, list[int | str], typing.Literal[1, "a"], typing.Literal[b"x"], typing.Literal["a", "b"]),
    *(Iterator, Iterator[int], collections.abc.Sequence[int], collections.OrderedDict, collections.defaultdict),
    *(Color, Order, Numbers, NoMembers, Nowhere, Functions, Model, Pair, Typed),
    *(File, File["x"]["y"], StructuredDataset, np.ndarray, np.ndarray[Any, np.dtype[np.float64]], np.float64),  # type: ignore[misc]
    *(pd.DataFrame, pd.Series, typing.Annotated[int, 3], typing.Annotated[Any, kwtypes(allow_pickle=True)]),
    *(typing.Annotated[pd.DataFrame, 3, {"a": 3}], typing.Annotated[pd.DataFrame, {3: int}]),
]
VALUES: list[Any] = [
    *(None, 3, 0.5, float("nan"), "x", "\ud800", b"x", True, 2**70, [1], {"a": 1}, {1: {2}}, {1}, (1, "x"), Pair(1)),
    *(object(), lambda: 3, int, Color.RED, pd.DataFrame({"a": [1]}), np.array([1]), np.float64(0.5), CTX),
]


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=repr)
def test_nothing_ends_in_a_foreign_error(annotation: Any) -> None:
    try:
        declared = TYPES.literal_type(annotation)
    except TypeConversionError:
        return
    for value in VALUES:
        try:
            literal = TYPES.to_literal(value, declared, CTX, annotation=annotation)
            TYPES.check(literal, declared)
            TYPES.to_python(literal, annotation, CTX)
        except TypeConversionError:
            continue
