"""What a name means that somebody wants to start: a launch plan, or a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectory.client.control import ControlClient
from connectory.errors import NotFoundError
from connectory.v1 import control_pb2, identifiers_pb2, interface_pb2, launch_plan_pb2, tasks_pb2

__all__ = ["Startable", "find"]

_Name = launch_plan_pb2.NamedEntityIdentifier


@dataclass(frozen=True, kw_only=True)
class Startable:
    """Something registered that can be started."""

    identifier: identifiers_pb2.Identifier
    parameters: Mapping[str, interface_pb2.Parameter]
    """Its inputs, as far as they can be given."""


async def find(client: ControlClient, project: str, domain: str, name: str, version: str | None) -> Startable:
    """The launch plan of this name, or else the task; of a name without its module, when only one ends like this.

    Without a version it is the active one of a launch plan, or else the newest. NotFoundError lists what there is.
    """
    found = await _one(client, _Name(project=project, domain=domain, name=name), version)
    if found is not None:
        return found
    known = await _names(client, _Name(project=project, domain=domain))
    alike = [each for each in known if each.endswith(f".{name}")]
    if len(alike) == 1:
        found = await _one(client, _Name(project=project, domain=domain, name=alike[0]), version)
    if found is None:
        asked = f"{name!r} in version {version!r}" if version else repr(name)
        there = ", ".join(alike or known) or "nothing"
        raise NotFoundError(f"there is no launch plan or task {asked} in {project}, {domain}; there are: {there}")
    return found


async def _one(client: ControlClient, name: _Name, version: str | None) -> Startable | None:
    plan = await _plan(client, name, version)
    if plan is not None:
        return Startable(identifier=plan.id, parameters=plan.closure.expected_inputs.parameters)
    listed = (await client.list_tasks(_newest(name, version))).tasks
    return _startable(listed[0].closure.compiled_task.template) if listed else None


async def _plan(client: ControlClient, name: _Name, version: str | None) -> launch_plan_pb2.LaunchPlan | None:
    if version is None:
        try:
            return await client.get_active_launch_plan(launch_plan_pb2.ActiveLaunchPlanRequest(id=name))
        except NotFoundError:
            pass
    listed = (await client.list_launch_plans(_newest(name, version))).launch_plans
    return listed[0] if listed else None


def _newest(name: _Name, version: str | None) -> control_pb2.ResourceListRequest:
    request = control_pb2.ResourceListRequest(id=name, limit=1, filters=f"eq(version,{version})" if version else "")
    request.sort_by.key, request.sort_by.direction = "created_at", launch_plan_pb2.Sort.DESCENDING
    return request


async def _names(client: ControlClient, place: _Name) -> Sequence[str]:
    everything = control_pb2.ResourceListRequest(id=place, limit=1000)
    plans = (await client.list_launch_plans(everything)).launch_plans
    tasks = (await client.list_tasks(everything)).tasks
    return sorted({each.id.name for each in plans} | {each.id.name for each in tasks})


def _startable(task: tasks_pb2.TaskTemplate) -> Startable:
    inputs = task.interface.inputs.variables
    parameters = {name: interface_pb2.Parameter(var=variable, required=True) for name, variable in inputs.items()}
    return Startable(identifier=task.id, parameters=parameters)
