"""The families that are always there."""

from typing import Final

from connectory.types.anything import AnyTransformer
from connectory.types.collections import DictTransformer, ListTransformer
from connectory.types.dataclasses import DataclassTransformer
from connectory.types.enums import EnumTransformer
from connectory.types.files import DirectoryTransformer, FileTransformer
from connectory.types.registry import TypeRegistry
from connectory.types.scalars import (
    BoolTransformer,
    BytesTransformer,
    FloatTransformer,
    IntTransformer,
    NoneTransformer,
    StrTransformer,
)
from connectory.types.structured_dataset import StructuredDatasetTransformer
from connectory.types.temporal import DatetimeTransformer, DateTransformer, TimedeltaTransformer
from connectory.types.transformer import TypeTransformer
from connectory.types.unions import UnionTransformer

__all__ = ["FAMILIES", "default_types"]

FAMILIES: Final[tuple[type[TypeTransformer], ...]] = (
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
)


def default_types() -> TypeRegistry:
    """A fresh registry with all built-in families, ready for more."""
    types = TypeRegistry()
    for family in FAMILIES:
        types.register(family())
    return types
