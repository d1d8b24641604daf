"""What tests of the doctor share."""

from tests.postgres import postgres_server

__all__ = ["postgres_server"]
