"""What a file defines that can be registered."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.loading import find_workflows
from connectory.authoring.own_container import change_variables
from connectory.authoring.python_task import PythonTask
from connectory.authoring.reference import ReferenceTask
from connectory.authoring.resolver import locator_of
from connectory.authoring.workflow_base import WorkflowBase
from connectory.compiler import compile_launch_plan, compile_task, compile_workflow, launch_plans_of
from connectory.errors import AuthoringError
from connectory.v1 import launch_plan_pb2, tasks_pb2, workflow_pb2
from workflow_runner.python.code import CODE_VARIABLE
from workflow_runner.sources import mark_sources

__all__ = ["Registrable", "digest_of", "registrable"]

_VERSION_LENGTH = 22


@dataclass(frozen=True, kw_only=True)
class Registrable:
    """The compiled content of a file."""

    closures: Sequence[workflow_pb2.CompiledWorkflowClosure]
    plans: Sequence[launch_plan_pb2.LaunchPlan]
    tasks: Sequence[tasks_pb2.TaskTemplate]
    """Those that no workflow uses."""

    @property
    def has_python(self) -> bool:
        """Whether a task's code is Python, so that it must be found where it runs."""
        return any(True for _ in self._python_tasks())

    def say_where_code_is(self, url: str) -> None:
        """Name the archive with the modules in the tasks themselves, for a runner on any machine."""
        for template in self._python_tasks():
            change_variables(template, {CODE_VARIABLE: url})

    def _python_tasks(self) -> Iterator[tasks_pb2.TaskTemplate]:
        templates = [task.template for closure in self.closures for task in closure.tasks]
        return (template for template in (*templates, *self.tasks) if locator_of(template) is not None)


def registrable(module: ModuleType, *, project: str, domain: str, version: str) -> Registrable:
    """The workflows of a module with their default launch plans, its other launch plans, what these start, its tasks.

    AuthoringError when there is nothing.
    """
    workflows = {workflow.name: workflow for workflow in find_workflows(module)}
    plans = {value.name: value for value in vars(module).values() if isinstance(value, LaunchPlan)}
    for workflow in [*workflows.values(), *(plan.workflow for plan in plans.values())]:
        _add(workflow, workflows, plans)
    closures = [
        compile_workflow(workflow, project=project, domain=domain, version=version) for workflow in workflows.values()
    ]
    used = {task.template.id.name for closure in closures for task in closure.tasks}
    loose = [
        compile_task(task, project=project, domain=domain, version=version)
        for task in _tasks(module)
        if task.name not in used
    ]
    if not workflows and not loose:
        raise AuthoringError(f"{module.__file__} defines no workflow, no launch plan and no task")
    mark_sources((*(task.template for closure in closures for task in closure.tasks), *loose))
    return Registrable(
        closures=closures,
        plans=[compile_launch_plan(plan, project=project, domain=domain, version=version) for plan in plans.values()],
        tasks=loose,
    )


def digest_of(content: Registrable, code: bytes) -> str:
    """A version that is the same for the same content."""
    digest = hashlib.sha256(code)
    for message in (*content.closures, *content.plans, *content.tasks):
        digest.update(message.SerializeToString(deterministic=True))
    return digest.hexdigest()[:_VERSION_LENGTH]


def _add(workflow: WorkflowBase, workflows: dict[str, WorkflowBase], plans: dict[str, LaunchPlan]) -> None:
    """The workflow, its default launch plan, and the launch plans that its nodes start."""
    workflows.setdefault(workflow.name, workflow)
    plans.setdefault(workflow.name, LaunchPlan.get_default_launch_plan(workflow))
    for plan in launch_plans_of(workflow):
        plans.setdefault(plan.name, plan)
        if plan.workflow.name not in workflows:
            _add(plan.workflow, workflows, plans)


def _tasks(module: ModuleType) -> "list[PythonTask[object]]":
    """The tasks that are defined in the module: not those that it imports, or that are registered elsewhere."""
    found = {id(value): value for value in vars(module).values() if isinstance(value, PythonTask)}
    return [task for task in found.values() if not isinstance(task, ReferenceTask) and _home(task) == module.__name__]


def _home(task: "PythonTask[object]") -> str | None:
    function = getattr(task, "task_function", None)
    return getattr(function, "__module__", None) if function is not None else getattr(task, "module", None)
