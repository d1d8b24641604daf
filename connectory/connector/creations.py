"""What makes two creates the same: the key under which they are remembered, and the digests of what they ask for."""

import hashlib
import os
from collections.abc import Mapping
from typing import Final

from connectory.v1 import connector_pb2 as pb

__all__ = ["Asked", "Creation", "facts_of", "fresh_key", "named_key"]

_SMALL: Final = 4096
"""Requests up to this many bytes are kept as they are; digests of larger ones are made at once."""
_LONGEST_TEXT: Final = 2000
"""More characters of a caller's own words are not kept: what is remembered must not be as large as what was sent."""


class Asked:
    """What a create asks for, kept small: enough to tell later whether it is asked for again, and by whom."""

    __slots__ = ("_data", "_digests", "_facts")

    def __init__(self, request: pb.CreateTaskRequest, received: bytes = b"") -> None:
        data = received or request.SerializeToString()
        self._data = data
        self._digests: Mapping[str, str] | None = None
        self._facts: tuple[str, str] | None = None
        if len(data) > _SMALL:
            self._data, self._digests, self._facts = b"", _digests(request), facts_of(request)

    @property
    def digests(self) -> Mapping[str, str]:
        """A digest for each part of the request that must be equal when the key is used again, by the part's name."""
        if self._digests is None:
            self._digests = _digests(pb.CreateTaskRequest.FromString(self._data))
        return self._digests

    @property
    def category(self) -> str:
        """The task category as "name@version"."""
        return self._about()[0]

    @property
    def execution(self) -> str:
        """For which attempt of which execution the job is; empty when it is for none."""
        return self._about()[1]

    def without_secrets(self, request: pb.CreateTaskRequest | None = None) -> bytes:
        """The request to keep: without what came with it to reach the external system.

        Empty when it was too large to be kept here and is not given once more.
        """
        if request is None:
            if not self._data:
                return b""
            request = pb.CreateTaskRequest.FromString(self._data)
        if not request.HasField("connection"):
            return self._data or request.SerializeToString()
        kept = pb.CreateTaskRequest()
        kept.CopyFrom(request)
        kept.ClearField("connection")
        return kept.SerializeToString()

    def _about(self) -> tuple[str, str]:
        if self._facts is None:
            self._facts = facts_of(pb.CreateTaskRequest.FromString(self._data))
        return self._facts


class Creation:
    """One create as the ledger knows it.

    `lease` is for how many seconds its job counts as looked after once it is created or polled; 0: for ever.
    """

    __slots__ = ("asked", "key", "lease", "request")

    def __init__(self, key: str, request: pb.CreateTaskRequest, lease: float = 0.0, received: bytes = b"") -> None:
        self.key = key
        self.request = request
        self.asked = Asked(request, received)
        self.lease = lease

    @property
    def digests(self) -> Mapping[str, str]:
        """See `Asked.digests`."""
        return self.asked.digests

    def differences(self, earlier: Mapping[str, str]) -> list[str]:
        """The names of the parts that are not as they were."""
        return [part for part, digest in self.digests.items() if earlier.get(part) != digest]


def named_key(request: pb.CreateTaskRequest | pb.CreateRequestHeader) -> str:
    """The request's own key, or the attempt of the execution that it is for; empty when it names neither."""
    return request.idempotency_key or _derived_key(request.task_execution_metadata)


def fresh_key() -> str:
    """A key that nobody had before."""
    return os.urandom(16).hex()


def facts_of(request: pb.CreateTaskRequest) -> tuple[str, str]:
    """The task category as "name@version", and for which attempt of which execution it is (empty: for none)."""
    template = request.template
    has_execution = request.HasField("task_execution_metadata")
    execution = _derived_key(request.task_execution_metadata) if has_execution else ""
    return f"{template.type}@{template.task_type_version}", execution[:_LONGEST_TEXT]


def _derived_key(metadata: pb.TaskExecutionMetadata) -> str:
    """Execution, node and attempt; empty when the execution or the node is not named."""
    task = metadata.task_execution_id
    node = task.node_execution_id
    execution = node.execution_id
    if not execution.name or not node.node_id:
        return ""
    of_execution = f"{execution.org}/{execution.project}/{execution.domain}/{execution.name}"
    return f"{of_execution}/{node.node_id}/{task.retry_attempt}"


def _digests(request: pb.CreateTaskRequest) -> Mapping[str, str]:
    return {
        "template": _digest(request.template.SerializeToString(deterministic=True)),
        "inputs": _digest(request.inputs.SerializeToString(deterministic=True)),
        "output_prefix": _short(request.output_prefix),
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else _digest(text.encode())


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest() if data else ""
