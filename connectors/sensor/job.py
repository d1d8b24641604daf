"""The handle of a sensor job: what to look for, with which inputs, since when."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.sensor.config import SensorConfig
from connectory.errors import InvalidTaskError

__all__ = ["MAX_INPUT_BYTES", "SensorJob"]

MAX_INPUT_BYTES = 64 * 1024
"""The largest inputs that a sensor takes: they travel in its handle."""

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class SensorJob:
    """Everything that there is of a sensor job. Secrets are in it only as references."""

    id: str
    config: SensorConfig
    started: float
    """When it was created, in seconds since the epoch."""
    inputs: bytes = b""
    """The serialized input literals."""
    variables: bytes = b""
    """The serialized declaration of the inputs."""
    outputs: Sequence[str] = ()
    """The names of the declared outputs."""
    prefix: str = ""
    """Where its verdict is kept, as an object store URL; empty: in this machine's temporary folder."""

    def check_id(self) -> None:
        """Raise an `InvalidTaskError` for an id that no sensor job has."""
        if not _ID.fullmatch(self.id):
            problem = "not hexadecimal"
            raise InvalidTaskError("the handle is not of a sensor job", fields={"resource_meta.job.id": problem})
