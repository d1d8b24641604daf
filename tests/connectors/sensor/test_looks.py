"""What a sensor can wait for, against the real things."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import pytest

from connectors.sensor import SensorConnector
from connectory.web import SETTING, HostPolicy
from tests.connectors.calling import Caller, Phase
from tests.connectors.sensor.conftest import FakeClock
from tests.postgres import PostgresServer, postgres_when_installed


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_when_installed() as server:
        yield server


class Page:
    """A web page whose status is set by the test."""

    status = 404
    asked: list[tuple[str, str | None]]

    def __init__(self) -> None:
        self.asked = []
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page.asked.append((self.command, self.headers["Authorization"]))
                self.send_response(page.status)
                self.send_header("content-length", "0")
                self.end_headers()

            do_HEAD = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page()
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


async def look(task: Caller, job: Any) -> tuple[Phase | int, str]:
    resource = await task.get(job)
    return resource.phase, resource.message


async def test_files_are_seen_on_disk_and_a_folder_is_none(sensor: SensorConnector, tmp_path: Path) -> None:
    task = Caller(sensor, inputs={"path": (str, str(tmp_path / "data.csv"))}, outputs={"path": str})
    (tmp_path / "data.csv").mkdir()
    job = await task.create()
    assert (await look(task, job))[0] == Phase.RUNNING

    (tmp_path / "data.csv").rmdir()
    (tmp_path / "data.csv").write_text("x")

    assert (await look(task, job))[0] == Phase.SUCCEEDED


async def test_a_web_page_is_awaited_by_status(sensor: SensorConnector, page: Page) -> None:
    url = f"http://127.0.0.1:{page.port}/x?key={{{{ .secrets.KEY }}}}"
    config = {"http": {"url": url, "method": "head", "headers": {"Authorization": "{{ .secrets.TOKEN }}"}}}
    task = Caller(sensor, config, outputs={"url": str, "status": int}, secrets={"KEY": "k3y", "TOKEN": "t0k3n"})
    job = await task.create()
    shown = f"http://127.0.0.1:{page.port}/x?key=***"

    page.status = 503
    assert await look(task, job) == (Phase.RUNNING, f"HEAD {shown} answered 503; waiting for another status")
    page.status = 204
    resource = await task.get(job)

    assert task.native(resource) == {"url": shown, "status": 204}
    assert page.asked == [("HEAD", "t0k3n")] * 2


@pytest.mark.parametrize("status", [401, 403])
async def test_a_web_page_that_refuses_ends_the_wait(status: int, sensor: SensorConnector, page: Page) -> None:
    task = Caller(sensor, {"http": {"url": f"http://127.0.0.1:{page.port}/"}})
    page.status = status

    resource = await task.get(await task.create())

    assert resource.phase == Phase.FAILED
    assert resource.error is not None
    assert resource.error.code == f"HTTP_{status}"


async def test_a_web_server_that_is_not_there_yet_is_awaited(sensor: SensorConnector, page: Page) -> None:
    page.server.server_close()
    task = Caller(sensor, {"http": {"url": f"http://127.0.0.1:{page.port}/"}})

    phase, message = await look(task, await task.create())

    assert phase == Phase.WAITING_FOR_RESOURCES
    assert message.startswith(f"cannot look now: GET http://127.0.0.1:{page.port}/ failed")


async def test_a_host_that_the_operator_does_not_allow_is_not_asked(clock: FakeClock, page: Page) -> None:
    sensor = SensorConnector(clock=clock, policy=HostPolicy(["*.example.com"]))
    task = Caller(sensor, {"http": {"url": f"http://127.0.0.1:{page.port}/"}})

    phase, message = await look(task, await task.create())

    assert phase == Phase.FAILED
    assert SETTING in message
    assert page.asked == []
    await sensor.close()


async def test_a_moment_comes(sensor: SensorConnector, clock: FakeClock) -> None:
    when = datetime.fromtimestamp(clock.now, UTC) + timedelta(seconds=90)
    for config, inputs in (
        ({"time": {"after": 90}}, {}),
        ({"time": {"at": "{{ .inputs.when }}"}}, {"when": (datetime, when)}),
        ({"time": {"at": when.astimezone(UTC).isoformat()}}, {}),
    ):
        start = clock.now
        task = Caller(sensor, {**config, "poll_interval": 60}, inputs=inputs)
        job = await task.create()
        first = await task.get(job)
        clock.now += 60
        second = await task.get(job)
        clock.now += 30
        assert (first.phase, first.poll_after) == (Phase.RUNNING, timedelta(seconds=60))
        assert (second.phase, second.poll_after) == (Phase.RUNNING, timedelta(seconds=30))
        assert (await look(task, job))[0] == Phase.SUCCEEDED
        clock.now = start


def sqlite_uri(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/x.db"


def duckdb_uri(tmp_path: Path) -> str:
    return f"duckdb://{tmp_path}/x.db"


def change(uri: str, sql: str) -> None:
    scheme, _, path = uri.partition("://")
    if scheme == "sqlite":
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(sql)
    else:
        with duckdb.connect(path) as connection:
            connection.execute(sql)


@pytest.mark.parametrize("uri_in", [sqlite_uri, duckdb_uri])
async def test_a_row_is_awaited_in_an_embedded_database(uri_in: Any, sensor: SensorConnector, tmp_path: Path) -> None:
    uri = uri_in(tmp_path)
    query = "select count(*) from jobs where name = {{ .inputs.name }}"
    name = "x' or '1'='1"
    task = Caller(sensor, {"sql": {"uri": uri, "query": query}}, inputs={"name": (str, name)}, outputs={"name": str})
    job = await task.create()
    phase, message = await look(task, job)
    assert (phase, message.startswith("cannot look now")) == (Phase.WAITING_FOR_RESOURCES, True)

    change(uri, "create table jobs(name text); insert into jobs values ('other')")
    assert await look(task, job) == (Phase.RUNNING, "the query's first value is 0 yet")
    change(uri, """insert into jobs values ('x'' or ''1''=''1')""")

    resource = await task.get(job)
    assert (resource.phase, task.native(resource)) == (Phase.SUCCEEDED, {"name": name})


@pytest.mark.parametrize("uri_in", [sqlite_uri, duckdb_uri])
@pytest.mark.parametrize(
    "query", ["selec 1", "select nothing from jobs", "delete from jobs returning 1", "insert into jobs values ('x')"]
)
async def test_a_query_that_can_not_work_ends_the_wait(
    query: str, uri_in: Any, sensor: SensorConnector, tmp_path: Path
) -> None:
    uri = uri_in(tmp_path)
    change(uri, "create table jobs(name text); insert into jobs values ('other')")
    task = Caller(sensor, {"sql": {"uri": uri, "query": query}})

    phase, message = await look(task, await task.create())

    assert (phase, message.startswith("the query can't work")) == (Phase.FAILED, True), message


async def test_an_empty_result_a_null_and_a_false_are_not_yet(sensor: SensorConnector, tmp_path: Path) -> None:
    uri = sqlite_uri(tmp_path)
    change(uri, "create table jobs(name text)")
    for query, message in (
        ("select name from jobs", "the query gives no row yet"),
        ("select max(name) from jobs", "the query's first value is None yet"),
        ("select 1 = 2", "the query's first value is 0 yet"),
    ):
        task = Caller(sensor, {"sql": {"uri": uri, "query": query}})
        assert await look(task, await task.create()) == (Phase.RUNNING, message)


async def test_a_row_is_awaited_in_postgresql(sensor: SensorConnector, postgres: PostgresServer) -> None:
    postgres.query("create table arrivals(name text, at timestamptz)")
    uri = f"postgresql://tester:{{{{ .secrets.PASSWORD }}}}@127.0.0.1:{postgres.port}/postgres"
    query = "select 1 from arrivals where name = {{ .inputs.name }} and at > {{ .inputs.since }}"
    inputs = {"name": (str, "a"), "since": (datetime, datetime(2030, 1, 1, tzinfo=UTC))}
    task = Caller(sensor, {"sql": {"uri": uri, "query": query}}, inputs=inputs, secrets={"PASSWORD": postgres.password})
    job = await task.create()

    assert await look(task, job) == (Phase.RUNNING, "the query gives no row yet")
    postgres.query("insert into arrivals values ('a', '2030-01-02T00:00:00Z')")

    assert await look(task, job) == (Phase.SUCCEEDED, "the query gives a row")
    assert postgres.password not in str(job)


async def test_postgresql_errors_are_told_apart(sensor: SensorConnector, postgres: PostgresServer) -> None:
    good = f"postgresql://tester:{{{{ .secrets.PASSWORD }}}}@127.0.0.1:{postgres.port}/postgres"
    cases = (
        (good, "select nothing from nowhere", postgres.password, Phase.FAILED),
        (good, "selec 1", postgres.password, Phase.FAILED),
        (good, "select pg_sleep(10)", postgres.password, Phase.WAITING_FOR_RESOURCES),
        (good, "select 1", "wrong", Phase.FAILED),
        (good.replace(str(postgres.port), "1"), "select 1", postgres.password, Phase.WAITING_FOR_RESOURCES),
    )
    for uri, query, password, expected in cases:
        config = {"sql": {"uri": uri, "query": query, "timeout": 0.2}}
        task = Caller(sensor, config, secrets={"PASSWORD": password})
        phase, message = await look(task, await task.create())
        assert phase == expected, message
        assert postgres.password not in message
