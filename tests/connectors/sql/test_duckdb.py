"""DuckDB reads the task's own files."""

from pathlib import Path
from typing import Any

import pytest

from connectory.connector.contract import Phase
from connectory.errors import InvalidTaskError
from connectory.types import Directory, File, StructuredDataset
from tests.connectors.sql.conftest import Queries


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "it's; data.csv"
    path.write_text("id,name\n1,a\n2,b\n3,c\n")
    return path


def test_a_file_or_data_set_stands_for_a_table(queries: Queries, csv: Path, tmp_path: Path) -> None:
    data = {"data": (File, File(csv))}
    count = "SELECT count(*) AS c FROM {{ .inputs.data }}"
    assert queries.values(count, {"c": int}, inputs=data) == {"c": 3}

    stored = queries.values("SELECT * FROM {{ .inputs.data }}", {"table": StructuredDataset}, inputs=data)["table"]
    assert queries.values(count, {"c": int}, inputs={"data": (StructuredDataset, stored)}) == {"c": 3}

    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"id": 1}\n{"id": 2}\n')
    joined = "SELECT count(*) AS c FROM {{ .inputs.data }} a JOIN {{ .inputs.lines }} b ON a.id = b.id"
    assert queries.values(joined, {"c": int}, inputs={**data, "lines": (File, File(lines))}) == {"c": 2}


def test_a_reader_may_be_named_with_its_options(queries: Queries, csv: Path) -> None:
    query = "SELECT count(*) AS c FROM read_csv({{ .inputs.data }}, header = false)"

    assert queries.values(query, {"c": int}, inputs={"data": (File, File(csv))}) == {"c": 4}


def test_a_folder_is_all_its_files_and_remote_ones_are_fetched(queries: Queries, csv: Path) -> None:
    storage = queries.context("x").storage
    for name in ("a.csv", "sub/b.csv"):
        storage.write(f"memory://duckdb-inputs/table/{name}", csv.read_bytes())
    count = "SELECT count(*) AS c FROM {{ .inputs.data }}"

    file = {"data": (File, File("memory://duckdb-inputs/table/a.csv"))}
    folder = {"data": (StructuredDataset, StructuredDataset("memory://duckdb-inputs/table", "csv"))}
    assert queries.values(count, {"c": int}, inputs=file) == {"c": 3}
    assert queries.values(count, {"c": int}, inputs=folder) == {"c": 6}


def test_a_format_that_nobody_reads_is_named(queries: Queries, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"")
    inputs: Any
    for inputs in ({"data": (File, File(tmp_path / "x.bin"))}, {"data": (Directory, Directory(tmp_path))}):
        with pytest.raises(InvalidTaskError, match="cannot be read as a table; known are csv"):
            queries.create("SELECT * FROM {{ .inputs.data }}", inputs=inputs)


def test_a_database_file_may_come_from_an_input(queries: Queries, tmp_path: Path) -> None:
    uri = "duckdb:///{{ .inputs.path }}"
    inputs = {"path": (str, str(tmp_path / "new.db").lstrip("/"))}
    made = queries.run("CREATE TABLE t AS SELECT 7 AS x", uri=uri, inputs=inputs, read_only=False)
    assert made.phase == Phase.SUCCEEDED, made.message

    assert queries.values("SELECT x FROM t", {"x": int}, uri=uri, inputs=inputs) == {"x": 7}
    missing = queries.run("SELECT 1", uri=f"duckdb://{tmp_path}/missing.db")
    assert missing.phase == Phase.FAILED


def test_nothing_but_the_result_is_left_behind(queries: Queries, csv: Path) -> None:
    queries.values("SELECT * FROM {{ .inputs.data }}", {"t": StructuredDataset}, inputs={"data": (File, File(csv))})

    left = sorted(path.name for path in Path(queries.output_prefix).rglob("*") if path.is_file())
    assert left == ["_SUCCESS.json", "data.parquet"]
