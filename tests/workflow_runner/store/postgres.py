"""A PostgreSQL store of a test's own: a schema in the server that all tests share."""

import secrets
from collections.abc import Iterator

import pytest

from tests.postgres import PostgresServer

__all__ = ["postgres_url"]


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a store in which there is nothing yet."""
    schema = f"t{secrets.token_hex(6)}"
    postgres_server.query(f"CREATE SCHEMA {schema}")
    yield f"{postgres_server.socket_uri}&search_path={schema}"
    postgres_server.query(f"DROP SCHEMA {schema} CASCADE")
