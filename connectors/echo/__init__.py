"""Echo: hands a task's inputs back as its outputs. For tests, demos and benchmarks."""

from connectors.echo.connector import EchoConfig, EchoConnector, EchoJob, EchoSyncConnector

__all__ = ["EchoConfig", "EchoConnector", "EchoJob", "EchoSyncConnector", "connectors"]

connectors = [EchoConnector, EchoSyncConnector]
