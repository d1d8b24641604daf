"""Outputs become artifacts: what is known beforehand is declared, and the rest is said while the task runs."""

import base64
from datetime import datetime
from typing import Annotated, Any

import pytest

from connectory import Artifact, task, workflow
from connectory.authoring import execute_task
from connectory.authoring.artifacts import Granularity, Inputs
from connectory.errors import AuthoringError
from connectory.v1 import artifacts_pb2, literals_pb2

Prices = Artifact(name="prices", partition_keys=["region", "kind"])
Hourly = Artifact(name="hourly", time_partitioned=True, time_partition_granularity=Granularity.HOUR)


class Card:
    def serialize_to_string(self, ctx: Any, variable_name: str) -> tuple[str, str]:
        return "card", f"about {variable_name}"


@task
def price(region: str) -> tuple[Annotated[list[float], Prices(kind="spot")], Annotated[str, Hourly]]:
    spot = [1.5]
    report = "prices of an hour"
    return Prices.create_from(spot, Card(), region=region), Hourly.create_from(
        report, time_partition=datetime(2024, 2, 29, 12)
    )


def said(literal: literals_pb2.Literal) -> artifacts_pb2.ArtifactID:
    return artifacts_pb2.ArtifactID.FromString(base64.b64decode(literal.metadata["_uap"]))


def test_what_is_decided_while_a_task_runs_arrives_with_its_outputs() -> None:
    inputs = literals_pb2.LiteralMap()
    inputs.literals["region"].scalar.primitive.string_value = "north"
    outputs = execute_task(price, inputs).literals
    assert said(outputs["o0"]).partitions.value["region"].static_value == "north"
    assert outputs["o0"].metadata["card"] == "about o0"
    when = said(outputs["o1"]).time_partition
    assert (when.value.time_value.ToDatetime(), when.granularity) == (datetime(2024, 2, 29, 12), Granularity.HOUR)


def test_what_is_known_beforehand_is_declared() -> None:
    declared = price.typed_interface.outputs.variables["o0"].artifact_partial_id
    assert declared.artifact_key.name == "prices"
    assert declared.partitions.value["kind"].static_value == "spot"
    assert declared.partitions.value["region"].HasField("runtime_binding")


def test_mistakes_are_told() -> None:
    with pytest.raises(AuthoringError, match=r"needs a name"):
        Artifact()
    with pytest.raises(AuthoringError, match="has 11 partition keys; 10 are possible"):
        Artifact(name="many", partition_keys=[f"k{index}" for index in range(11)])
    with pytest.raises(AuthoringError, match=r"'prices' has no partition key place \(it has region, kind\)"):
        Prices(place="north")
    with pytest.raises(AuthoringError, match="'prices' is not time partitioned"):
        Prices.create_from(1, time_partition=datetime(2024, 1, 1))
    with pytest.raises(AuthoringError, match=r"region of artifact 'prices' must be a str or Inputs\.<name>, not 3"):
        Prices(region=3)
    with pytest.raises(AuthoringError, match="must be a datetime or Inputs"):
        Hourly(time_partition="today").to_partial_artifact_id()


def test_partitions_are_decided_by_what_can_decide_them() -> None:
    with pytest.raises(AuthoringError, match=r"the input 'place', which is not there \(there are a\)") as caught:

        @task
        def lost(a: int) -> Annotated[int, Prices(region=Inputs.place)]:
            return a

    assert "test_artifacts.py" in str(caught.value)
    with pytest.raises(AuthoringError, match=r"partition kind of output 'o0' of the workflow .* is not decided"):

        @workflow
        def undecided(region: str) -> Annotated[list[float], Prices(region=Inputs.region)]:
            return price(region=region)[0]
