"""What the launch plans around a node say of the attempts inside of it."""

from collections.abc import Sequence

from connectory.v1 import launch_plan_pb2
from workflow_runner.engine.rules import LAUNCH_PLANS_COUNT
from workflow_runner.engine.state import State

__all__ = ["attempt_place", "launches_around"]


def launches_around(state: State, path: str) -> Sequence[launch_plan_pb2.LaunchPlanSpec]:
    """What the launch plans say that have begun the workflows around a node, the innermost first."""
    found = []
    while "." in path:
        path = path.rpartition(".")[0]
        outer = state.nodes.get(path)
        if outer is not None and outer.spec.launch is not None:
            found.append(outer.spec.launch)
    return found


def attempt_place(
    state: State, path: str, attempt: int, launches: Sequence[launch_plan_pb2.LaunchPlanSpec] | None = None
) -> str:
    """The URL below which this attempt of a node may write, without a slash at its end; empty: nowhere.

    It is below the place that the innermost launch plan around the node names, or else below the execution's.
    `launches` are those around the node, for whoever knows them already.
    """
    prefix = _prefix(state, launches_around(state, path) if launches is None else launches).rstrip("/")
    return f"{prefix}/{state.execution}/{path}/{attempt}" if prefix else ""


def _prefix(state: State, launches: Sequence[launch_plan_pb2.LaunchPlanSpec]) -> str:
    if state.rules >= LAUNCH_PLANS_COUNT:
        for launch in launches:
            if launch.raw_output_data_config.output_location_prefix:
                return launch.raw_output_data_config.output_location_prefix
    return state.settings.output_prefix
