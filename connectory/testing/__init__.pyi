# Written by tools/stubs.py from connectory/surface.py.
"""What authors of connectors test with: suites to subclass, task builders, and fakes that are named as fakes.

The suites need pytest and pytest-asyncio; `connectory.testing.wire`, which tries any server at an address, does not.
Names are loaded on first use; `connectory.surface` lists them.
"""

from connectory.testing.async_suite import AsyncConnectorSuite as AsyncConnectorSuite
from connectory.testing.fakes import FakeSecrets as FakeSecrets
from connectory.testing.fault import Fault as Fault
from connectory.testing.harness import dispatching as dispatching
from connectory.testing.harness import run_job as run_job
from connectory.testing.sync_suite import SyncConnectorSuite as SyncConnectorSuite
from connectory.testing.system import FakeJob as FakeJob
from connectory.testing.system import FakeSystem as FakeSystem
from connectory.testing.tasks import TaskCall as TaskCall
from connectory.testing.tasks import task_call as task_call
from connectory.testing.wire_suite import WireSuite as WireSuite
from connectory.testing.wire_suite import WireSyncSuite as WireSyncSuite
