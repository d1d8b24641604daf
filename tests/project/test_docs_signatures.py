"""docs/coming-from-flytekit.md, parameters: names that both packages have take the same, or the page says otherwise."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import connectory
from connectory.authoring.eager_task import EagerTask
from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.node import Node, Overrides
from connectory.authoring.promise import Promise
from tests.project.test_docs_flytekit import TOP, ask, rows, with_flytekit, words

_SIGNATURES = """
import importlib, inspect, json, sys
def named(path):
    parts = path.split(".")
    for size in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:size]))
        except ModuleNotFoundError:
            continue
        for part in parts[size:]:
            found = getattr(found, part)
        return found
def parameters(path):
    made = named(path)
    if inspect.isclass(made):
        made = made.__init__
        if made is object.__init__:
            return []
    found = list(inspect.signature(made).parameters.values())
    if found and found[0].name == "self":
        del found[0]
    return [p.name for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name[0] != "_"]
print(json.dumps({path: parameters(path) for path in json.load(sys.stdin)}))
"""

_ENUMS = {"WorkflowExecutionPhase", "ConcurrencyLimitBehavior", "WorkflowFailurePolicy", "CachePolicy"}
_METHODS: dict[str, Callable[..., Any]] = {
    "core.launch_plan.LaunchPlan.create": LaunchPlan.create,
    "core.launch_plan.LaunchPlan.get_or_create": LaunchPlan.get_or_create,
    "core.node.Node.with_overrides": Node.with_overrides,
    "core.node.Node.runs_before": Node.runs_before,
    "core.promise.Promise.with_overrides": Promise.with_overrides,
    "core.workflow.ImperativeWorkflow.add_entity": connectory.Workflow.add_entity,
    "core.workflow.ImperativeWorkflow.add_workflow_input": connectory.Workflow.add_workflow_input,
    "core.workflow.ImperativeWorkflow.add_workflow_output": connectory.Workflow.add_workflow_output,
    "core.workflow.ImperativeWorkflow.add_on_failure_handler": connectory.Workflow.add_on_failure_handler,
    "core.workflow.ImperativeWorkflow.create_conditional": connectory.Workflow.create_conditional,
    "core.node_creation.create_node": connectory.create_node,
    "core.base_task.PythonTask": connectory.PythonTask,
    "core.interface.Interface": connectory.Interface,
    "core.python_customized_container_task.PythonCustomizedContainerTask": connectory.PythonCustomizedContainerTask,
    "core.python_function_task.EagerAsyncPythonFunctionTask": EagerTask,
    "core.shim_task.ExecutableTemplateShimTask": connectory.ExecutableTemplateShimTask,
    "core.schedule.OnSchedule": connectory.OnSchedule,
    "extras.tasks.shell.ShellTask": connectory.ShellTask,
    "extras.tasks.shell.OutputLocation": connectory.OutputLocation,
    "models.common.RawOutputDataConfig": connectory.RawOutputDataConfig,
    "models.schedule.Schedule": connectory.Schedule,
    "models.security.Identity": connectory.Identity,
}
OURS: dict[str, Callable[..., Any]] = {
    name: getattr(connectory, name) for name, state, _ in TOP if state == "same" and name not in _ENUMS
} | _METHODS
LISTED: dict[str, list[str]] = {}
for _names, _lacking, _ in rows("Parameters"):
    for _name in words(_names):
        LISTED[_name] = [*LISTED.get(_name, []), *words(_lacking)]


def parameters(made: Callable[..., Any]) -> dict[str, Any]:
    """What something takes by name, with what it hands on to others."""
    found = dict(inspect.signature(made).parameters)
    if not any(one.kind is one.VAR_KEYWORD for one in found.values()):
        return found
    if made in (connectory.dynamic, connectory.eager):
        return found | parameters(connectory.task)
    if made == Promise.with_overrides:
        return found | parameters(Node.with_overrides)
    if made == Node.with_overrides:
        return found | parameters(Overrides)
    if made == LaunchPlan.get_or_create:
        return found | parameters(LaunchPlan.create)
    for base in made.__mro__[1:] if inspect.isclass(made) else ():
        if "__init__" in vars(base):
            return found | parameters(base)
    return found


@pytest.fixture(scope="module")
def theirs() -> dict[str, list[str]]:
    answer = ask(_SIGNATURES, [f"flytekit.{name}" for name in OURS])
    return {path.removeprefix("flytekit."): names for path, names in answer.items()}


@with_flytekit
@pytest.mark.parametrize("name", OURS)
def test_the_same_parameters_are_taken(name: str, theirs: dict[str, list[str]]) -> None:
    assert sorted(set(theirs[name]) - set(parameters(OURS[name]))) == sorted(LISTED.get(_shown(name), []))


@with_flytekit
@pytest.mark.parametrize("name", OURS)
def test_what_may_be_given_by_position_has_the_same_order(name: str, theirs: dict[str, list[str]]) -> None:
    """A parameter that can be given by position here is at the place where flytekit has it."""
    by_position = [
        one.name
        for one in inspect.signature(OURS[name]).parameters.values()
        if one.kind is one.POSITIONAL_OR_KEYWORD and one.name != "self" and one.name in theirs[name]
    ]
    assert by_position == theirs[name][: len(by_position)]


def test_everything_listed_is_a_name_that_both_have() -> None:
    assert LISTED.keys() <= {_shown(name) for name in OURS}


def _shown(name: str) -> str:
    """As the page writes it: methods with their class, and everything else by its own name."""
    *_, owner, own = ["", *name.split(".")]
    return f"{owner}.{own}" if owner[:1].isupper() else own
