"""polars dataframes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa

from connectory.types.frames import FrameTransformer
from connectory.types.tables.libraries import TableLibrary

__all__ = ["LIBRARY", "TRANSFORMERS"]


class PolarsLibrary(TableLibrary):
    """`polars.DataFrame`."""

    frame = pl.DataFrame

    def to_arrow(self, frame: Any) -> pa.Table:
        return frame.to_arrow()

    def from_arrow(self, table: pa.Table) -> Any:
        return pl.from_arrow(table)

    def write_csv(self, frame: Any, path: Path) -> None:
        frame.write_csv(path)

    def read_csv(self, path: Path, columns: Sequence[str]) -> Any:
        frame = pl.read_csv(path, columns=list(columns) or None)
        return frame.select(columns) if columns else frame


class PolarsTransformer(FrameTransformer):
    """`polars.DataFrame` as a table."""

    annotations = (pl.DataFrame,)


LIBRARY: Final = PolarsLibrary()
TRANSFORMERS: Final = (PolarsTransformer,)
