"""Threads for Python tasks: the quickest way to run code that is known to behave."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from workflow_runner.python.calls import Call, Reply, perform

__all__ = ["ThreadExecutor"]


class ThreadExecutor:
    """Runs calls in at most `size` threads of this process. A call that is under way cannot be ended early."""

    def __init__(self, size: int | None = None) -> None:
        self._pool = ThreadPoolExecutor(max_workers=size or (os.cpu_count() or 1) + 4, thread_name_prefix="python-task")

    async def run(self, call: Call) -> Reply:
        """Run one call to its end."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, perform, call)

    async def close(self) -> None:
        """Take no more calls; those under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)
