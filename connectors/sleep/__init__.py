"""Sleep: a job that only takes time, and fails where and how it is told to. For tests, demos and benchmarks."""

from connectors.sleep.config import Failure, SleepConfig
from connectors.sleep.connector import SleepConnector, SleepJob

__all__ = ["Failure", "SleepConfig", "SleepConnector", "SleepJob", "connectors"]

connectors = [SleepConnector]
