"""Sensor: waits for a file, an HTTP status, a SQL row or a moment, and holds nothing while it waits."""

from connectors.sensor.config import FileCheck, HttpCheck, SensorConfig, SqlCheck, TimeCheck
from connectors.sensor.connector import SensorConnector
from connectors.sensor.job import SensorJob

__all__ = [
    "FileCheck",
    "HttpCheck",
    "SensorConfig",
    "SensorConnector",
    "SensorJob",
    "SqlCheck",
    "TimeCheck",
    "connectors",
]

connectors = [SensorConnector]
