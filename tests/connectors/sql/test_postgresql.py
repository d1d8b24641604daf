"""What only a server can show: passwords, sessions, types of its own."""

import dataclasses
import select

import pyarrow.parquet as pq
import pytest

from connectors.sql import SqlJob
from connectory.connector.contract import Phase
from connectory.errors import InvalidTaskError, UnavailableError
from connectory.types import StructuredDataset
from tests.connectors.sql.conftest import Queries
from tests.postgres import PostgresServer


@pytest.fixture
def database(queries: Queries, postgres_server: PostgresServer) -> Queries:
    queries.uri = postgres_server.socket_uri
    return queries


def sessions(server: PostgresServer, job: SqlJob) -> str:
    return server.query(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'connectory-sql-{job.job_id}'")


def await_session(server: PostgresServer, job: SqlJob) -> None:
    active = f"application_name = 'connectory-sql-{job.job_id}' AND query LIKE '%pg_sleep%' AND state = 'active'"
    while server.query(f"SELECT count(*) FROM pg_stat_activity WHERE {active}") == "0":
        select.select([], [], [], 0.02)


def test_delete_ends_the_statement_on_the_server(database: Queries, postgres_server: PostgresServer) -> None:
    job = database.create("SELECT pg_sleep(1000)")
    await_session(postgres_server, job)

    database.delete(job)

    assert sessions(postgres_server, job) == "0"
    assert database.get(job).phase == Phase.ABORTED


def test_a_password_is_a_secret_in_either_way(database: Queries, postgres_server: PostgresServer) -> None:
    database.secrets = {"pw": postgres_server.password, "wrong": "not-the-password"}
    inside = postgres_server.uri_without_password.replace("tester@", "tester:{{ .secrets.pw }}@")

    assert database.values("SELECT 1 AS x", {"x": int}, uri=inside) == {"x": 1}
    assert database.values(
        "SELECT 1 AS x", {"x": int}, uri=postgres_server.uri_without_password, password_secret="pw"
    ) == {"x": 1}

    refused = database.run("SELECT 1", uri=postgres_server.uri_without_password, password_secret="wrong")
    assert refused.phase == Phase.FAILED
    assert "password authentication failed" in refused.message
    assert "not-the-password" not in refused.message


def test_a_password_in_plain_text_is_refused(database: Queries, postgres_server: PostgresServer) -> None:
    for uri in (postgres_server.uri, f"{postgres_server.uri_without_password}?password=open-sesame"):
        with pytest.raises(InvalidTaskError, match="password as plain text") as refused:
            database.create("SELECT 1", uri=uri)
        assert postgres_server.password not in str(refused.value)


def test_no_secret_is_in_the_handle_or_on_the_disk(database: Queries, postgres_server: PostgresServer) -> None:
    database.secrets = {"pw": postgres_server.password}
    job = database.create("SELECT 1", uri=postgres_server.uri_without_password, password_secret="pw")
    database.wait(job)

    assert postgres_server.password not in repr(job)
    for path in (*database.folder.rglob("*"), *database.folder.parent.joinpath("outputs").rglob("*")):
        assert path.is_dir() or postgres_server.password.encode() not in path.read_bytes()


def test_a_server_that_is_not_there_may_be_there_later(database: Queries) -> None:
    resource = database.run("SELECT 1", uri="postgresql://tester@127.0.0.1:1/postgres")

    assert resource.phase == Phase.RETRYABLE_FAILED
    assert "refused" in resource.message
    assert resource.error is not None
    assert resource.error.kind == "system"


def test_types_of_the_server_become_what_others_can_read(database: Queries) -> None:
    query = (
        "SELECT 12.5::numeric AS n, '{\"a\": 1}'::jsonb AS j, 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'::uuid AS u, "
        "DATE '2026-01-02' AS d, NULL AS z, sum(i) AS s FROM generate_series(1::bigint, 3) i"
    )
    row = database.values(query, {"row": dict})["row"]
    data = database.values(query, {"data": StructuredDataset})["data"]

    assert row == {
        "n": 12.5,
        "j": '{"a": 1}',
        "u": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "d": "2026-01-02T00:00:00+00:00",
        "z": None,
        "s": 6,
    }
    [stored] = pq.read_table(data.uri).to_pylist()
    assert (stored["n"], stored["j"], stored["u"], stored["s"]) == (12.5, row["j"], row["u"], 6.0)

    interval = database.run("SELECT INTERVAL '1 month' AS span", outputs={"data": StructuredDataset})
    assert "column 'span' is an interval" in interval.message


def test_lists_and_returned_rows(database: Queries) -> None:
    got = database.values(
        "SELECT count(*) AS c FROM generate_series(1, 9) i WHERE i = ANY({{ .inputs.ids }})",
        {"c": int},
        inputs={"ids": (list[int], [2, 4, 99])},
    )
    assert got == {"c": 2}

    setup = ["CREATE TEMP TABLE t (id int)"]
    returned = database.values(
        "INSERT INTO t VALUES (7), (8) RETURNING id", {"ids": list[int]}, setup=setup, read_only=False
    )
    assert returned == {"ids": [7, 8]}
    no_rows = database.run(
        "INSERT INTO t VALUES (7)", outputs={"data": StructuredDataset}, setup=setup, read_only=False
    )
    assert "has no rows" in no_rows.message


def test_another_machine_sees_the_session_and_can_end_it(database: Queries, postgres_server: PostgresServer) -> None:
    job = database.create("SELECT pg_sleep(1000)")
    await_session(postgres_server, job)
    foreign = dataclasses.replace(job, host="elsewhere")
    elsewhere = Queries(folder=database.folder.parent / "elsewhere", output_prefix=database.output_prefix)

    assert elsewhere.get(foreign).phase == Phase.RUNNING
    elsewhere.delete(foreign)

    assert sessions(postgres_server, job) == "0"
    assert database.wait(job).phase == Phase.RETRYABLE_FAILED
    with pytest.raises(UnavailableError, match="belongs to the server on elsewhere"):
        elsewhere.get(foreign)
    elsewhere.connector.close()


def test_another_machine_sees_a_stored_result(database: Queries) -> None:
    job = database.create("SELECT 5 AS x", outputs={"x": int})
    here = database.wait(job)
    elsewhere = Queries(folder=database.folder.parent / "elsewhere", output_prefix=database.output_prefix)

    assert elsewhere.get(dataclasses.replace(job, host="elsewhere")).outputs == here.outputs
    elsewhere.connector.close()
