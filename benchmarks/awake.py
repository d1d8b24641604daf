"""Keeps processors from sleeping while something is measured.

What lasts fractions of a millisecond and waits for a disk or another thread in between is, on a virtual machine, above
all a measure of how long its host takes to wake a processor that was halted: 25 us or 300 us for one and the same
hand-over, by the host's settings. Linux lets a process ask for processors that answer at once (PM QoS, as `cyclictest`
does), for everybody on the machine and until the file is closed.
"""

import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

__all__ = ["processors_awake"]

_LATENCY: Final = Path("/dev/cpu_dma_latency")


@contextmanager
def processors_awake() -> Iterator[str]:
    """While this is entered no processor sleeps, if that can be had; gives a sentence that says how it is."""
    with ExitStack() as stack:
        try:
            stack.enter_context(_LATENCY.open("wb", buffering=0)).write(struct.pack("i", 0))
        except OSError as error:
            said = f"processors may sleep, and waking them is measured too: {error}"
        else:
            said = "processors are kept awake while this runs"
        yield said
