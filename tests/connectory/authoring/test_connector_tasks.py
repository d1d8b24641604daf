"""Tasks of connectors called in plain Python: create, get and delete through the connectors that are installed."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectory.authoring import (
    SQL,
    ConnectorTask,
    FileSensor,
    HttpSensor,
    HttpTask,
    ProcessTask,
    SqlSensor,
    SQLTask,
    TimeSensor,
    kwtypes,
    task,
    workflow,
)
from connectory.authoring.local_connectors import run_with_connectors
from connectory.authoring.template import CompileSettings
from connectory.compiler import compile_task
from connectory.errors import AuthoringError, ConnectorError, ExecutionError
from connectory.v1 import literals_pb2, tasks_pb2


@task
def double(a: int) -> int:
    return 2 * a


echo = ConnectorTask("echo", "echo", inputs=kwtypes(a=int, b=str), outputs=kwtypes(a=int, b=str))
echo_sync = ConnectorTask("echo_sync", "echo_sync", inputs=kwtypes(a=int), outputs=kwtypes(a=int))
script = ProcessTask(
    "script",
    command=["printf", "%s", "{{ .inputs.text }}"],
    inputs=kwtypes(text=str),
    outputs=kwtypes(stdout=str, exit_code=int),
)
arrived = FileSensor("arrived", poll_interval=0.05)


@workflow
def mixed(a: int) -> tuple[int, str]:
    first = echo(a=double(a=a), b="{{ not a template }}")
    return echo_sync(a=first.a), script(text=first.b).stdout


@pytest.fixture(autouse=True)
def _own_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_PROCESS_DIR", str(tmp_path / "jobs"))


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "numbers.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE numbers (n INTEGER)")
        connection.executemany("INSERT INTO numbers VALUES (?)", [(n,) for n in range(10)])
    connection.close()
    return f"sqlite://{path}"


def test_a_task_gives_its_outputs_by_name() -> None:
    result = echo(a=1, b="x")
    assert (result.a, result.b) == (1, "x")
    assert echo_sync(a=3) == 3


async def test_it_can_be_called_where_a_loop_runs() -> None:
    assert echo_sync(a=3) == 3


def test_workflows_mix_them_with_functions() -> None:
    assert mixed(a=2) == (4, "{{ not a template }}")


def test_a_command() -> None:
    result = script(text="a b; c")
    assert (result.stdout, result.exit_code) == ("a b; c", 0)


def test_both_styles_of_sql(database: str) -> None:
    text = "SELECT n FROM numbers WHERE n >= {{ .inputs.at_least }} ORDER BY n"
    query = SQLTask(
        "query",
        uri=database,
        query_template=text,
        inputs=kwtypes(at_least=int),
        output_schema_type=list[dict[str, int]],
    )

    @task(task_config=SQL(uri=database))
    def function(at_least: int) -> list[dict[str, int]]:
        """SELECT n FROM numbers WHERE n >= {{ .inputs.at_least }} ORDER BY n"""

    assert query(at_least=8) == function(at_least=8) == [{"n": 8}, {"n": 9}]


def test_the_result_of_a_query_is_a_data_set_by_default(database: str) -> None:
    query = SQLTask("all", uri=database, query_template="SELECT n FROM numbers")
    assert query().uri


@dataclass
class Warehouse:
    """Where queries of one kind run."""

    account: str


class WarehouseTask(SQLTask[Warehouse]):
    """A query of a database that has a connector of its own."""

    def __init__(self, name: str, query_template: str, task_config: Warehouse, **settings: Any) -> None:
        super().__init__(name, query_template, task_config, "warehouse", **settings)

    def get_custom(self, settings: CompileSettings) -> dict[str, str]:
        return {"account": self.task_config.account if self.task_config else ""}

    def get_sql(self, settings: CompileSettings) -> tasks_pb2.Sql:
        return tasks_pb2.Sql(statement=self.query_template, dialect=tasks_pb2.Sql.ANSI)


def test_a_task_for_another_database_is_a_subclass() -> None:
    query = WarehouseTask("rows", "SELECT {{ .inputs.x }}", Warehouse("me"), inputs=kwtypes(x=int))
    template = compile_task(query)
    assert (template.type, template.custom["account"]) == ("warehouse", "me")
    assert (template.sql.statement, template.sql.dialect) == ("SELECT {{ .inputs.x }}", tasks_pb2.Sql.ANSI)
    assert list(template.interface.inputs.variables) == ["x"]
    assert not template.interface.outputs.variables


def test_a_query_needs_a_database() -> None:
    with pytest.raises(AuthoringError, match="task 'q' has no uri; say which database, such as sqlite:///PATH"):
        SQLTask("q", "SELECT 1")
    with pytest.raises(AuthoringError, match="task 'q' has no query"):
        SQLTask("q", " ", uri="sqlite:///x")


def test_sensors(tmp_path: Path, database: str) -> None:
    path = tmp_path / "there"
    path.touch()
    assert arrived(path=str(path)).endswith("there")
    TimeSensor("soon", after=0.01, poll_interval=0.01)()
    SqlSensor("rows", uri=database, query_template="SELECT count(*) FROM numbers", poll_interval=0.01)()


def test_what_every_shipped_task_says_is_what_its_connector_reads() -> None:
    """A setting that the connector did not know would be an error of the task, not of the surroundings."""
    everything = [
        HttpTask(
            "http",
            url="http://127.0.0.1:1/",
            method="POST",
            headers={"x": "y"},
            params={"q": 1},
            json={"a": 1},
            expect=[200],
            retry=["5xx"],
            request_timeout=1.0,
            redirects=1,
            max_response_bytes=10,
        ),
        HttpSensor(
            "http_sensor",
            url="http://127.0.0.1:1/",
            method="GET",
            headers={"x": "y"},
            expect=[200],
            fail=[401],
            request_timeout=0.2,
            poll_interval=0.01,
            deadline=0.1,
        ),
        SQLTask(
            "sql",
            uri="sqlite:///nowhere/at/all.db",
            query_template="SELECT 1",
            setup=["SELECT 2"],
            read_only=True,
            max_rows=1,
            time_limit_seconds=1.0,
        ),
        ProcessTask(
            "process",
            command=["exit 3"],
            shell=True,
            env={"A": "b"},
            stdin="x",
            success_exit_codes=[0],
            retryable_exit_codes=[4],
            time_limit_seconds=5,
            grace_seconds=1,
        ),
    ]
    for each in everything:
        with pytest.raises((ConnectorError, ExecutionError)) as caught:
            run_with_connectors(compile_task(each), literals_pb2.LiteralMap())
        assert getattr(caught.value, "reason", "") != "INVALID_TASK", caught.value
        assert "custom" not in str(caught.value)


def test_a_task_that_fails_says_why() -> None:
    with pytest.raises(ExecutionError, match="ended as FAILED"):
        ProcessTask("failing", command=["false"])()


def test_a_type_that_nobody_answers() -> None:
    with pytest.raises(ConnectorError, match="no_such_type"):
        ConnectorTask("nobody", "no_such_type")()


INTERRUPTED = """
import asyncio
from connectory.authoring import ProcessTask

long = ProcessTask("long", command=["echo $$ > {fifo}; exec sleep 60"], shell=True)

async def main():
    long()

{call}
"""


@pytest.mark.parametrize("call", ["long()", "asyncio.run(main())"])
def test_ctrl_c_deletes_the_job(call: str, tmp_path: Path) -> None:
    fifo = tmp_path / "pid"
    os.mkfifo(fifo)
    program = subprocess.Popen([sys.executable, "-c", INTERRUPTED.format(fifo=fifo, call=call)], stderr=subprocess.PIPE)
    pid = int(fifo.read_text())
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=30)
    assert program.returncode != 0
    assert b"KeyboardInterrupt" in err
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
