"""SQL does what every connector must, on every kind of database."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.sql import SqlConnector, SqlJob, SqlSettings
from connectory.testing import AsyncConnectorSuite, FakeSecrets, TaskCall, task_call
from tests.postgres import PostgresServer


class SqlSuite(AsyncConnectorSuite):
    @pytest.fixture
    def make_connector(self, tmp_path: Path) -> Callable[[], SqlConnector]:
        return lambda: SqlConnector(SqlSettings(folder=tmp_path / "state"))

    @pytest.fixture
    def uri(self, tmp_path: Path) -> str:
        raise NotImplementedError

    @pytest.fixture
    def good_task(self, tmp_path: Path, uri: str) -> TaskCall:
        config = {"uri": uri, "query": "SELECT {{ .inputs.x }} AS x", "time_limit_seconds": 20}
        if uri.startswith("postgresql"):
            config["password_secret"] = "pg"
        return task_call(
            "sql", config=config, inputs={"x": 3}, outputs={"x": int}, output_prefix=str(tmp_path / "outputs")
        )

    @pytest.fixture
    def unknown_job(self, uri: str) -> SqlJob:
        return SqlJob(
            job_id="0" * 32, host=socket.gethostname(), uri=uri, password_secret="pg" if "postgresql" in uri else ""
        )


class TestSqlite(SqlSuite):
    @pytest.fixture
    def uri(self) -> str:
        return "sqlite://:memory:"


class TestDuckdb(SqlSuite):
    @pytest.fixture
    def uri(self) -> str:
        return "duckdb://:memory:"


class TestPostgresql(SqlSuite):
    @pytest.fixture
    def uri(self, postgres_server: PostgresServer) -> str:
        return postgres_server.uri_without_password

    @pytest.fixture
    def secrets(self, postgres_server: PostgresServer) -> FakeSecrets:
        return FakeSecrets({"pg": postgres_server.password})
