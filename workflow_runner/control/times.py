"""Seconds since 1970 as messages."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

__all__ = ["duration", "timestamp"]

_NANOS = 1_000_000_000


def timestamp(seconds: float) -> Timestamp:
    """A point in time."""
    whole, nanos = divmod(round(seconds * _NANOS), _NANOS)
    return Timestamp(seconds=whole, nanos=nanos)


def duration(seconds: float) -> Duration:
    """A stretch of time; one that a clock which was set back made negative is none at all."""
    whole, nanos = divmod(round(max(seconds, 0.0) * _NANOS), _NANOS)
    return Duration(seconds=whole, nanos=nanos)
