"""Parquet through Arrow: written to a file, read from anywhere, and only the columns that are wanted.

What is read whole from elsewhere goes through a file that is mapped into memory; of what is read in part, only these
bytes are transferred.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectory.errors import TypeConversionError
from connectory.storage import ObjectInfo, is_local, local_path
from connectory.types.tables.ranged import RangedFile
from connectory.types.tables.source import TableSource

__all__ = ["read_batches", "read_table", "write_table"]


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as one file."""
    pq.write_table(table, path)


def read_table(source: TableSource) -> pa.Table:
    """The whole table."""
    tables = []
    opened = _opened if source.columns else _fetched
    for part in source.parts():
        with opened(part, source) as file:
            tables.append(file.read(columns=_leaves(file, source)))
    table = tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="default")
    return table.select(_top(source.columns)) if source.columns else table


def read_batches(source: TableSource) -> Iterator[pa.Table]:
    """The table in parts, as they were written; one is in memory at a time."""
    for part in source.parts():
        with _opened(part, source) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=_leaves(file, source))
                yield table.select(_top(source.columns)) if source.columns else table


@contextmanager
def _fetched(part: ObjectInfo, source: TableSource) -> Iterator[pq.ParquetFile]:
    path = source.path(part)
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            yield file
    except pa.ArrowException as error:
        raise _unreadable(part, error) from error
    finally:
        if not is_local(part.url):
            path.unlink()


@contextmanager
def _opened(part: ObjectInfo, source: TableSource) -> Iterator[pq.ParquetFile]:
    try:
        if is_local(part.url):
            with pq.ParquetFile(local_path(part.url), memory_map=True) as file:
                yield file
        else:
            with RangedFile(source.ctx.storage, part) as remote, pq.ParquetFile(remote, pre_buffer=True) as file:
                yield file
    except pa.ArrowException as error:
        raise _unreadable(part, error) from error


def _unreadable(part: ObjectInfo, error: pa.ArrowException) -> TypeConversionError:
    return TypeConversionError(f"{part.url} cannot be read as Parquet: {error}")


def _leaves(file: pq.ParquetFile, source: TableSource) -> Sequence[str] | None:
    if not source.columns:
        return None
    known = {*file.schema_arrow.names, *(file.schema.column(index).path for index in range(len(file.schema.names)))}
    missing = [name for name in source.columns if name not in known]
    if missing:
        known_names = ", ".join(file.schema_arrow.names)
        raise TypeConversionError(
            f"the table at {source.uri} has no column {', '.join(missing)} (it has {known_names})"
        )
    return list(source.columns)


def _top(columns: Sequence[str]) -> list[str]:
    """Names of whole columns: `a.b` is a part of the column `a`."""
    return list(dict.fromkeys(name.partition(".")[0] for name in columns))
