"""The libraries whose dataframes are stored as tables, each in a module of its own that is loaded on first use."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from connectory.errors import TypeConversionError
from connectory.types.describing import describe_annotation
from connectory.types.lazy import libraries_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LIBRARIES", "TableLibrary", "library_of"]

LIBRARIES: Final = {
    "pandas": "connectory.types.tables.pandas",
    "polars": "connectory.types.tables.polars",
    "pyarrow": "connectory.types.tables.arrow",
}
"""By library: the module with its `LIBRARY`."""


class TableLibrary(ABC):
    """What is asked of a library of dataframes. Parquet goes through Arrow, whose memory the frames share."""

    frame: ClassVar[type[Any]]
    """The dataframe's class."""

    @abstractmethod
    def to_arrow(self, frame: Any) -> "pa.Table":
        """A frame as an Arrow table."""

    @abstractmethod
    def from_arrow(self, table: "pa.Table") -> Any:
        """An Arrow table as a frame."""

    @abstractmethod
    def write_csv(self, frame: Any, path: Path) -> None:
        """Write a frame as text, with a header and without an index."""

    @abstractmethod
    def read_csv(self, path: Path, columns: Sequence[str]) -> Any:
        """Read such text, or of it the named columns only."""


def library_of(frame_type: Any) -> TableLibrary:
    """The library of a dataframe's class; a class that is no dataframe's is a `TypeConversionError`."""
    for name in libraries_of(frame_type):
        if name in LIBRARIES:
            library = _load(name)
            if isinstance(frame_type, type) and issubclass(frame_type, library.frame):
                return library
    raise TypeConversionError(
        f"{describe_annotation(frame_type)} is no dataframe; there are pandas.DataFrame, polars.DataFrame and "
        "pyarrow.Table"
    )


def _load(name: str) -> TableLibrary:
    try:
        library: TableLibrary = importlib.import_module(LIBRARIES[name]).LIBRARY
    except ImportError as error:
        raise TypeConversionError(
            f"tables of {name} cannot be converted here: {error}; pip install 'connectory[dataframes]'"
        ) from error
    return library
