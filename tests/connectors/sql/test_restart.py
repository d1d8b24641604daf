"""Server processes that die, and server processes beside each other."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from connectors.sql import SqlConnector, SqlJob, SqlSettings
from connectory.connector.contract import Phase
from connectory.errors import NotFoundError
from tests.connectors.sql.conftest import Queries
from tests.postgres import PostgresServer

SERVER = """
import os, signal, sys
from pathlib import Path
from tests.connectors.sql.conftest import Queries

folder, uri, query, read_only, pipe = sys.argv[1:]
queries = Queries(folder=Path(folder), output_prefix=str(Path(folder).parent / "outputs"), uri=uri)
queries.create(query, key="key", read_only=read_only == "True", outputs={"x": int} if "AS x" in query else {})
os.write(int(pipe), b"created")
signal.pause()
"""
SLEEP = "SELECT 1 AS x FROM pg_sleep(1000)"
CHANGE = "CREATE TABLE lost_change AS SELECT 1 AS y FROM pg_sleep(1000)"


class Server:
    """A server process of its own with one job."""

    def __init__(self, queries: Queries, query: str, *, read_only: bool = True) -> None:
        reading, writing = os.pipe()
        arguments = [str(queries.folder), queries.uri, query, str(read_only), str(writing)]
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, *arguments], pass_fds=[writing])
        os.close(writing)
        assert os.read(reading, 7) == b"created"
        os.close(reading)

    def kill(self) -> None:
        """End it as a machine that runs out of memory does; again is harmless."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start(queries: Queries) -> Iterator[Callable[..., Server]]:
    """Starts server processes that do not outlive the test."""
    servers: list[Server] = []

    def start(query: str, *, read_only: bool = True) -> Server:
        servers.append(Server(queries, query, read_only=read_only))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def database(queries: Queries, postgres_server: PostgresServer) -> Queries:
    queries.uri = postgres_server.socket_uri
    return queries


def found(queries: Queries, query: str = SLEEP, *, read_only: bool = True) -> SqlJob | None:
    outputs = {"x": int} if "AS x" in query else {}
    return queries.connector.find("key", queries.context(query, key="key", read_only=read_only, outputs=outputs))


def await_sleep(server: PostgresServer, count: int) -> None:
    """Return once so many sessions of jobs sleep on the server."""
    sleeping = "application_name LIKE 'connectory-sql-%' AND state = 'active' AND query LIKE '%pg_sleep%'"
    while server.query(f"SELECT count(*) FROM pg_stat_activity WHERE {sleeping}") != str(count):
        select.select([], [], [], 0.02)


def test_a_query_whose_server_was_killed_is_ended_and_may_be_repeated(
    database: Queries, postgres_server: PostgresServer, start: Callable[..., Server]
) -> None:
    server = start(SLEEP)
    await_sleep(postgres_server, 1)
    job = found(database)
    assert job is not None
    assert database.get(job).phase == Phase.RUNNING
    server.kill()

    resource = database.get(job)

    await_sleep(postgres_server, 0)
    assert resource.phase == Phase.RETRYABLE_FAILED
    assert resource.error is not None
    assert (resource.error.code, resource.error.kind) == ("ServerLost", "system")
    database.another_server().get(job, database.job_context())
    assert str(server.process.pid) not in str(list(database.folder.rglob("*")))


def test_find_after_a_kill_ends_the_query_and_lets_it_be_created_again(
    database: Queries, postgres_server: PostgresServer, start: Callable[..., Server]
) -> None:
    server = start(SLEEP)
    await_sleep(postgres_server, 1)
    server.kill()

    assert found(database) is None

    await_sleep(postgres_server, 0)
    again = database.create("SELECT 3 AS x", key="key", outputs={"x": int})
    assert database.wait(again).phase == Phase.SUCCEEDED


def test_a_change_whose_server_was_killed_is_not_repeated_silently(
    database: Queries, postgres_server: PostgresServer, start: Callable[..., Server]
) -> None:
    server = start(CHANGE, read_only=False)
    await_sleep(postgres_server, 1)
    server.kill()

    job = found(database, CHANGE, read_only=False)

    assert job is not None
    resource = database.get(job)
    assert resource.phase == Phase.FAILED
    assert resource.error is not None
    assert resource.error.code == "OutcomeUnknown"
    await_sleep(postgres_server, 0)


def test_delete_after_a_kill_ends_the_query(
    database: Queries, postgres_server: PostgresServer, start: Callable[..., Server]
) -> None:
    server = start(SLEEP)
    await_sleep(postgres_server, 1)
    job = found(database)
    server.kill()
    assert job is not None

    database.delete(job)

    await_sleep(postgres_server, 0)
    assert database.get(job).phase == Phase.ABORTED


def test_a_sibling_process_sees_a_job_run_and_cancels_it(queries: Queries, start: Callable[..., Server]) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT count(*) AS x FROM n"
    queries.uri = "sqlite://:memory:"
    start(endless)
    job = found(queries, endless)
    assert job is not None
    assert queries.get(job).phase in (Phase.QUEUED, Phase.RUNNING)

    queries.delete(job)

    assert queries.get(job).phase == Phase.ABORTED


def test_a_result_outlives_its_server(queries: Queries, start: Callable[..., Server]) -> None:
    server = start("SELECT 42 AS x")
    job = found(queries, "SELECT 42 AS x")
    assert job is not None
    before = queries.wait(job)
    server.kill()

    assert before.phase == Phase.SUCCEEDED
    assert queries.get(job).outputs == before.outputs
    (queries.folder / f"{job.job_id}.json").unlink()
    assert queries.get(job).outputs == before.outputs
    assert found(queries, "SELECT 42 AS x") == job


def test_a_server_that_stops_cancels_its_jobs_and_says_so(queries: Queries) -> None:
    job = queries.create("SELECT count(*) AS x FROM range(10000000000000)", outputs={"x": int})
    queries.connector.close()

    resource = queries.another_server().get(job, queries.job_context())
    assert resource.phase == Phase.RETRYABLE_FAILED
    assert resource.error is not None
    assert resource.error.code == "ServerStopped"


def test_a_job_that_waits_for_a_thread_is_cancelled_at_once(queries: Queries) -> None:
    endless = "SELECT count(*) AS x FROM range(10000000000000)"
    queries.connector = SqlConnector(SqlSettings(folder=queries.folder, threads=1))
    queries.servers.append(queries.connector)
    running, waiting, other = queries.create(endless), queries.create(endless), queries.create(endless)
    while queries.get(running).phase != Phase.RUNNING:
        continue
    assert queries.get(waiting).phase == Phase.QUEUED

    queries.delete(waiting)
    queries.another_server().delete(other, queries.job_context())

    assert [queries.get(job).phase for job in (running, waiting, other)] == [
        Phase.RUNNING,
        Phase.ABORTED,
        Phase.ABORTED,
    ]
    queries.delete(running)


def test_a_job_that_nobody_knows_is_not_found(queries: Queries) -> None:
    job = queries.create("SELECT 1")
    queries.wait(job)
    (queries.folder / f"{job.job_id}.json").unlink()
    marker = queries.folder.parent / "outputs" / f"sql-{job.job_id}" / "_SUCCESS.json"
    marker.unlink()

    with pytest.raises(NotFoundError, match=job.job_id):
        queries.get(job)
