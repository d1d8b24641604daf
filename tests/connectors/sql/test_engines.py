"""The same queries on every kind of database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from connectory.connector.contract import Phase
from connectory.errors import InvalidTaskError
from connectory.types import StructuredDataset
from tests.connectors.sql.conftest import Queries

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT count(*) AS c FROM n"


@pytest.fixture(params=["sqlite", "duckdb", "postgresql"])
def database(request: pytest.FixtureRequest, queries: Queries, tmp_path: Path) -> Queries:
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        queries.uri = server.uri_without_password
        queries.secrets = {"pg": server.password}
        server.query("DROP TABLE IF EXISTS sales; CREATE TABLE sales (id int, shop text, amount float8)")
    else:
        queries.uri = f"{request.param}://{tmp_path}/data.db"
        run(queries, "CREATE TABLE sales (id int, shop text, amount double)", read_only=False)
    run(queries, "INSERT INTO sales VALUES (1, 'north', 10.5), (2, 'south', 4.0), (3, 'north', 1.5)", read_only=False)
    return queries


def options(database: Queries, extra: dict[str, Any]) -> dict[str, Any]:
    return {"password_secret": "pg", **extra} if database.uri.startswith("postgresql") else extra


def run(database: Queries, query: str, **extra: Any) -> None:
    resource = database.run(query, **options(database, extra))
    assert resource.phase == Phase.SUCCEEDED, resource.message


def values(database: Queries, query: str, outputs: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return database.values(query, outputs, **options(database, extra))


def test_inputs_are_bound_whatever_they_hold(database: Queries) -> None:
    nasty = "north'; DROP TABLE sales; --"
    query = "SELECT count(*) AS c FROM sales WHERE shop = {{ .inputs.shop }} AND amount >= {{ .inputs.least }}"

    assert values(database, query, {"c": int}, inputs={"shop": (str, nasty), "least": (float, 0.0)}) == {"c": 0}
    assert values(database, query, {"c": int}, inputs={"shop": (str, "north"), "least": (float, 1.0)}) == {"c": 2}


def test_every_type_comes_back_as_it_went(database: Queries) -> None:
    moment = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    cast = "" if database.uri.startswith("sqlite") else "::timestamptz"
    query = (
        "SELECT {{ .inputs.i }} AS i, {{ .inputs.f }} AS f, {{ .inputs.s }} AS s, {{ .inputs.b }} AS b, "
        f"{{{{ .inputs.m }}}}{cast} AS m, {{{{ .inputs.z }}}} AS z"
    )
    moments: Any = str if not cast else datetime
    got = values(
        database,
        query,
        {"i": int, "f": float, "s": str, "b": bytes, "m": moments, "z": str | None},
        inputs={
            "i": (int, 2**40),
            "f": (float, 0.1),
            "s": (str, "\u20ac \u0000x".replace("\0", "")),
            "b": (bytes, b"\x00\xff"),
            "m": (datetime, moment),
            "z": (str | None, None),
        },
    )

    expected_moment = moment if cast else "2026-03-01 12:30:15.123456"
    assert got == {"i": 2**40, "f": 0.1, "s": "\u20ac x", "b": b"\x00\xff", "m": expected_moment, "z": None}


def test_a_list_after_in_matches_each_of_its_items(database: Queries) -> None:
    query = "SELECT count(*) AS c FROM sales WHERE id IN {{ .inputs.ids }}"

    assert values(database, query, {"c": int}, inputs={"ids": (list[int], [1, 3, 7])}) == {"c": 2}


def test_rows_become_the_declared_values(database: Queries) -> None:
    by_shop = "SELECT shop, count(*) AS sales, sum(amount) AS total FROM sales GROUP BY shop ORDER BY shop"
    rows = [{"shop": "north", "sales": 2, "total": 12.0}, {"shop": "south", "sales": 1, "total": 4.0}]

    assert values(database, by_shop, {"rows": list[dict]}) == {"rows": rows}
    assert values(database, f"{by_shop} LIMIT 1", {"row": dict}) == {"row": rows[0]}
    assert values(database, "SELECT shop FROM sales ORDER BY id", {"shops": list[str]}) == {
        "shops": ["north", "south", "north"]
    }
    assert values(database, f"{by_shop} LIMIT 1", {"shop": str, "total": float}) == {"shop": "north", "total": 12.0}
    assert values(database, "SELECT avg(id) FROM sales", {"mean": float}) == {"mean": 2.0}


def test_a_result_that_does_not_fit_is_a_clear_failure(database: Queries) -> None:
    cases: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
        ("SELECT * FROM sales", {"row": dict}, {}, "must have one row, it has 3"),
        ("SELECT id, shop FROM sales WHERE id = 1", {"x": int}, {}, "takes one column, the result has 2: id, shop"),
        ("SELECT * FROM sales", {"rows": list[dict]}, {"max_rows": 2}, "more than 2 rows"),
        ("SELECT id FROM sales WHERE id = 1", {"id": int, "name": str}, {}, "no column is called 'name'"),
        ("SELECT shop FROM sales WHERE id = 1", {"x": int}, {}, "x: "),
    ]
    for query, outputs, extra, problem in cases:
        resource = database.run(query, outputs=outputs, **options(database, extra))
        assert resource.phase == Phase.FAILED
        assert problem in resource.message


def test_a_data_set_is_a_parquet_file_at_the_output_prefix(database: Queries) -> None:
    query = NUMBERS.format(200_000) + "SELECT i, i * 0.5 AS half, 'row ' || i AS name FROM n"
    got = values(database, query, {"data": StructuredDataset, "row_count": int})

    assert got["row_count"] == 200_000
    assert got["data"].uri.startswith(database.output_prefix + "/sql-")
    table = pq.read_table(got["data"].uri)
    assert table.num_rows == 200_000
    assert table.slice(199_999).to_pylist() == [{"i": 200_000, "half": 100_000.0, "name": "row 200000"}]
    assert (Path(got["data"].uri).parent / "_SUCCESS.json").exists()


def test_an_empty_data_set_has_its_columns(database: Queries) -> None:
    got = values(database, "SELECT id, shop FROM sales WHERE id > 9", {"data": StructuredDataset})

    table = pq.read_table(got["data"].uri)
    assert (table.num_rows, table.column_names) == (0, ["id", "shop"])


def test_wrong_sql_fails_with_the_databases_own_words(database: Queries) -> None:
    wrong = database.run("SELEC 1", **options(database, {}))
    missing = database.run("SELECT * FROM no_such_table", **options(database, {}))
    several = database.run("SELECT 1; SELECT 2", **options(database, {}))

    assert [resource.phase for resource in (wrong, missing, several)] == [Phase.FAILED] * 3
    assert "syntax error" in wrong.message
    assert "SELEC" in wrong.message
    assert "no_such_table" in missing.message
    assert missing.error is not None
    assert missing.error.kind == "user"
    with pytest.raises(InvalidTaskError, match="nope"):
        database.create("SELECT {{ .inputs.nope }}", **options(database, {}))


def test_a_task_reads_only_unless_it_says_otherwise(database: Queries) -> None:
    resource = database.run("INSERT INTO sales VALUES (4, 'west', 1.0)", **options(database, {}))

    assert resource.phase == Phase.FAILED
    assert "read_only = false" in resource.message
    assert values(database, "SELECT count(*) AS c FROM sales", {"c": int}) == {"c": 3}


def test_set_up_statements_run_in_the_same_transaction(database: Queries) -> None:
    setup = ["CREATE TABLE extra AS SELECT {{ .inputs.shop }} AS shop", "SELECT 1"]
    failing = database.run(
        "SELECT no_such_column FROM extra",
        setup=setup,
        read_only=False,
        inputs={"shop": (str, "x")},
        **options(database, {}),
    )
    assert failing.phase == Phase.FAILED

    got = values(
        database, "SELECT shop FROM extra", {"shop": str}, setup=setup, read_only=False, inputs={"shop": (str, "x")}
    )
    assert got == {"shop": "x"}
    run(database, "DROP TABLE extra", read_only=False)


def test_delete_ends_the_statement(database: Queries) -> None:
    job = database.create(ENDLESS, **options(database, {}))
    while database.get(job).phase != Phase.RUNNING:
        continue
    database.delete(job)

    assert database.get(job).phase == Phase.ABORTED
    database.delete(job)


def test_the_time_limit_ends_the_statement(database: Queries) -> None:
    resource = database.run(ENDLESS, **options(database, {"time_limit_seconds": 0.3}))

    assert (resource.phase, resource.message) == (Phase.FAILED, "cancelled after its time limit of 0.3 s")


def test_one_key_is_one_job(database: Queries) -> None:
    query = "INSERT INTO sales VALUES (5, 'east', 1.0)"
    context = database.context(query, key="same", **options(database, {"read_only": False}))
    first, again = database.connector.create(context), database.another_server().create(context)
    database.wait(first)

    assert first == again
    assert database.connector.find("same", context) == first
    assert database.connector.find("other", context) is None
    assert values(database, "SELECT count(*) AS c FROM sales WHERE id = 5", {"c": int}) == {"c": 1}


def test_an_unknown_job_can_be_deleted(database: Queries) -> None:
    job = database.create("SELECT 1", **options(database, {}))
    database.wait(job)
    (database.folder / f"{job.job_id}.json").unlink()

    database.delete(job)


def test_lengths_of_time_are_bound(database: Queries) -> None:
    """SQLite has none: there they are seconds."""
    span = timedelta(days=1, hours=3)
    twice: Any = 2 * span.total_seconds() if database.uri.startswith("sqlite") else 2 * span
    query = "SELECT {{ .inputs.span }} + {{ .inputs.span }} AS twice"

    assert values(database, query, {"twice": type(twice)}, inputs={"span": (timedelta, span)}) == {"twice": twice}
