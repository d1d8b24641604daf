"""How a serving process is told to stop."""

import asyncio
import signal

__all__ = ["catch_signals"]


def catch_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set, instead of what they would do otherwise."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
