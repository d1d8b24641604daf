"""Runs in the environment that has flytekit: compiles what modules define and prints the protobufs as JSON."""

import collections
import contextlib
import importlib
import json
import sys

from flytekit import FlyteContextManager
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.core.context_manager import ExecutionState
from flytekit.models.launch_plan import LaunchPlan
from flytekit.tools.translator import get_serializable

SETTINGS = SerializationSettings(
    project="p", domain="d", version="v", env=None, image_config=ImageConfig.auto(img_name="image:1")
)


def compiled(name: str) -> dict:
    module = importlib.import_module(name)
    entities = collections.OrderedDict()
    spec = get_serializable(entities, SETTINGS, module.wf).to_flyte_idl()
    plans = [get_serializable(entities, SETTINGS, plan) for plan in getattr(module, "plans", ())]
    for task in getattr(module, "tasks", ()):
        get_serializable(entities, SETTINGS, task)
    tasks = [e.to_flyte_idl().template for e in entities.values() if type(e).__name__ == "TaskSpec"]
    assert all(isinstance(plan, LaunchPlan) for plan in plans)
    return {
        "workflow": spec.template.SerializeToString().hex(),
        "sub_workflows": [sub.SerializeToString().hex() for sub in spec.sub_workflows],
        "tasks": [template.SerializeToString().hex() for template in tasks],
        "plans": [[plan.id.name, plan.spec.to_flyte_idl().SerializeToString().hex()] for plan in plans],
        "dynamics": [wired(task, inputs) for task, inputs in getattr(module, "dynamics", ())],
    }


def wired(task, inputs: dict) -> list:
    """What the task is compiled to when it runs in a container; it is made anew for every set of inputs."""
    task._wf = None
    context = FlyteContextManager.current_context()
    state = context.new_execution_state().with_params(mode=ExecutionState.Mode.TASK_EXECUTION)
    builder = context.with_serialization_settings(SETTINGS).with_execution_state(state)
    with FlyteContextManager.with_context(builder) as context:
        made = task.compile_into_workflow(context, task.task_function, **inputs).to_flyte_idl()
    return [type(made).__name__, made.SerializeToString().hex()]


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    results = {}
    for module in sys.argv[2:]:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                results[module] = compiled(module)
        except Exception as error:
            results[module] = {"error": f"{type(error).__name__}: {error}"}
    json.dump(results, sys.stdout)
