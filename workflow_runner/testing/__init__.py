"""What authors of plugins test with: a suite to subclass, and a bench on which attempts are driven by hand.

Needs pytest and pytest-asyncio.
"""

from workflow_runner.testing.bench import BenchAttempt, PluginBench, PluginTask
from workflow_runner.testing.suite import MakeEntry, PluginSuite

__all__ = ["BenchAttempt", "MakeEntry", "PluginBench", "PluginSuite", "PluginTask"]
