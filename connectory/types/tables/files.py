"""Tables in files of either format, for whichever library has the dataframe."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from connectory.errors import StorageError, TypeConversionError
from connectory.types.describing import describe_value
from connectory.types.tables.libraries import TableLibrary
from connectory.types.tables.source import TableSource

__all__ = ["CSV", "FORMATS", "PARQUET", "file_name", "iterate", "read", "write"]

PARQUET: Final = "parquet"
CSV: Final = "csv"
FORMATS: Final = (PARQUET, CSV)

_NAMES: Final = {PARQUET: "00000", CSV: ".csv"}  # where Flyte's SDK looks for it in the table's folder


def file_name(format: str) -> str:
    """What the only part of a new table is called; a format that is not known is a `TypeConversionError`."""
    if format in _NAMES:
        return _NAMES[format]
    raise TypeConversionError(f"tables are stored as {' or '.join(FORMATS)}, not as {format!r}")


def write(frame: Any, library: TableLibrary, format: str, path: Path) -> None:
    """Write a dataframe as one file."""
    try:
        if format == CSV:
            library.write_csv(frame, path)
        else:
            _parquet().write_table(library.to_arrow(frame), path)
    except Exception as error:  # what the libraries raise has no common root
        said = f"{describe_value(type(frame).__qualname__)} cannot be stored as {format}: {error}"
        raise TypeConversionError(said) from error


def read(source: TableSource, library: TableLibrary, format: str) -> Any:
    """The whole table as one dataframe."""
    if format != CSV:
        file_name(format)
        return _converted(library, _parquet().read_table(source))
    frames = list(_csv(source, library))
    if len(frames) == 1:
        return frames[0]
    tables = [library.to_arrow(frame) for frame in frames]
    return _converted(library, importlib.import_module("pyarrow").concat_tables(tables, promote_options="default"))


def iterate(source: TableSource, library: TableLibrary, format: str) -> Iterator[Any]:
    """The table in parts; one is in memory at a time."""
    file_name(format)
    if format == CSV:
        return _csv(source, library)
    return (_converted(library, table) for table in _parquet().read_batches(source))


def _csv(source: TableSource, library: TableLibrary) -> Iterator[Any]:
    for part in source.parts():
        try:
            yield library.read_csv(source.path(part), source.columns)
        except (StorageError, TypeConversionError):
            raise
        except Exception as error:  # what the libraries raise has no common root
            raise TypeConversionError(f"{part.url} cannot be read as CSV: {error}") from error


def _converted(library: TableLibrary, table: Any) -> Any:
    try:
        return library.from_arrow(table)
    except Exception as error:  # what the libraries raise has no common root
        raise TypeConversionError(f"the table cannot be a {library.frame.__qualname__}: {error}") from error


def _parquet() -> Any:
    return importlib.import_module("connectory.types.tables.parquet")
