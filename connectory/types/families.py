"""The families that are always there."""

from typing import Final

from connectory.types.anything import AnyTransformer
from connectory.types.choices import ChoiceTransformer
from connectory.types.collections import DictTransformer, ListTransformer
from connectory.types.dataclasses import DataclassTransformer
from connectory.types.enums import EnumTransformer
from connectory.types.failures import FlyteErrorTransformer
from connectory.types.files import DirectoryTransformer, FileTransformer
from connectory.types.frames import StructuredDatasetTransformer
from connectory.types.iterators import IteratorTransformer, JsonLinesTransformer
from connectory.types.lazy import LazyFamilies
from connectory.types.pickles import PickleTransformer
from connectory.types.plain import SetTransformer, TextTransformer, TupleTransformer
from connectory.types.protobuf_messages import ProtobufTransformer
from connectory.types.registry import TypeRegistry
from connectory.types.scalars import (
    BoolTransformer,
    BytesTransformer,
    FloatTransformer,
    IntTransformer,
    NoneTransformer,
    StrTransformer,
)
from connectory.types.tables.libraries import LIBRARIES
from connectory.types.temporal import DatetimeTransformer, DateTransformer, TimedeltaTransformer
from connectory.types.transformer import TypeTransformer
from connectory.types.unions import UnionTransformer

__all__ = ["FAMILIES", "LAZY_FAMILIES", "default_types"]

FAMILIES: Final[tuple[type[TypeTransformer], ...]] = (
    PickleTransformer,  # the first is asked last
    AnyTransformer,
    IntTransformer,
    FloatTransformer,
    StrTransformer,
    BoolTransformer,
    BytesTransformer,
    NoneTransformer,
    DatetimeTransformer,
    DateTransformer,
    TimedeltaTransformer,
    ListTransformer,
    DictTransformer,
    DataclassTransformer,
    EnumTransformer,
    UnionTransformer,
    FileTransformer,
    DirectoryTransformer,
    StructuredDatasetTransformer,
    ChoiceTransformer,
    IteratorTransformer,
    JsonLinesTransformer,
    ProtobufTransformer,
    TextTransformer,
    TupleTransformer,
    SetTransformer,
    FlyteErrorTransformer,
)

LAZY_FAMILIES: Final[dict[str, str]] = {
    **LIBRARIES,
    "numpy": "connectory.types.numpy_arrays",
    "pydantic": "connectory.types.pydantic_models",
}
"""By library: the module that converts its types, which is loaded when one of them appears."""


def default_types() -> TypeRegistry:
    """A fresh registry with all built-in families, ready for more.

    What other distributions offer by entry point is added when an annotation is not known otherwise.
    """
    types = TypeRegistry(lazy=LazyFamilies(LAZY_FAMILIES, entry_points=True))
    for family in FAMILIES:
        types.register(family())
    return types
