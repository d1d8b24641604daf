"""Every list of the control API is chosen, ordered and given in pages by the same words, whatever it lists."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import message_factory

from connectory.client.registering import register
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2
from tests.workflow_runner.control.flows import AGAIN, FAILED, diamond
from tests.workflow_runner.control.harness import Control, plan_of, serving
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import INTEGER, closure, integer, signal, workflow

PLACE = {"project": "p", "domain": "d"}
EXECUTION = {**PLACE, "name": "run-1"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A list of which the names are known."""

    method: str
    within: dict[str, Any]
    """Where its entries are."""
    field: str
    name: Callable[[Any], str]
    """What an entry is called."""
    every: tuple[str, ...]
    """The entries, in the order of that name."""
    key: str
    """What is filtered and sorted by, so that they come in this order; empty: it cannot be."""
    filtered: bool = True


def _id(entry: Any) -> str:
    return str(entry.id.name)


def _version(entry: Any) -> str:
    return f"{entry.id.name} {entry.id.version}"


FLOWS = ("flow-1", "flow-2", "flow-3")
VERSIONS = tuple(f"flow-1 {number}" for number in range(1, 4))
OF_FLOW = {"id": {**PLACE, "name": "flow-1"}}
CASES = [
    Case(
        method="AdminService.ListTasks",
        within={"id": {**PLACE, "name": "add"}},
        field="tasks",
        name=_version,
        every=("add 1",),
        key="version",
    ),
    Case(
        method="AdminService.ListWorkflows",
        within=OF_FLOW,
        field="workflows",
        name=_version,
        every=VERSIONS,
        key="version",
    ),
    Case(
        method="AdminService.ListLaunchPlans",
        within=OF_FLOW,
        field="launch_plans",
        name=_version,
        every=VERSIONS,
        key="version",
    ),
    Case(
        method="AdminService.ListActiveLaunchPlans",
        within=PLACE,
        field="launch_plans",
        name=_id,
        every=FLOWS,
        key="name",
        filtered=False,
    ),
    Case(
        method="AdminService.ListWorkflowIds",
        within=PLACE,
        field="entities",
        name=lambda entry: str(entry.name),
        every=(*FLOWS, "gates"),
        key="name",
    ),
    Case(
        method="AdminService.ListLaunchPlanIds",
        within=PLACE,
        field="entities",
        name=lambda entry: str(entry.name),
        every=(*FLOWS, "gates"),
        key="name",
    ),
    Case(
        method="AdminService.ListTaskIds",
        within=PLACE,
        field="entities",
        name=lambda entry: str(entry.name),
        every=("add",),
        key="name",
    ),
    Case(
        method="AdminService.ListNamedEntities",
        within={**PLACE, "resource_type": identifiers_pb2.WORKFLOW},
        field="entities",
        name=_id,
        every=(*FLOWS, "gates"),
        key="name",
    ),
    Case(
        method="AdminService.ListExecutions",
        within={"id": PLACE},
        field="executions",
        name=_id,
        every=("gated", "run-1", "run-2", "run-3"),
        key="name",
    ),
    Case(
        method="AdminService.ListNodeExecutions",
        within={"workflow_execution_id": EXECUTION},
        field="node_executions",
        name=lambda entry: str(entry.id.node_id),
        every=("join", "left", "right", "top"),
        key="node_id",
    ),
    Case(
        method="AdminService.ListTaskExecutions",
        within={"node_execution_id": {"node_id": "left", "execution_id": EXECUTION}},
        field="task_executions",
        name=lambda entry: str(entry.id.retry_attempt),
        every=("0", "1"),
        key="retry_attempt",
    ),
    Case(
        method="AdminService.ListProjects",
        within={},
        field="projects",
        name=lambda entry: str(entry.id),
        every=("another", "default", "other"),
        key="identifier",
    ),
    Case(
        method="SignalService.ListSignals",
        within={"workflow_execution_id": {**PLACE, "name": "gated"}},
        field="signals",
        name=lambda entry: str(entry.id.signal_id),
        every=("first", "second", "third"),
        key="signal_id",
    ),
]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'runner.db'}"


async def fill(control: Control) -> None:
    """Three of everything, or so."""
    for name in FLOWS:
        for version in ("1", "2", "3") if name == "flow-1" else ("1",):
            made = diamond(name, version)
            plan = plan_of(made)
            plan.closure.state = launch_plan_pb2.ACTIVE
            await register(control.client, [made], [plan])
    waiting = [signal(name, name, INTEGER) for name in ("first", "second", "third")]
    gates = await control.register(closure(workflow("gates", waiting), []))
    plan = plan_of(diamond("flow-1")).id
    for number in (2, 3, 1):
        await control.ended(await control.start(plan, f"run-{number}", a=integer(number)))
    await control.start(gates, "gated")
    for project in ("other", "another"):
        request = control_pb2.ProjectRegisterRequest(project=control_pb2.Project(id=project))
        await control.call("AdminService.RegisterProject", request)


def request_for(case: Case, **fields: Any) -> Any:
    service, name = case.method.split(".")
    found = control_pb2.DESCRIPTOR.services_by_name[service].methods_by_name[name]
    return message_factory.GetMessageClass(found.input_type)(**case.within, **fields)


async def listed(control: Control, case: Case, **fields: Any) -> list[str]:
    """The names of all entries, page by page."""
    names: list[str] = []
    token = ""
    while True:
        answer = await control.call(case.method, request_for(case, token=token, **fields))
        entries = getattr(answer, case.field)
        assert len(entries) <= fields.get("limit", 100)
        names.extend(map(case.name, entries))
        token = answer.token
        if not token:
            return names


async def test_lists_are_given_in_pages_in_the_order_and_by_the_conditions_asked_for(store: str) -> None:
    async with serving(store, FakePlugin({"left": [AGAIN, None]})) as control:
        await fill(control)
        for case in CASES:
            every = list(case.every)
            assert sorted(await listed(control, case)) == every, case.method
            assert sorted(await listed(control, case, limit=1)) == every, case.method
            for direction in ("ASCENDING", "DESCENDING"):
                order = {"key": case.key, "direction": direction}
                wanted = every if direction == "ASCENDING" else every[::-1]
                assert await listed(control, case, limit=2, sort_by=order) == wanted, case.method
            if case.filtered:
                last = every[-1].rpartition(" ")[2]
                assert await listed(control, case, filters=f"eq({case.key},{last})") == every[-1:], case.method
                others = await listed(control, case, limit=1, filters=f"ne({case.key},{last})")
                assert sorted(others) == every[:-1], case.method


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.method)
async def test_what_is_asked_for_in_other_words_is_refused_by_name(case: Case) -> None:
    async with serving(plugin=FakePlugin({"left": [AGAIN, FAILED]})) as control:
        await fill(control)
        wrong = [{"token": "made up"}, {"sort_by": {"key": "color"}}]
        if case.filtered:
            wrong.append({"filters": "eq(color,red)"})
        for fields in wrong:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await control.call(case.method, request_for(case, **fields))
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "made up" in str(refused.value.details()) or "color" in str(refused.value.details())
