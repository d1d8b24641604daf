"""A task's code on literals, as runners and containers execute it."""

import asyncio
import concurrent.futures
from pathlib import Path

import pytest

from connectory.authoring import TaskContext, TaskFailedError, current_context, execute_task, task
from connectory.types import ConversionContext, default_types
from connectory.v1 import identifiers_pb2, literals_pb2
from tests.connectory.authoring import sample

TYPES = default_types()


def literals(task: sample.PythonTask, **values: object) -> literals_pb2.LiteralMap:
    """Inputs of a task as literals."""
    return TYPES.map_to_literals(values, task.typed_interface.inputs, ConversionContext(), task.interface.inputs)


@task
def whoami(wait: int) -> str:
    return f"{current_context().execution_id.name} {current_context().attempt}"


@task
async def loops(a: int) -> int:
    await asyncio.sleep(0)
    return a + 1


def test_outputs_are_literals_of_the_declared_interface() -> None:
    outputs = execute_task(sample.plain_pair, literals(sample.plain_pair, a=7))
    assert outputs.literals["o0"].scalar.primitive.integer == 7
    assert outputs.literals["o1"].scalar.primitive.string_value == "7"


def test_a_void_task_gives_nothing() -> None:
    assert execute_task(sample.note, literals(sample.note, text="x")) == literals_pb2.LiteralMap()


def test_an_exception_is_the_users_with_a_traceback_that_begins_in_their_code() -> None:
    with pytest.raises(TaskFailedError) as caught:
        execute_task(sample.broken, literals(sample.broken, a=3))
    error = caught.value
    assert (error.kind, error.code) == ("user", "ValueError")
    assert error.message == "ValueError: 3 is not my number"
    assert isinstance(error.__cause__, ValueError)
    first_frame = error.traceback.splitlines()[1]
    assert "sample.py" in first_frame
    assert error.traceback.rstrip().endswith("ValueError: 3 is not my number")


def test_a_result_that_does_not_fit_is_the_users_error() -> None:
    with pytest.raises(TaskFailedError, match="returned what it does not declare") as caught:
        execute_task(sample.lying, literals(sample.lying, a=3))
    assert caught.value.kind == "user"


@pytest.mark.parametrize("result", [None, 1, (1, 2, 3), [1, 2]])
def test_a_result_of_another_shape_names_the_declared_outputs(result: object) -> None:
    @task
    def shaped() -> tuple[int, str]:
        return result

    with pytest.raises(TaskFailedError, match="declares the outputs o0: int, o1: str, but returned"):
        execute_task(shaped, literals_pb2.LiteralMap())


def test_an_input_that_is_missing_or_of_another_type_is_named() -> None:
    with pytest.raises(TaskFailedError, match="a"):
        execute_task(sample.double, literals_pb2.LiteralMap())
    with pytest.raises(TaskFailedError, match="a"):
        execute_task(sample.double, literals(sample.note, text="x"))


def test_an_async_task_runs_without_and_within_a_loop() -> None:
    assert execute_task(loops, literals(loops, a=1)).literals["o0"].scalar.primitive.integer == 2

    async def within() -> literals_pb2.LiteralMap:
        return execute_task(loops, literals(loops, a=2))

    assert asyncio.run(within()).literals["o0"].scalar.primitive.integer == 3


def test_contexts_do_not_mix_when_tasks_run_at_once() -> None:
    def run(number: int) -> str:
        identity = identifiers_pb2.WorkflowExecutionIdentifier(name=f"e{number}")
        context = TaskContext(execution_id=identity, attempt=number)
        outputs = execute_task(whoami, literals(whoami, wait=number), context=context)
        return outputs.literals["o0"].scalar.primitive.string_value

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(40))) == [f"e{number} {number}" for number in range(40)]


def test_working_files_are_removed_once_they_are_uploaded(tmp_path: Path) -> None:
    context = TaskContext()
    conversion = ConversionContext(raw_output_prefix=str(tmp_path))
    outputs = execute_task(sample.write, literals(sample.write, text="x"), conversion=conversion, context=context)
    assert Path(outputs.literals["o0"].scalar.blob.uri).read_text() == "x"
    assert not Path(context.working_directory).exists()


def test_working_files_stay_where_nothing_is_uploaded() -> None:
    assert Path(execute_task(sample.write, literals(sample.write, text="x")).literals["o0"].scalar.blob.uri).exists()


def test_an_optional_input_may_be_missing() -> None:
    assert execute_task(sample.later, literals(sample.later, a=1)).literals["o0"].scalar.primitive.integer == 1
