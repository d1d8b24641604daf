"""Process: runs a command beside the server, in a process group of its own that outlives the server."""

from connectors.process.config import ProcessConfig, ProcessJob
from connectors.process.connector import ProcessConnector
from connectors.process.settings import ProcessSettings

__all__ = ["ProcessConfig", "ProcessConnector", "ProcessJob", "ProcessSettings", "connectors"]

connectors = [ProcessConnector]
