"""Outputs that become artifacts."""

__all__ = ["PROGRAMS"]

_PREAMBLE = """
from typing_extensions import Annotated

Prices = Artifact(name="prices", partition_keys=["region", "kind"])
Daily = Artifact(name="daily", time_partitioned=True)
Hourly = Artifact(
    project="p1", domain="d1", name="hourly", version="v1",
    time_partitioned=True, time_partition_granularity=Granularity.HOUR, partition_keys=["region"],
)
"""
_TYPES = {
    "plain": "Artifact(name='plain')",
    "decided_while_it_runs": "Prices",
    "partly_bound": "Prices(region='north')",
    "bound_to_an_input": "Prices(region=Inputs.place, kind='a')",
    "of_a_day": "Daily",
    "at_an_instant": "Daily(time_partition=datetime.datetime(2024, 2, 29, 12))",
    "by_an_inputs_time": "Hourly(time_partition=Inputs.when, region=Inputs.place)",
    "everything": "Hourly(time_partition=datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc))(region='x')",
}
PROGRAMS = {
    **{
        f"artifact_{name}": f"""{_PREAMBLE}
@task
def make(place: str, when: datetime.datetime) -> Annotated[int, {artifact}]:
    return 1

@workflow
def wf(place: str, when: datetime.datetime) -> int:
    return make(place=place, when=when)
"""
        for name, artifact in _TYPES.items()
    },
    "artifacts_of_workflows": f"""{_PREAMBLE}
@workflow
def wf(place: str, a: int) -> (Annotated[int, Prices(region=Inputs.place, kind="x")], Annotated[int, "doc"]):
    return double(a=a), double(a=a)
""",
    "artifact_as_an_input": f"""{_PREAMBLE}
@task
def use(a: Annotated[int, Prices]) -> int:
    return a

@workflow
def wf(a: Annotated[int, Artifact(name="plain")]) -> int:
    return use(a=a)
""",
}
