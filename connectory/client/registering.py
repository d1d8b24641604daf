"""Registering compiled workflows, with all that they call, in an order that a control API accepts."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from connectory.client.control import ControlClient
from connectory.errors import AlreadyExistsError
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2, tasks_pb2, workflow_pb2

__all__ = ["Registered", "register"]

Request = TypeVar("Request")


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One thing that is registered now."""

    identifier: identifiers_pb2.Identifier
    is_new: bool
    """False: it was there before, with the same content."""


async def register(
    client: ControlClient,
    closures: Iterable[workflow_pb2.CompiledWorkflowClosure],
    launch_plans: Iterable[launch_plan_pb2.LaunchPlan] = (),
    tasks: Iterable[tasks_pb2.TaskTemplate] = (),
) -> Sequence[Registered]:
    """Register every task, workflow and launch plan, each after what it needs; launch plans as active as they say.

    What is registered already with the same content is left as it is; other content under the same identifier is an
    InvalidTaskError. Launch plans that nodes start and that are not among these must be registered before.
    """
    work = _Work(client, closures, launch_plans)
    for template in tasks:
        await work.task(template)
    await work.all()
    return list(work.done.values())


class _Work:
    def __init__(
        self,
        client: ControlClient,
        closures: Iterable[workflow_pb2.CompiledWorkflowClosure],
        plans: Iterable[launch_plan_pb2.LaunchPlan],
    ) -> None:
        self._client = client
        self._closures = {_key(closure.primary.template.id): closure for closure in closures}
        self._plans = {_key(plan.id): plan for plan in plans}
        self.done: dict[bytes, Registered] = {}

    async def all(self) -> None:
        for closure in self._closures.values():
            await self._workflow(closure)
        for plan in self._plans.values():
            await self._plan(plan)

    async def task(self, template: tasks_pb2.TaskTemplate) -> None:
        request = control_pb2.TaskCreateRequest(id=template.id, spec=control_pb2.TaskSpec(template=template))
        await self._once(template.id, self._client.create_task, request)

    async def _workflow(self, closure: workflow_pb2.CompiledWorkflowClosure) -> None:
        template = closure.primary.template
        if _key(template.id) in self.done:
            return
        for task in closure.tasks:
            await self.task(task.template)
        for called in closure.launch_plans:
            if _key(called.template.id) in self._plans:
                await self._plan(self._plans[_key(called.template.id)])
        spec = control_pb2.WorkflowSpec(
            template=template, sub_workflows=[each.template for each in closure.sub_workflows]
        )
        workflow = control_pb2.WorkflowCreateRequest(id=template.id, spec=spec)
        await self._once(template.id, self._client.create_workflow, workflow)

    async def _plan(self, plan: launch_plan_pb2.LaunchPlan) -> None:
        if _key(plan.id) in self.done:
            return
        workflow = self._closures.get(_key(plan.spec.workflow_id))
        if workflow is not None:
            await self._workflow(workflow)
        request = launch_plan_pb2.LaunchPlanCreateRequest(id=plan.id, spec=plan.spec)
        await self._once(plan.id, self._client.create_launch_plan, request)
        if plan.closure.state == launch_plan_pb2.ACTIVE:
            change = launch_plan_pb2.LaunchPlanUpdateRequest(id=plan.id, state=launch_plan_pb2.ACTIVE)
            await self._client.update_launch_plan(change)

    async def _once(
        self, identifier: identifiers_pb2.Identifier, create: Callable[[Request], Awaitable[object]], request: Request
    ) -> None:
        key = _key(identifier)
        if key in self.done:
            return
        try:
            await create(request)
        except AlreadyExistsError:
            self.done[key] = Registered(identifier=identifier, is_new=False)
        else:
            self.done[key] = Registered(identifier=identifier, is_new=True)


def _key(identifier: identifiers_pb2.Identifier) -> bytes:
    return identifier.SerializeToString(deterministic=True)
