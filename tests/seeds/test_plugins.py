"""What the document on plugins shows, works: here and in a container."""

from pathlib import Path

from connectory.authoring import FunctionTask, locator_of
from connectory.compiler import compile_task
from connectory.v1 import literals_pb2
from tests.connectory.execute.container import run_container
from tests.seeds import custom_task


def test_a_custom_task_runs_its_executor_here() -> None:
    assert custom_task.my_task(input_key="text") == "Processed text"


def test_a_custom_task_runs_in_its_container(tmp_path: Path) -> None:
    template = compile_task(custom_task.my_task)
    assert template.type == "my_custom_task_type"
    assert template.container.image == "my-custom-image:latest"
    assert template.custom["config_message"] == "Hello from config!"
    assert locator_of(template) is not None
    inputs = literals_pb2.LiteralMap()
    inputs.literals["input_key"].scalar.primitive.string_value = "text"
    outcome = run_container(template, inputs, tmp_path)
    assert outcome.outputs is not None, outcome.said
    assert outcome.outputs.literals["output_key"].scalar.primitive.string_value == "Processed text"
    assert "Executing with custom data: {'config_message': 'Hello from config!'}" in outcome.said


def test_a_config_chooses_the_task() -> None:
    assert isinstance(custom_task.my_custom_task_func, custom_task.MyCustomFunctionTask)
    assert custom_task.my_custom_task_func(input_key="text") == "Processed text"
    template = compile_task(custom_task.my_custom_task_func)
    assert (template.type, template.custom["config_message"]) == ("my_custom_task_type", "Hello from config!")
    assert list(template.interface.inputs.variables) == ["input_key"]


def test_a_config_that_nobody_knows_makes_a_function_task() -> None:
    assert type(custom_task.plain_task_func) is FunctionTask
    assert custom_task.plain_task_func(input_key="text") == "text"
