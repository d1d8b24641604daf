"""A replica that is killed under load costs its clients nothing but time."""

from tests.load.killing import loaded
from tests.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]


def test_a_replica_is_killed_under_load(postgres_server: PostgresServer) -> None:
    outcome = loaded(postgres_server.uri, 600)
    assert outcome.complaints() == []
