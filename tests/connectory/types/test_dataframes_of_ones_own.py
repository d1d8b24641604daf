"""Encoders and decoders for dataframes, as they are written for Flyte's SDK."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pytest

from connectory import kwtypes, task, workflow
from connectory.errors import TypeConversionError
from connectory.types import ConversionContext, StructuredDataset
from connectory.types import models as literals
from connectory.types.engine import TypeEngine
from connectory.types.structured import (
    DuplicateHandlerError,
    StructuredDatasetDecoder,
    StructuredDatasetEncoder,
    StructuredDatasetTransformerEngine,
)
from connectory.types.tables.handlers import process_handlers
from tests.flytekit_peer.client import INSTALLED, PYTHON, environment


class Rows:
    """A dataframe of one's own: a list of dicts."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows


class ToLines(StructuredDatasetEncoder[Rows]):
    def __init__(self, protocol: str | None = None, supported_format: str | None = "lines") -> None:
        super().__init__(Rows, protocol, supported_format)
        self.asked: list[Any] = []

    def encode(self, ctx: Any, structured_dataset: Any, structured_dataset_type: Any) -> Any:
        self.asked.append(structured_dataset_type)
        uri = structured_dataset.uri or ctx.file_access.get_random_remote_directory()
        path = ctx.file_access.get_random_local_path("rows")
        Path(path).write_text("\n".join(json.dumps(row) for row in structured_dataset.dataframe.rows))
        ctx.file_access.put_data(path, f"{uri}/rows.jsonl")
        return literals.StructuredDataset(uri=uri)


class FromLines(StructuredDatasetDecoder[Rows]):
    def __init__(self, protocol: str | None = None, supported_format: str | None = "lines") -> None:
        super().__init__(Rows, protocol, supported_format)

    def decode(self, ctx: Any, flyte_value: Any, current_task_metadata: Any) -> Rows:
        path = ctx.file_access.get_random_local_path("rows")
        ctx.file_access.get_data(f"{flyte_value.uri}/rows.jsonl", path)
        rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
        wanted = [column.name for column in current_task_metadata.structured_dataset_type.columns]
        return Rows([{name: row[name] for name in wanted or row} for row in rows])


class InParts(FromLines):
    def decode(self, ctx: Any, flyte_value: Any, current_task_metadata: Any) -> Any:
        return self._parts(super().decode(ctx, flyte_value, current_task_metadata))

    @staticmethod
    def _parts(whole: Rows) -> Iterator[Rows]:
        for row in whole.rows:
            yield Rows([row])


