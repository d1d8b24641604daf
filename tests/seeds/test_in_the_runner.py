"""The documents' tasks are run by the durable runner, from their compiled protobuf, as they are in plain Python."""

from pathlib import Path
from typing import Any

import pytest

from connectory.authoring import task, workflow
from connectory.authoring.conversion import conversion_context, type_registry
from connectory.compiler import compile_workflow
from tests.seeds import custom_task, greeting, node_overrides, sensor
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store


@task
def exclaim(text: str) -> str:
    return f"{text}!"


@workflow
def through_a_prebuilt_container(text: str) -> str:
    return exclaim(text=custom_task.my_task(input_key=text))


async def _run(entity: Any, **values: Any) -> Any:
    closure = compile_workflow(entity)
    inputs = type_registry().map_to_literals(
        values, entity.typed_interface.inputs, conversion_context(), entity.interface.inputs
    )
    async with Runner(open_store("memory://"), [python_task_plugin("thread")]) as runner:
        result = await runner.wait(await runner.start(closure, inputs))
    assert result.phase is ExecutionPhase.SUCCEEDED, result
    outputs = type_registry().map_to_python(
        result.outputs, entity.typed_interface.outputs, conversion_context(), entity.interface.outputs
    )
    (value,) = outputs.values()
    return value


@pytest.mark.parametrize(
    ("entity", "values"),
    [
        (greeting.greeting_workflow, {"name_input": "Ada"}),
        (greeting.wb, {"name_input": "Ada"}),
        (node_overrides.my_workflow_with_overrides, {"x": 1}),
        (sensor.my_workflow, {"path": str(Path(__file__))}),
        (through_a_prebuilt_container, {"text": "text"}),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
async def test_the_runner_gives_what_plain_python_gives(entity: Any, values: dict[str, Any]) -> None:
    assert await _run(entity, **values) == entity(**values)
