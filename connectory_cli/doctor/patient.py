"""What is examined: this installation, its settings, and a server that may be running."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector_server.settings import ServerSettings
from connectory_cli.doctor.findings import Finding
from connectory_cli.home import Places
from connectory_cli.reaching import Reach

__all__ = ["Patient"]

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


@dataclass(frozen=True, kw_only=True)
class Patient:
    """Everything that checks may look at. They change nothing."""

    environ: Mapping[str, str]
    settings: ServerSettings | None
    """The connector server's; None: they cannot be used, and `complaints` says why."""
    complaints: Sequence[Finding] = ()
    """What is wrong with settings, as found when they were read."""
    address: str = ""
    """The server that the caller named; empty: the one that the settings describe."""
    reach: Reach | None = None
    """How servers are called; None: it cannot be told."""
    places: Places
    """Where this user's runner keeps things."""
    modules: Sequence[str] = field(default_factory=tuple)
    """Modules with connectors, beside those of the settings."""
    timeout: float = 5.0
    """Seconds that a check may take."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The servers to call: the one that was named, or those that the settings describe."""
        if self.address:
            return (self.address,)
        if self.settings is None:
            return ()
        addresses = (f"{_EVERYWHERE.get(one.host, one.host)}:{one.port}" for one in self.settings.listen if one.port)
        return (*addresses, *(f"unix:{path.absolute()}" for path in self.settings.uds))

    @property
    def wait(self) -> float:
        """Seconds for one question within a check, so that the check can still say what happened."""
        return self.timeout * 0.8
