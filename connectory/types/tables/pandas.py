"""pandas dataframes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from connectory.types.frames import FrameTransformer
from connectory.types.tables.libraries import TableLibrary

__all__ = ["LIBRARY", "TRANSFORMERS"]


class PandasLibrary(TableLibrary):
    """`pandas.DataFrame`."""

    frame = pd.DataFrame

    def to_arrow(self, frame: Any) -> pa.Table:
        return pa.Table.from_pandas(frame)

    def from_arrow(self, table: pa.Table) -> Any:
        return table.to_pandas()

    def write_csv(self, frame: Any, path: Path) -> None:
        frame.to_csv(path, index=False)

    def read_csv(self, path: Path, columns: Sequence[str]) -> Any:
        frame = pd.read_csv(path, usecols=list(columns) or None)
        return frame[list(columns)] if columns else frame


class PandasTransformer(FrameTransformer):
    """`pandas.DataFrame` as a table."""

    annotations = (pd.DataFrame,)


LIBRARY: Final = PandasLibrary()
TRANSFORMERS: Final = (PandasTransformer,)
