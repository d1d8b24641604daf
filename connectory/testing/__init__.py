"""What authors of connectors test with: suites to subclass, task builders, and fakes that are named as fakes.

Needs pytest, and pytest-asyncio for the suites.
"""

from connectory.testing.async_suite import AsyncConnectorSuite
from connectory.testing.fakes import FakeSecrets
from connectory.testing.harness import dispatching, run_job
from connectory.testing.sync_suite import SyncConnectorSuite
from connectory.testing.tasks import TaskCall, task_call

__all__ = [
    "AsyncConnectorSuite",
    "FakeSecrets",
    "SyncConnectorSuite",
    "TaskCall",
    "dispatching",
    "run_job",
    "task_call",
]
