"""Artifacts: outputs with a name and partitions of their own, which Flyte's artifact service records.

`Annotated[T, Prices]` declares that an output becomes one, `Annotated[T, Prices(region=Inputs.place)]` with a partition
that an input decides, and `Prices.create_from(value, region="north")` decides a partition while the task runs.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from connectory.authoring.context import current_context
from connectory.authoring.location import authoring_error
from connectory.types.extras import extras_of
from connectory.types.output_metadata import OutputMetadata, SerializableToString
from connectory.v1 import artifacts_pb2, interface_pb2

__all__ = ["Artifact", "ArtifactIDSpecification", "Granularity", "Inputs", "check_bindings", "declared_artifact"]

T = TypeVar("T")


class Granularity(enum.IntEnum):
    """How long the stretch of time of a partition is."""

    UNSET = artifacts_pb2.GRANULARITY_UNSET
    MINUTE = artifacts_pb2.GRANULARITY_MINUTE
    HOUR = artifacts_pb2.GRANULARITY_HOUR
    DAY = artifacts_pb2.GRANULARITY_DAY
    MONTH = artifacts_pb2.GRANULARITY_MONTH
    WEEK = artifacts_pb2.GRANULARITY_WEEK


_MOST_KEYS: Final = 10
_TIME: Final = "time_partition"
_WHILE_IT_RUNS: Final = artifacts_pb2.LabelValue(runtime_binding=artifacts_pb2.RuntimeBinding())


class _Inputs:
    """`Inputs.region` is whatever the input of that name will be."""

    def __getattr__(self, name: str) -> artifacts_pb2.InputBindingData:
        return artifacts_pb2.InputBindingData(var=name)


Inputs: Final = _Inputs()


class Artifact:
    """What an output becomes: a name, and the keys of its partitions, at most 10.

    Project, domain and version are those of the execution unless they are said. `time_partition_granularity` is how
    long the stretch of time of a partition is; a day if it is not said.
    """

    def __init__(
        self,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
        time_partitioned: bool = False,
        *,
        time_partition_granularity: Granularity | None = None,
        partition_keys: Sequence[str] | None = None,
    ) -> None:
        if not name:
            raise authoring_error("an Artifact needs a name: Artifact(name=...)")
        if len(partition_keys or ()) > _MOST_KEYS:
            raise authoring_error(f"artifact '{name}' has {len(partition_keys or ())} partition keys; 10 are possible")
        self.project, self.domain, self.name, self.version = project or "", domain or "", name, version or ""
        self.time_partitioned = time_partitioned
        self.time_partition_granularity = time_partition_granularity
        self.partition_keys = tuple(partition_keys or ())

    def __call__(self, **partitions: Any) -> "ArtifactIDSpecification":
        """The artifact with partitions that are known beforehand: texts, `Inputs`, a datetime for `time_partition`."""
        return ArtifactIDSpecification(self, partitions)

    def create_from(
        self, o: T, card: SerializableToString | None = None, *args: SerializableToString, **kwargs: Any
    ) -> T:
        """Say of a value that the running task is going to return which partitions it belongs to; the value itself.

        Keywords are partition keys, and `time_partition` a datetime. A card and further items write themselves into the
        output's metadata.
        """
        when = kwargs.pop(_TIME, None)
        self._check_keys(kwargs, when)
        about = OutputMetadata(
            additional_items=[item for item in (card, *args) if item is not None],
            dynamic_partitions={key: str(value) for key, value in kwargs.items()},
            time_partition=when,
            granularity=_on_the_wire(self.time_partition_granularity or Granularity.UNSET),
        )
        current_context().output_metadata_tracker.add(o, about)
        return o

    def _check_keys(self, keys: Iterable[str], when: Any) -> None:
        unknown = [key for key in keys if key not in self.partition_keys]
        if unknown:
            known = ", ".join(self.partition_keys) or "none"
            raise authoring_error(f"artifact '{self.name}' has no partition key {', '.join(unknown)} (it has {known})")
        if when is not None and not self.time_partitioned:
            raise authoring_error(f"artifact '{self.name}' is not time partitioned: Artifact(time_partitioned=True)")

    def __repr__(self) -> str:
        return f"Artifact(name={self.name!r}, partition_keys={list(self.partition_keys)})"


class ArtifactIDSpecification:
    """An artifact with some of its partitions; the others are decided while the task runs."""

    def __init__(self, artifact: Artifact, partitions: Mapping[str, Any]) -> None:
        given = dict(partitions)
        self._artifact = artifact
        self._when = given.pop(_TIME, None)
        artifact._check_keys(given, self._when)
        self._values = {key: self._label(key, value) for key, value in given.items()}

    def __call__(self, **partitions: Any) -> "ArtifactIDSpecification":
        """The same with further partitions."""
        further = ArtifactIDSpecification(self._artifact, partitions)
        further._values = {**self._values, **further._values}
        further._when = further._when if further._when is not None else self._when
        return further

    def to_partial_artifact_id(self) -> artifacts_pb2.ArtifactID:
        """What is known of the artifact before the run."""
        artifact = self._artifact
        key = artifacts_pb2.ArtifactKey(project=artifact.project, domain=artifact.domain, name=artifact.name)
        partial = artifacts_pb2.ArtifactID(artifact_key=key, version=artifact.version)
        for name in artifact.partition_keys:
            partial.partitions.value[name].CopyFrom(self._values.get(name, _WHILE_IT_RUNS))
        if artifact.time_partitioned:
            known = self._when is not None
            length = artifact.time_partition_granularity if known else None  # Flyte's SDK leaves it open as well
            value = self._label(_TIME, self._when) if known else _WHILE_IT_RUNS
            partial.time_partition.value.CopyFrom(value)
            partial.time_partition.granularity = _on_the_wire(length or Granularity.DAY)
        return partial

    def _label(self, key: str, value: Any) -> artifacts_pb2.LabelValue:
        if isinstance(value, artifacts_pb2.InputBindingData):
            return artifacts_pb2.LabelValue(input_binding=value)
        if key == _TIME and isinstance(value, datetime):
            moment = Timestamp()
            moment.FromDatetime(value if value.tzinfo else value.replace(tzinfo=UTC))
            return artifacts_pb2.LabelValue(time_value=moment)
        if key != _TIME and isinstance(value, str):
            return artifacts_pb2.LabelValue(static_value=value)
        wanted = "a datetime" if key == _TIME else "a str"
        raise authoring_error(
            f"partition {key} of artifact '{self._artifact.name}' must be {wanted} or Inputs.<name>, not {value!r}"
        )


def _on_the_wire(granularity: Granularity) -> "artifacts_pb2.Granularity.ValueType":
    return artifacts_pb2.Granularity.ValueType(granularity.value)


def declared_artifact(annotation: Any) -> artifacts_pb2.ArtifactID | None:
    """The artifact that an output of this annotation becomes, as far as it is known before the run."""
    for extra in extras_of(annotation):
        if isinstance(extra, Artifact):
            return extra().to_partial_artifact_id()
        if isinstance(extra, ArtifactIDSpecification):
            return extra.to_partial_artifact_id()
    return None


def check_bindings(
    interface: interface_pb2.TypedInterface, owner: str, *, location: str | None, runs_code: bool
) -> None:
    """Partitions are decided by inputs that there are, and while it runs only by what runs code."""
    for output, variable in interface.outputs.variables.items():
        if not variable.HasField("artifact_partial_id"):
            continue
        partial = variable.artifact_partial_id
        for key, label in _labels(partial).items():
            wanted = label.input_binding.var
            if wanted and wanted not in interface.inputs.variables:
                known = ", ".join(interface.inputs.variables) or "no inputs"
                raise authoring_error(
                    f"partition {key} of output '{output}' of '{owner}' is decided by the input '{wanted}', which is "
                    f"not there (there are {known})",
                    location=location,
                )
            if label.HasField("runtime_binding") and not runs_code:
                raise authoring_error(
                    f"partition {key} of output '{output}' of the workflow '{owner}' is not decided; say it, or which "
                    f"input decides it: Artifact(...)({key}=Inputs.<name>)",
                    location=location,
                )


def _labels(partial: artifacts_pb2.ArtifactID) -> dict[str, artifacts_pb2.LabelValue]:
    """The values of all partitions."""
    labels = dict(partial.partitions.value)
    if partial.HasField("time_partition"):
        labels[_TIME] = partial.time_partition.value
    return labels
