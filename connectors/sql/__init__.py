"""SQL: one statement on PostgreSQL, SQLite or DuckDB; its rows as a Parquet data set or as values."""

from connectors.sql.config import SqlConfig, SqlJob
from connectors.sql.connector import SqlConnector
from connectors.sql.settings import SqlSettings

__all__ = ["SqlConfig", "SqlConnector", "SqlJob", "SqlSettings", "connectors"]

connectors = [SqlConnector]
