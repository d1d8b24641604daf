"""`connectory register`: what a file defines, registered with a runner."""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import uvloop

from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.loading import find_workflows
from connectory.authoring.resolver import locator_of
from connectory.authoring.workflow_base import WorkflowBase
from connectory.client.packing import pack
from connectory.client.registering import Registered, register
from connectory.client.uploading import upload
from connectory.compiler import compile_launch_plan, compile_workflow, launch_plans_of
from connectory.errors import AuthoringError
from connectory.v1 import identifiers_pb2, launch_plan_pb2, workflow_pb2
from connectory_cli.controls import open_control
from connectory_cli.loading import load
from connectory_cli.printing import print_json, print_table
from workflow_runner.python.code import CODE_VARIABLE
from workflow_runner.sources import mark_sources

__all__ = ["RegisterOptions", "register_file"]

_VERSION_LENGTH = 22
_KINDS = {
    int(identifiers_pb2.TASK): "task",
    int(identifiers_pb2.WORKFLOW): "workflow",
    int(identifiers_pb2.LAUNCH_PLAN): "launch plan",
}


@dataclass(frozen=True, kw_only=True)
class RegisterOptions:
    """What `connectory register` was asked for."""

    file: Path
    endpoint: str | None
    store: str | None
    project: str
    domain: str
    version: str | None
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class _Compiled:
    closures: Sequence[workflow_pb2.CompiledWorkflowClosure]
    plans: Sequence[launch_plan_pb2.LaunchPlan]


def register_file(options: RegisterOptions) -> int:
    """Register all that a file defines; the exit code is 0 once all of it is registered."""
    module = load(options.file)
    code = pack(options.file)
    version = options.version or _digest(_compiled(module, options, ""), code)
    compiled = _compiled(module, options, version)

    async def session() -> Sequence[Registered]:
        async with open_control(options.endpoint, options.store) as client:
            if any(_is_python(task) for closure in compiled.closures for task in closure.tasks):
                place = {"project": options.project, "domain": options.domain}
                url = await upload(client, code, name="code.tar.gz", **place)
                _let_code_be_found(compiled.closures, url)
            return await register(client, compiled.closures, compiled.plans)

    _print(uvloop.run(session()), options.as_json)
    return 0


def _compiled(module: ModuleType, options: RegisterOptions, version: str) -> _Compiled:
    project, domain = options.project, options.domain
    workflows = {workflow.name: workflow for workflow in find_workflows(module)}
    plans = [value for value in vars(module).values() if isinstance(value, LaunchPlan)]
    if not workflows and not plans:
        raise AuthoringError(f"{options.file} defines no workflow and no launch plan")
    named = {plan.name: plan for plan in plans}
    for workflow in [*workflows.values(), *(plan.workflow for plan in plans)]:
        _add(workflow, workflows, named)
    closures = [
        compile_workflow(workflow, project=project, domain=domain, version=version) for workflow in workflows.values()
    ]
    for closure in closures:
        mark_sources(task.template for task in closure.tasks)
    compiled = [compile_launch_plan(plan, project=project, domain=domain, version=version) for plan in named.values()]
    return _Compiled(closures=closures, plans=compiled)


def _add(workflow: WorkflowBase, workflows: dict[str, WorkflowBase], plans: dict[str, LaunchPlan]) -> None:
    """The workflow, its default launch plan, and the launch plans that its nodes start."""
    workflows.setdefault(workflow.name, workflow)
    plans.setdefault(workflow.name, LaunchPlan.get_default_launch_plan(workflow))
    for plan in launch_plans_of(workflow):
        plans.setdefault(plan.name, plan)
        if plan.workflow.name not in workflows:
            _add(plan.workflow, workflows, plans)


def _is_python(task: workflow_pb2.CompiledTask) -> bool:
    return locator_of(task.template) is not None


def _let_code_be_found(closures: Sequence[workflow_pb2.CompiledWorkflowClosure], url: str) -> None:
    """Say in the tasks themselves where their modules are, for a runner on any machine."""
    for closure in closures:
        for task in closure.tasks:
            if _is_python(task):
                task.template.container.env.add(key=CODE_VARIABLE, value=url)


def _digest(compiled: _Compiled, code: bytes) -> str:
    digest = hashlib.sha256(code)
    for message in (*compiled.closures, *compiled.plans):
        digest.update(message.SerializeToString(deterministic=True))
    return digest.hexdigest()[:_VERSION_LENGTH]


def _print(found: Sequence[Registered], as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "kind": _KINDS[each.identifier.resource_type],
            "name": each.identifier.name,
            "version": each.identifier.version,
            "state": "new" if each.is_new else "known",
        }
        for each in found
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(["kind", "name", "version", "state"], [[str(value) for value in row.values()] for row in rows])
    sys.stdout.flush()
