"""Whether a failed attempt is repeated, and when."""

import zlib

from workflow_runner.engine.failures import Failure
from workflow_runner.engine.graph import NodeSpec
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import NodeState

__all__ = ["retry_delay", "user_retries"]


def retry_delay(node: NodeState, failure: Failure, key: str, settings: ExecutionSettings) -> float | None:
    """How many seconds to wait before the node's next attempt; None: there is none.

    `node.failures` does not count this failure yet.
    """
    failed = node.failures.get(failure.kind, 0)
    if not failure.recoverable or failed >= _budget(node.spec, failure, settings):
        return None
    if failure.kind == "interrupted":
        return failure.retry_after
    return max(failure.retry_after, _backoff(node.spec, settings, failed) * _shortening(key))


def user_retries(spec: NodeSpec) -> int:
    """How often the author wants the node's task repeated; what the node says counts before what the task says."""
    if spec.node.metadata.HasField("retries"):
        return spec.node.metadata.retries.retries
    return spec.task.metadata.retries.retries if spec.task is not None else 0


def _budget(spec: NodeSpec, failure: Failure, settings: ExecutionSettings) -> int:
    if failure.kind == "system":
        return settings.system_retries
    if failure.kind == "interrupted":
        return settings.interruption_retries
    return user_retries(spec)


def _backoff(spec: NodeSpec, settings: ExecutionSettings, failed: int) -> float:
    policy = _policy(spec, settings.backoff)
    try:
        return min(policy.cap, policy.base * policy.factor**failed)
    except OverflowError:
        return policy.cap


def _policy(spec: NodeSpec, default: Backoff) -> Backoff:
    for metadata in (spec.node.metadata, spec.task.metadata if spec.task is not None else None):
        if metadata is not None and metadata.HasField("retries") and metadata.retries.HasField("backoff"):
            own = metadata.retries.backoff
            return Backoff(
                base=own.base.ToTimedelta().total_seconds() if own.HasField("base") else default.base,
                factor=own.factor if own.HasField("factor") else default.factor,
                cap=own.cap.ToTimedelta().total_seconds() if own.HasField("cap") else default.cap,
            )
    return default


def _shortening(key: str) -> float:
    return 0.5 + zlib.crc32(key.encode()) / 0xFFFFFFFF / 2