ROOT = Path(__file__).resolve().parents[3]
ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
engine = StructuredDatasetTransformerEngine


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test begins without any handler."""
    process_handlers.cache_clear()
    yield
    process_handlers.cache_clear()


@pytest.fixture
def ctx(tmp_path: Path) -> ConversionContext:
    return ConversionContext(raw_output_prefix=f"memory://own/{tmp_path.name}", working_dir=tmp_path)


def written(value: Any, annotation: Any, ctx: ConversionContext) -> Any:
    return TypeEngine.to_literal(ctx, value, annotation).scalar.structured_dataset


def read(table: Any, annotation: Any, ctx: ConversionContext) -> Any:
    literal = literals.Literal(scalar=literals.Scalar(structured_dataset=table))
    return TypeEngine.to_python_value(ctx, literal, annotation)


def test_a_class_with_handlers_is_a_dataframe(ctx: ConversionContext) -> None:
    engine.register(ToLines())
    engine.register(FromLines())
    table = written(Rows(ROWS), Rows, ctx)
    assert table.uri.startswith(ctx.raw_output_prefix)
    assert table.metadata.structured_dataset_type.format == "lines"
    assert read(table, Rows, ctx).rows == ROWS
    assert read(table, Annotated[Rows, kwtypes(b=str)], ctx).rows == [{"b": "x"}, {"b": "y"}]
    assert TypeEngine.to_literal_type(Rows) == TypeEngine.to_literal_type(StructuredDataset)


def test_a_dataset_opens_as_such_a_dataframe(ctx: ConversionContext) -> None:
    engine.register(ToLines())
    engine.register(FromLines())
    table = written(StructuredDataset(dataframe=Rows(ROWS), uri="memory://own/here"), StructuredDataset, ctx)
    assert table.uri == "memory://own/here"
    dataset = read(table, Annotated[StructuredDataset, kwtypes(a=int)], ctx)
    assert dataset.literal.uri == "memory://own/here"
    assert dataset.open(Rows).all().rows == [{"a": 1}, {"a": 2}]
    assert [part.rows for part in dataset.open(Rows).iter()] == [[{"a": 1}, {"a": 2}]]
    assert StructuredDataset(uri=table.uri, file_format="lines").open(Rows).all().rows == ROWS
    again = written(dataset, StructuredDataset, ctx)
    assert (again.uri, again.metadata.structured_dataset_type.format) == (table.uri, "lines")


def test_a_decoder_may_give_parts(ctx: ConversionContext) -> None:
    engine.register(ToLines())
    engine.register(InParts())
    dataset = read(written(Rows(ROWS), Rows, ctx), StructuredDataset, ctx)
    assert [part.rows for part in dataset.open(Rows).iter()] == [[row] for row in ROWS]
    with pytest.raises(TypeConversionError, match=r"in parts; ask for them with iter\(\)"):
        dataset.open(Rows).all()


def test_tasks_hand_each_other_such_dataframes() -> None:
    engine.register(ToLines())
    engine.register(FromLines())

    @dataclass
    class Report:
        name: str
        table: StructuredDataset

    @task
    def make() -> Rows:
        return Rows(ROWS)

    @task
    def report(rows: Rows) -> Report:
        return Report("all", StructuredDataset(dataframe=rows))

    @task
    def count(report: Report) -> int:
        return len(report.table.open(Rows).all().rows)

    @workflow
    def both() -> int:
        return count(report=report(rows=make()))

    assert both() == 2


def test_a_handler_of_pandas_replaces_the_built_in_one_where_it_says_so(ctx: ConversionContext) -> None:
    class Pickled(StructuredDatasetEncoder[pd.DataFrame]):
        def encode(self, ctx: Any, structured_dataset: Any, structured_dataset_type: Any) -> Any:
            structured_dataset_type.format = "somewhere"
            described = literals.StructuredDatasetMetadata(structured_dataset_type)
            return literals.StructuredDataset(uri="bq://project.table", metadata=described)

    frame = pd.DataFrame({"a": [1]})
    engine.register(Pickled(pd.DataFrame, "bq", ""))
    assert written(frame, pd.DataFrame, ctx).metadata.structured_dataset_type.format == "parquet"
    there = written(StructuredDataset(frame, uri="bq://project.table"), StructuredDataset, ctx)
    assert (there.uri, there.metadata.structured_dataset_type.format) == ("bq://project.table", "")
    with pytest.raises(DuplicateHandlerError, match="DataFrame as '' with bq has a handler already"):
        engine.register(Pickled(pd.DataFrame, "bq://", ""))
    engine.register(Pickled(pd.DataFrame, "bq", ""), override=True, default_for_type=True)
    assert written(frame, pd.DataFrame, ctx).uri == "bq://project.table"


def test_a_handler_for_every_store_gives_way_to_the_built_in_one(
    ctx: ConversionContext, caplog: pytest.LogCaptureFixture
) -> None:
    class Own(StructuredDatasetEncoder[pd.DataFrame]):
        def encode(self, ctx: Any, structured_dataset: Any, structured_dataset_type: Any) -> Any:
            return literals.StructuredDataset(uri="memory://own/elsewhere")

    frame = pd.DataFrame({"a": [1]})
    engine.register(Own(pd.DataFrame, None, "parquet"))
    assert "override=True" in caplog.text
    assert written(frame, pd.DataFrame, ctx).uri != "memory://own/elsewhere"
    engine.register(Own(pd.DataFrame, None, "parquet"), override=True)
    assert written(frame, pd.DataFrame, ctx).uri == "memory://own/elsewhere"


def test_what_handlers_do_wrong_is_said(ctx: ConversionContext) -> None:
    class Failing(FromLines):
        def decode(self, ctx: Any, flyte_value: Any, current_task_metadata: Any) -> Rows:
            raise KeyError("b")

    class Silent(ToLines):
        def encode(self, ctx: Any, structured_dataset: Any, structured_dataset_type: Any) -> Any:
            return None

    engine.register(Silent("s3"))
    with pytest.raises(TypeConversionError, match="no handler of Rows takes format '' with memory"):
        written(Rows(ROWS), Rows, ctx)
    engine.register(Silent())
    engine.register(Failing())
    with pytest.raises(TypeConversionError, match=r"Silent\.encode must answer a StructuredDataset"):
        written(Rows(ROWS), Rows, ctx)
    with pytest.raises(TypeConversionError, match="the table at memory://own/x cannot be read: KeyError: 'b'"):
        StructuredDataset(uri="memory://own/x", file_format="lines").open(Rows).all()
    with pytest.raises(ValueError, match="None, not ''"):
        engine.register(ToLines(""))
    with pytest.raises(ValueError, match="no store to be the default"):
        engine.register(ToLines(), default_for_type=True)
    with pytest.raises(TypeError, match="expected a StructuredDatasetEncoder"):
        engine.register(Rows([]))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no handler was registered"):
        engine.get_decoder(pd.DataFrame, "s3", "parquet")
    assert isinstance(engine.get_encoder(Rows, "s3", "lines"), Silent)


def test_a_renderer_shows_dataframes(ctx: ConversionContext) -> None:
    class Table:
        def to_html(self, df: Any) -> str:
            return f"<b>{len(df.rows)} rows</b>"

    engine.register(ToLines())
    engine.register_renderer(Rows, Table())
    assert TypeEngine.to_html(ctx, Rows(ROWS), Rows) == "<b>2 rows</b>"
    assert TypeEngine.to_html(ctx, StructuredDataset(Rows(ROWS)), StructuredDataset) == "<b>2 rows</b>"


def answers(python: str | Path, sdk: str) -> Any:
    program = [str(python), "-W", "ignore", "-m", "tests.flytekit_peer.table_handlers", sdk]
    done = subprocess.run(program, cwd=ROOT, env=environment(), check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.skipif(not INSTALLED, reason="flytekit is not installed beside: make env-dev")
def test_the_same_handler_is_found_as_in_flytekit() -> None:
    ours, theirs = answers(sys.executable, "connectory"), answers(PYTHON, "flytekit")
    assert len(ours) > 500
    assert ours == theirs
