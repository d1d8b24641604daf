"""Tables by reference: where they are, in which format, and how they become dataframes."""

import importlib
import os
from collections.abc import Iterator, Sequence
from typing import Any, Generic, Self, TypeVar

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.tables.files import PARQUET, iterate, read
from connectory.types.tables.libraries import library_of
from connectory.types.tables.source import TableSource

__all__ = ["OpenedDataset", "StructuredDataset"]

F = TypeVar("F")


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
        self.columns: Sequence[str] = ()
        """The columns that are read; empty: all of them."""
        self._ctx: ConversionContext | None = None

    @classmethod
    def stored(cls, uri: str, *, file_format: str, columns: Sequence[str] = (), ctx: ConversionContext) -> Self:
        """One that a literal refers to."""
        dataset = cls(uri=uri, file_format=file_format)
        dataset.columns = tuple(columns)
        dataset._ctx = ctx
        return dataset

    @property
    def file_format(self) -> str:
        """The format of the stored table."""
        return self.declared_format or PARQUET

    def open(self, frame_type: type[F]) -> "OpenedDataset[F]":
        """The table as dataframes of a class. Nothing is read yet."""
        return OpenedDataset(self, frame_type)

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

    def __init__(self, dataset: StructuredDataset, frame_type: type[F]) -> None:
        self._dataset = dataset
        self._library = library_of(frame_type)
        self._frame_type = frame_type

    def all(self) -> F:
        """The whole table."""
        held = self._dataset.dataframe
        if held is None:
            frame: F = read(self._dataset.source, self._library, self._dataset.file_format)
        elif isinstance(held, self._frame_type):
            frame = held
        else:
            frame = self._library.from_arrow(library_of(type(held)).to_arrow(held))
        return frame

    def iter(self) -> Iterator[F]:
        """The table in parts, as it was written: one is in memory at a time."""
        if self._dataset.dataframe is not None:
            return iter([self.all()])
        return iterate(self._dataset.source, self._library, self._dataset.file_format)
