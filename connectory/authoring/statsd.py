"""The lines of statsd, on their way by UDP."""

import socket
from collections.abc import Callable

from connectory.errors import SettingsError

__all__ = ["statsd_sender"]


def statsd_sender(address: str) -> Callable[[str], None]:
    """Sends lines to a statsd daemon at HOST:PORT by UDP; a daemon that is not there is nobody's mistake."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise SettingsError(f"the statsd address is {address!r}; write HOST:PORT")
    sender = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)

    def send(line: str) -> None:
        try:
            sender.sendto(line.encode(), (host.strip("[]"), int(port)))
        except OSError:
            return  # numbers are worth less than the task that reports them

    return send
