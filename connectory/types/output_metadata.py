"""What a task says about its outputs beside their values: it travels in the literals' metadata."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from google.protobuf.timestamp_pb2 import Timestamp

from connectory.v1 import artifacts_pb2

__all__ = ["OutputMetadata", "OutputMetadataTracker", "SerializableToString"]

_PARTITIONS: Final = "_uap"
"""Where Flyte looks for the partitions that were decided while the task ran."""


class SerializableToString(Protocol):
    """An item that says itself how it is recorded."""

    def serialize_to_string(self, ctx: Any, variable_name: str) -> tuple[str, str]:
        """The key and the text that are recorded with the output of that name."""


@dataclass(frozen=True, kw_only=True)
class OutputMetadata:
    """What is said about one output: plain entries, items that write themselves, the partitions of an artifact."""

    entries: Mapping[str, str] = field(default_factory=dict)
    additional_items: Sequence[SerializableToString] = ()
    dynamic_partitions: Mapping[str, str] = field(default_factory=dict)
    time_partition: datetime | None = None
    granularity: "artifacts_pb2.Granularity.ValueType" = artifacts_pb2.GRANULARITY_UNSET

    def recorded(self, ctx: Any, variable_name: str) -> dict[str, str]:
        """As it is written into the literal of the output of that name."""
        texts = dict(self.entries)
        texts.update(item.serialize_to_string(ctx, variable_name) for item in self.additional_items)
        if self.dynamic_partitions or self.time_partition:
            texts[_PARTITIONS] = base64.b64encode(self._artifact().SerializeToString(deterministic=True)).decode()
        return texts

    def _artifact(self) -> artifacts_pb2.ArtifactID:
        artifact = artifacts_pb2.ArtifactID()
        for key, value in self.dynamic_partitions.items():
            artifact.partitions.value[key].static_value = value
        if self.time_partition is not None:
            moment, stamp = self.time_partition, Timestamp()
            stamp.FromDatetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            artifact.time_partition.value.time_value.CopyFrom(stamp)
            artifact.time_partition.granularity = self.granularity
        return artifact


class OutputMetadataTracker:
    """What one run of a task has said about its outputs, by the identity of the values. Not shared by runs."""

    def __init__(self) -> None:
        self._said: dict[int, tuple[Any, OutputMetadata]] = {}

    def add(self, value: Any, metadata: OutputMetadata) -> None:
        """Say something about a value that the task is going to return; what was said before is replaced."""
        self._said[id(value)] = (value, metadata)  # with the value, as ids are used again

    def get(self, value: Any) -> OutputMetadata | None:
        """What was said about a value."""
        said = self._said.get(id(value))
        return said[1] if said else None
