"""Arrow's own tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv

from connectory.types.frames import FrameTransformer
from connectory.types.tables.libraries import TableLibrary

__all__ = ["LIBRARY", "TRANSFORMERS"]


class ArrowLibrary(TableLibrary):
    """`pyarrow.Table`."""

    frame = pa.Table

    def to_arrow(self, frame: Any) -> pa.Table:
        return frame

    def from_arrow(self, table: pa.Table) -> Any:
        return table

    def write_csv(self, frame: Any, path: Path) -> None:
        pa.csv.write_csv(frame, path)

    def read_csv(self, path: Path, columns: Sequence[str]) -> Any:
        return pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(include_columns=list(columns)))


class ArrowTransformer(FrameTransformer):
    """`pyarrow.Table` as a table."""

    annotations = (pa.Table,)


LIBRARY: Final = ArrowLibrary()
TRANSFORMERS: Final = (ArrowTransformer,)
