"""One process of this machine, told apart from any later one that gets the same id."""

import os
import select
import signal
from dataclasses import dataclass

from connectors.process.supervisor import boot_id, start_ticks

__all__ = ["ProcessIdentity"]


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process by id, start time and boot."""

    pid: int
    start: int
    boot: str

    @property
    def of_this_boot(self) -> bool:
        """Whether the machine has not been started anew since."""
        return self.boot == boot_id()

    def is_alive(self) -> bool:
        """Whether this very process runs; one that ended and was not yet waited for does not."""
        return self.of_this_boot and start_ticks(self.pid) == self.start

    def end(self, number: signal.Signals, timeout: float) -> bool:
        """Send the signal if the process runs, and wait for its end. The answer is whether it has ended.

        The process is held by descriptor, so the signal never reaches another one that got the same id meanwhile.
        """
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if not self.is_alive():
                return True
            signal.pidfd_send_signal(descriptor, number)
            return self._wait(descriptor, timeout)
        except ProcessLookupError:
            return True
        finally:
            os.close(descriptor)

    @staticmethod
    def _wait(descriptor: int, timeout: float) -> bool:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(max(0.0, timeout) * 1000))
