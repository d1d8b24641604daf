"""What an execution is allowed to do, fixed when it starts and kept in its log."""

from collections.abc import Mapping

import msgspec

__all__ = ["Backoff", "ExecutionSettings"]


class Backoff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """How long to wait before a failed attempt is repeated: `base * factor ** failures`, at most `cap` seconds.

    The wait is shortened by up to half, by a fraction that follows from the attempt's key, so that many nodes that
    failed together don't come back together.
    """

    base: float = 1.0
    factor: float = 2.0
    cap: float = 60.0


class ExecutionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """The limits of one execution."""

    max_parallelism: int = 0
    """At most this many attempts run at once; 0: as many as are ready."""
    system_retries: int = 3
    """How often an attempt that failed through no fault of its author is repeated, whatever the task itself allows."""
    interruption_retries: int = 20
    """How often an attempt is repeated that was lost because the runner itself ended."""
    backoff: Backoff = Backoff()
    """For tasks that don't bring their own."""
    overwrite_cache: bool = False
    """Whether results are worked out although they are kept in the cache, and replace what is kept."""
    offload_above: int = 1 << 20
    """Outputs of more bytes are kept below `output_prefix`, and handed on by reference; 0: none are."""
    output_prefix: str = ""
    """Where nodes put what they write, as an object store URL; each attempt gets a place of its own below it."""
    labels: Mapping[str, str] = {}
    """What is created for the execution outside gets these labels, where it can have labels."""
    annotations: Mapping[str, str] = {}
    """The same for annotations."""
    run_as: bytes = b""
    """Under whose name its tasks run, an `Identity`; empty: the server's own."""
