"""Tables by reference: where they are, in which format, and how they become dataframes."""

import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Self, TypeVar

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.models import view
from connectory.types.tables.files import PARQUET, iterate, read
from connectory.types.tables.handled import decode, decoder_for, parts, whole
from connectory.types.tables.handlers import StructuredDatasetDecoder
from connectory.types.tables.libraries import library_of
from connectory.types.tables.source import TableSource
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["Column", "OpenedDataset", "StructuredDataset"]

F = TypeVar("F")
Column = types_pb2.StructuredDatasetType.DatasetColumn


class StructuredDataset:
    """A table that is stored at `uri`, as one object or as a folder of them, or a dataframe that is to be stored.

    `StructuredDataset(dataframe=frame)` is stored when it leaves a task, at `uri` if that is given too. One that a task
    receives is read on demand: `dataset.open(pandas.DataFrame).all()` is the whole table, `.iter()` gives it in parts.
    Only the columns that the annotation asks for are read. Text as the first argument is taken as the `uri`.
    """

    def __init__(
        self, dataframe: Any = None, uri: str | None = None, metadata: Any = None, *, file_format: str | None = None
    ) -> None:
        if isinstance(dataframe, str | os.PathLike):  # StructuredDataset("s3://bucket/table", "csv")
            dataframe, uri, file_format = None, os.fspath(dataframe), file_format or uri
        self.dataframe = dataframe
        self.uri = uri or ""
        self.metadata = metadata
        self.declared_format = file_format or ""
        """The format that was asked for; empty: whatever is usual."""
        self._wanted: Sequence[Column] = ()
        self._table: literals_pb2.StructuredDataset | None = None
        self._ctx: ConversionContext | None = None

    @classmethod
    def stored(
        cls, table: literals_pb2.StructuredDataset, *, wanted: Sequence[Column] = (), ctx: ConversionContext
    ) -> Self:
        """One that a literal refers to, of which the `wanted` columns are read; empty: those that the literal has."""
        described = table.metadata.structured_dataset_type
        dataset = cls(uri=table.uri, file_format=described.format, metadata=view(table.metadata))
        dataset._wanted = wanted or described.columns
        dataset._table = table
        dataset._ctx = ctx
        return dataset

    @property
    def literal(self) -> Any:
        """What the literal that it came in says, a `connectory.types.models.StructuredDataset`; None: it is new."""
        return None if self._table is None else view(self._table)

    @property
    def columns(self) -> Sequence[str]:
        """The columns that are read; empty: all of them."""
        return [column.name for column in self._wanted]

    @property
    def file_format(self) -> str:
        """The format of the stored table."""
        return self.declared_format or PARQUET

    def open(self, frame_type: type[F]) -> "OpenedDataset[F]":
        """The table as dataframes of a class. Nothing is read yet."""
        held = self.dataframe
        if isinstance(held, frame_type):
            return OpenedDataset(lambda: held)
        if held is not None:
            other, library = library_of(type(held)), library_of(frame_type)
            return OpenedDataset(lambda: library.from_arrow(other.to_arrow(held)))
        decoder = decoder_for(frame_type, self.uri, self.declared_format)
        if decoder is not None:
            return OpenedDataset(lambda: whole(self._decoded(decoder), self.uri), lambda: parts(self._decoded(decoder)))
        library = library_of(frame_type)
        return OpenedDataset(
            lambda: read(self.source, library, self.file_format),
            lambda: iterate(self.source, library, self.file_format),
        )

    def _decoded(self, decoder: StructuredDatasetDecoder[Any]) -> Any:
        described = types_pb2.StructuredDatasetType(format=self.declared_format)
        table = self._table or literals_pb2.StructuredDataset(
            uri=self.uri, metadata=literals_pb2.StructuredDatasetMetadata(structured_dataset_type=described)
        )
        wanted = types_pb2.StructuredDatasetType()
        wanted.CopyFrom(table.metadata.structured_dataset_type)
        columns = list(self._wanted)
        del wanted.columns[:]
        wanted.columns.extend(columns)
        return decode(table, decoder, wanted, self._ctx or ConversionContext())

    @property
    def source(self) -> TableSource:
        """What a reader needs to know."""
        if not self.uri:
            raise TypeConversionError("the dataset has neither a URI nor a dataframe")
        return TableSource(uri=self.uri, columns=self.columns, ctx=self._ctx or ConversionContext())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return importlib.import_module("connectory.types.pydantic_references").core_schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        return importlib.import_module("connectory.types.pydantic_references").json_schema_of(cls, handler)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StructuredDataset):
            return NotImplemented
        return self.dataframe is other.dataframe and (self.uri, self.file_format) == (other.uri, other.file_format)

    def __hash__(self) -> int:
        return hash((self.uri, self.file_format))

    def __repr__(self) -> str:
        held = "" if self.dataframe is None else f"dataframe={type(self.dataframe).__qualname__}, "
        return f"StructuredDataset({held}uri={self.uri!r}, file_format={self.file_format!r})"


class OpenedDataset(Generic[F]):
    """A table as dataframes of one class."""

    def __init__(self, whole: Callable[[], F], parts: Callable[[], Iterator[F]] | None = None) -> None:
        self._whole = whole
        self._parts = parts

    def all(self) -> F:
        """The whole table."""
        return self._whole()

    def iter(self) -> Iterator[F]:
        """The table in parts, as it was written: one is in memory at a time."""
        return iter([self._whole()]) if self._parts is None else self._parts()
