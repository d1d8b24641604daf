"""Which database a URI means, and what the operator allows."""

from pathlib import Path

import pytest

from connectors.sql import SqlSettings
from connectors.sql.database import Target, database_of
from connectory.errors import InvalidTaskError, PermissionDeniedError, SettingsError
from connectory.secrets import EnvironmentSecrets
from tests.connectors.sql.conftest import Queries


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("sqlite:///data/x.db", Target(engine="sqlite", address="/data/x.db")),
        ("sqlite:////data/x.db", Target(engine="sqlite", address="/data/x.db")),
        ("duckdb:////data//x.db", Target(engine="duckdb", address="/data/x.db")),
        ("sqlite://:memory:", Target(engine="sqlite", address="")),
        ("duckdb:///:memory:", Target(engine="duckdb", address="")),
        ("duckdb://", Target(engine="duckdb", address="")),
        ("postgres://u@h/d", Target(engine="postgresql", address="postgres://u@h/d")),
    ],
)
def test_uris_of_every_kind(uri: str, target: Target) -> None:
    assert database_of(uri, "", {}).resolve(EnvironmentSecrets("", {})) == target


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("mysql://u@h/d", "must start with postgresql://"),
        ("/data/x.db", "must start with postgresql://"),
        ("sqlite://data/x.db", "must be absolute"),
        ("postgresql://u@evil,x@db.internal/d", "more than one @"),
        ("postgresql://u:plain@h/d", "password as plain text"),
        ("postgresql://u:a{{ .secrets.x }}@h/d", "password as plain text"),
        ("sqlite:///{{ .inputs.nope }}", "nope"),
        ("postgresql://h:port/d", "no port"),
        ("postgresql://u:pl/ain@h/d", "no port"),
    ],
)
def test_a_uri_that_cannot_be_used_is_refused(uri: str, problem: str) -> None:
    with pytest.raises(InvalidTaskError, match=problem):
        database_of(uri, "", {})


def test_secrets_are_quoted_and_never_shown() -> None:
    secrets = EnvironmentSecrets("", {"pw": "p@ss/w:rd"})
    inside = database_of("postgresql://u:{{ .secrets.pw }}@h/d?sslmode=require", "", {})
    beside = database_of("postgresql://u@h/d?sslmode=require", "pw", {})

    for database in (inside, beside):
        target = database.resolve(secrets)
        assert target.address == "postgresql://u:p%40ss%2Fw%3Ard@h/d?sslmode=require"
        assert "p%40ss" not in repr(target)
        assert database.shown == "postgresql://u@h/d"


def test_an_input_cannot_name_a_secret() -> None:
    with pytest.raises(InvalidTaskError, match="reference to a secret"):
        database_of("postgresql://u@{{ .inputs.host }}/d", "", {"host": "evil/{{ .secrets.pw }}"})


def test_only_allowed_databases_are_used(queries: Queries) -> None:
    queries.allow = ("postgresql://*@db.internal/*", "duckdb://:memory:", "sqlite:///data/*")
    queries.connector = queries.another_server()

    assert queries.values("SELECT 1 AS x", {"x": int}) == {"x": 1}
    refused = [
        "postgresql://u@other/d",
        "postgresql://u@other/x%40db.internal/d",
        "postgresql://u@db.internal,other/d",
        "sqlite:///etc/x.db",
        "sqlite:///data/../etc/x.db",
        "sqlite:///data/x?/../../../etc/x.db",
        "duckdb:///data/x.db",
    ]
    for uri in refused:
        with pytest.raises(PermissionDeniedError, match="CONNECTORY_SQL_ALLOW"):
            queries.create("SELECT 1", uri=uri)
    with pytest.raises(InvalidTaskError, match="cannot be read"):
        queries.create("SELECT 1", uri="postgresql://u@other/x@db.internal/d")
    with pytest.raises(PermissionDeniedError, match="parameters of the uri"):
        queries.create("SELECT 1", uri="postgresql://u@db.internal/d?host=other")


def test_settings_come_from_the_environment() -> None:
    settings = SqlSettings.from_environ(
        {"CONNECTORY_SQL_DIR": "/jobs", "CONNECTORY_SQL_THREADS": "3", "CONNECTORY_SQL_ALLOW": "sqlite:///a duckdb://*"}
    )
    assert settings == SqlSettings(folder=Path("/jobs"), threads=3, allow=("sqlite:///a", "duckdb://*"))
    with pytest.raises(SettingsError, match="CONNECTORY_SQL_THREADS is '0'"):
        SqlSettings.from_environ({"CONNECTORY_SQL_THREADS": "0"})


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"query": "  "}, "no query"),
        ({"max_rows": 0}, "below 1"),
        ({"time_limit_seconds": 0}, "not above zero"),
        ({"time_limit_seconds": float("nan")}, "not above zero"),
    ],
)
def test_a_config_that_cannot_work_is_refused(queries: Queries, config: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidTaskError, match=problem):
        queries.create(str(config.pop("query", "SELECT 1")), **config)


def test_the_tasks_own_sql_part_is_the_query_when_the_config_has_none(queries: Queries) -> None:
    context = queries.context("", outputs={"x": int})
    context.template.sql.statement = "SELECT 9 AS x"

    outputs = queries.wait(queries.connector.create(context)).outputs
    assert outputs is not None
    assert outputs.literals["x"].scalar.primitive.integer == 9  # type: ignore[union-attr]
