"""Dataframes and datasets: stored where the context says, read in the parts that are asked for."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectory import kwtypes, task, workflow
from connectory.errors import TypeConversionError
from connectory.storage import Storage
from connectory.types import ConversionContext, StructuredDataset, default_types
from connectory.v1 import literals_pb2, types_pb2

TYPES = default_types()
Two = Annotated[StructuredDataset, kwtypes(c=str, a=int)]


class CountingStorage(Storage):
    """A storage that knows how much was read from it."""

    def __init__(self) -> None:
        super().__init__()
        self.transferred = 0

    def read_range(self, url: str, start: int, length: int) -> bytes:
        data = super().read_range(url, start, length)
        self.transferred += len(data)
        return data

    def read(self, url: str) -> bytes:
        raise AssertionError("nothing is read whole")

    def download(self, url: str, path: str | Path) -> Path:
        raise AssertionError("nothing is downloaded")


@pytest.fixture(params=["local", "memory"])
def ctx(request: pytest.FixtureRequest, tmp_path: Path) -> ConversionContext:
    prefix = "" if request.param == "local" else f"memory://tables/{tmp_path.name}"
    return ConversionContext(raw_output_prefix=prefix, working_dir=tmp_path)


def written(value: Any, annotation: Any, ctx: ConversionContext) -> literals_pb2.Literal:
    declared = TYPES.literal_type(annotation)
    literal = TYPES.to_literal(value, declared, ctx, annotation=annotation)
    TYPES.check(literal, declared)
    return literal


COLUMNS = {"a": [1, 2, 3], "b": [0.5, None, 1.5], "c": ["x", "y", None]}
FRAMES: list[tuple[type[Any], Callable[[], Any], Callable[[Any], Any]]] = [
    (pd.DataFrame, lambda: pd.DataFrame(COLUMNS), pa.Table.from_pandas),
    (pl.DataFrame, lambda: pl.DataFrame(COLUMNS), lambda frame: frame.to_arrow()),
    (pa.Table, lambda: pa.table(COLUMNS), lambda frame: frame),
]


def values(frame: Any) -> dict[str, list[Any]]:
    """A frame of any library as lists."""
    to_arrow = next(to_arrow for kind, _, to_arrow in FRAMES if isinstance(frame, kind))
    return to_arrow(frame).to_pydict()


@pytest.mark.parametrize(("kind", "make"), [(kind, make) for kind, make, _ in FRAMES], ids=str)
def test_every_library_reads_what_every_other_writes(
    kind: type[Any], make: Callable[[], Any], ctx: ConversionContext
) -> None:
    literal = written(make(), kind, ctx)
    assert literal.scalar.structured_dataset.uri.startswith(ctx.raw_output_prefix)
    assert literal.scalar.structured_dataset.metadata.structured_dataset_type.format == "parquet"
    for other, _, _ in FRAMES:
        result = TYPES.to_python(literal, other, ctx)
        assert isinstance(result, other)
        assert values(result) == COLUMNS


@pytest.mark.parametrize(("kind", "make"), [(kind, make) for kind, make, _ in FRAMES], ids=str)
def test_csv(kind: type[Any], make: Callable[[], Any], ctx: ConversionContext) -> None:
    annotation = Annotated[kind, "csv"]
    literal = written(make(), annotation, ctx)
    assert literal.scalar.structured_dataset.metadata.structured_dataset_type.format == "csv"
    assert values(TYPES.to_python(literal, annotation, ctx))["a"] == [1, 2, 3]
    some = TYPES.to_python(literal, Annotated[kind, kwtypes(c=str, a=int)], ctx)
    assert list(values(some)) == ["c", "a"]
    dataset = TYPES.to_python(literal, StructuredDataset, ctx)
    assert [values(part)["a"] for part in dataset.open(kind).iter()] == [[1, 2, 3]]


def test_a_dataset_is_read_when_it_is_asked(ctx: ConversionContext) -> None:
    literal = written(StructuredDataset(dataframe=pd.DataFrame(COLUMNS)), StructuredDataset, ctx)
    dataset = TYPES.to_python(literal, StructuredDataset, ctx)
    assert dataset.open(pl.DataFrame).all()["a"].to_list() == [1, 2, 3]
    assert list(dataset.open(pd.DataFrame).all().columns) == ["a", "b", "c"]
    again = TYPES.to_literal(dataset, TYPES.literal_type(StructuredDataset), ctx, annotation=StructuredDataset)
    assert again.scalar.structured_dataset.uri == literal.scalar.structured_dataset.uri


def test_only_the_columns_of_the_annotation_are_read_and_in_its_order(ctx: ConversionContext) -> None:
    literal = written(pd.DataFrame(COLUMNS), pd.DataFrame, ctx)
    assert list(TYPES.to_python(literal, Two, ctx).open(pd.DataFrame).all().columns) == ["c", "a"]
    assert TYPES.to_python(literal, Annotated[pl.DataFrame, kwtypes(b=float)], ctx).columns == ["b"]


def test_columns_of_the_literal_count_where_the_annotation_has_none(ctx: ConversionContext) -> None:
    literal = written(pd.DataFrame(COLUMNS), Annotated[pd.DataFrame, kwtypes(b=float)], ctx)
    assert list(TYPES.to_python(literal, pd.DataFrame, ctx).columns) == ["b"]


def test_a_missing_column_is_named_with_those_that_exist(ctx: ConversionContext) -> None:
    literal = written(pd.DataFrame(COLUMNS), pd.DataFrame, ctx)
    with pytest.raises(TypeConversionError, match=r"has no column z \(it has a, b, c\)"):
        TYPES.to_python(literal, Annotated[pd.DataFrame, kwtypes(z=int)], ctx)


def test_only_the_bytes_of_the_wanted_columns_are_transferred(tmp_path: Path) -> None:
    storage = CountingStorage()
    ctx = ConversionContext(storage=storage, raw_output_prefix="memory://tables/ranges", working_dir=tmp_path)
    random = np.random.default_rng(7)
    frame = pd.DataFrame({f"c{index}": random.random(20_000) for index in range(20)})
    literal = written(frame, pd.DataFrame, ctx)
    size = sum(info.size for info in storage.list(literal.scalar.structured_dataset.uri))
    one = TYPES.to_python(literal, Annotated[pd.DataFrame, kwtypes(c3=float)], ctx)
    pd.testing.assert_frame_equal(one, frame[["c3"]])
    assert storage.transferred < size / 10


def test_a_table_of_many_parts_is_read_whole_and_part_by_part(tmp_path: Path) -> None:
    for index in range(3):
        pq.write_table(pa.table({"a": [index, index + 10]}), tmp_path / f"part-{index}.parquet", row_group_size=1)
    (tmp_path / "_SUCCESS").touch()
    dataset = StructuredDataset(uri=str(tmp_path))
    assert dataset.open(pa.Table).all()["a"].to_pylist() == [0, 10, 1, 11, 2, 12]
    assert [part["a"].to_list() for part in dataset.open(pl.DataFrame).iter()] == [[0], [10], [1], [11], [2], [12]]


def test_a_dataset_is_stored_where_it_says(tmp_path: Path) -> None:
    dataset = StructuredDataset(dataframe=pl.DataFrame({"a": [1]}), uri="memory://tables/here", file_format="csv")
    literal = written(dataset, StructuredDataset, ConversionContext(working_dir=tmp_path))
    assert literal.scalar.structured_dataset.uri == "memory://tables/here"
    assert StructuredDataset("memory://tables/here", "csv").open(pl.DataFrame).all()["a"].to_list() == [1]


def test_a_dataframe_is_opened_as_another_library_has_it() -> None:
    dataset = StructuredDataset(pd.DataFrame({"a": [1]}))
    assert dataset.open(pl.DataFrame).all()["a"].to_list() == [1]
    assert [list(part["a"]) for part in dataset.open(pd.DataFrame).iter()] == [[1]]


def test_a_dataframe_needs_no_annotation(ctx: ConversionContext) -> None:
    declared = types_pb2.LiteralType(structured_dataset_type=types_pb2.StructuredDatasetType())
    literal = TYPES.to_literal(pl.DataFrame({"a": [1]}), declared, ctx)
    assert TYPES.to_python(literal, pd.DataFrame, ctx)["a"].tolist() == [1]


def test_what_is_no_table_is_refused_in_words(ctx: ConversionContext) -> None:
    with pytest.raises(TypeConversionError, match=r"expected DataFrame, got a value of type polars\..*DataFrame"):
        written(pl.DataFrame({"a": [1]}), pd.DataFrame, ctx)
    with pytest.raises(TypeConversionError, match=r"int is no dataframe; there are pandas\.DataFrame"):
        StructuredDataset(uri="x").open(int)
    with pytest.raises(TypeConversionError, match="there is no table at memory://tables/none"):
        StructuredDataset(uri="memory://tables/none").open(pd.DataFrame).all()
    with pytest.raises(TypeConversionError, match="stored as parquet or csv, not as 'avro'"):
        written(pd.DataFrame(COLUMNS), Annotated[pd.DataFrame, "avro"], ctx)
    with pytest.raises(TypeConversionError, match="cannot be stored as parquet"):
        written(pd.DataFrame({"a": [1, "x", object()]}), pd.DataFrame, ctx)
    with pytest.raises(TypeConversionError, match=r"a column cannot be a complex"):
        TYPES.literal_type(Annotated[pd.DataFrame, kwtypes(a=complex)])
    with pytest.raises(TypeConversionError, match="one format, not 'csv' and 'parquet'"):
        TYPES.literal_type(Annotated[pd.DataFrame, "csv", "parquet"])


def test_an_object_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text("hello")
    with pytest.raises(TypeConversionError, match="cannot be read as Parquet"):
        StructuredDataset(uri=str(path)).open(pd.DataFrame).all()


def test_numpys_types_declare_columns() -> None:
    declared = TYPES.literal_type(Annotated[pd.DataFrame, kwtypes(a=np.int64, b=np.float32, c=np.datetime64)])
    simple = [column.literal_type.simple for column in declared.structured_dataset_type.columns]
    assert simple == [types_pb2.INTEGER, types_pb2.FLOAT, types_pb2.DATETIME]


def test_tasks_hand_each_other_tables() -> None:
    @task
    def make(rows: int) -> Annotated[pd.DataFrame, kwtypes(a=int, b=int)]:
        return pd.DataFrame({"a": range(rows), "b": [index * 2 for index in range(rows)]})

    @task
    def total(data: Annotated[StructuredDataset, kwtypes(b=int)]) -> int:
        frame = data.open(pl.DataFrame).all()
        assert frame.columns == ["b"]
        return int(frame["b"].sum())

    @workflow
    def both(rows: int) -> int:
        return total(data=make(rows=rows))

    assert both(rows=4) == 12


@pytest.mark.parametrize(
    ("kind", "to_frame"), [(pd.DataFrame, pd.DataFrame), (pl.DataFrame, pl.DataFrame), (pa.Table, pa.table)]
)
def test_a_hundred_megabytes_cross_without_becoming_objects_of_python(
    kind: type[Any], to_frame: Callable[[Any], Any], tmp_path: Path
) -> None:
    rows = 100 * 2**20 // 8 // 4
    frame = to_frame({f"c{index}": np.arange(rows, dtype="float64") + index for index in range(4)})
    ctx = ConversionContext(raw_output_prefix=(tmp_path / "store").as_uri(), working_dir=tmp_path / "work")
    written(to_frame({"a": [1.5]}), kind, ctx)  # what is loaded on first use is not counted
    tracemalloc.start()
    try:
        literal = written(frame, kind, ctx)
        back = TYPES.to_python(literal, kind, ctx)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(back) == rows
    assert most < 4 * 2**20
