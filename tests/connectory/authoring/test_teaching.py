"""Mistakes in tasks and workflows: each error names the task, the parameter, what was expected, the user's line."""

import functools
import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectory.authoring import (
    ConnectorTask,
    FunctionWorkflow,
    Interface,
    ProcessTask,
    PythonTask,
    Resources,
    Secret,
    TaskMetadata,
    TimeSensor,
    create_node,
    task,
    workflow,
)
from connectory.compiler import compile_workflow
from connectory.errors import AuthoringError


@task
def double(a: int) -> int:
    return 2 * a


@task
def shout(text: str, *, times: int = 2) -> str:
    return text.upper() * times


@task
def say(text: str) -> None: ...


@task
def split(a: int) -> tuple[int, str]:
    return a, str(a)


@task
def total(values: list[int]) -> int:
    return sum(values)


@workflow
def inner(a: int) -> int:
    return double(a=a)


def error_of(body: Callable[..., Any]) -> AuthoringError:
    """The error that building a workflow of this body ends in."""
    with pytest.raises(AuthoringError) as caught:
        _ = workflow(body).graph
    return caught.value


def line_of(marker: str) -> str:
    """`file:line` of the line in this file that ends with this comment."""
    lines = inspect.getsource(inspect.getmodule(line_of) or line_of).splitlines()
    return f"{__file__}:{next(i for i, line in enumerate(lines, 1) if line.endswith('# ' + marker))}"


def test_a_wrong_constant_names_task_parameter_types_and_line() -> None:
    def body() -> int:
        return double(a="three")  # wrong constant

    error = error_of(body)
    assert "input 'a' of task" in error.message
    assert "double'" in error.message
    assert "takes int" in error.message
    assert "'three' (str)" in error.message
    assert error.location == line_of("wrong constant")
    assert str(error).startswith(f"{error.location}: ")


def test_a_promise_of_another_type() -> None:
    def body(text: str) -> int:
        return double(a=shout(text=text))  # wrong promise

    error = error_of(body)
    assert "takes int, but is given output 'o0' of 'shout', which is str" in error.message
    assert error.location == line_of("wrong promise")


def test_a_promise_of_another_type_within_a_list() -> None:
    def body(text: str) -> int:
        return total(values=[1, text])

    assert "[1] of input 'values' of task" in error_of(body).message


def test_a_missing_input() -> None:
    def body() -> str:
        return shout(times=3)  # missing

    error = error_of(body)
    assert "input 'text' of task" in error.message
    assert error.message.endswith("is missing; it takes str")
    assert error.location == line_of("missing")


def test_an_unknown_input_is_answered_with_the_nearest() -> None:
    def body() -> str:
        return shout(txt="a")

    assert "has no input 'txt'; did you mean 'text'?" in error_of(body).message


def test_positional_arguments_where_names_are_needed() -> None:
    def body() -> str:
        return shout("a", 3)  # positional

    error = error_of(body)
    assert "is given 2 arguments by position, but takes 1 so" in error.message
    assert "shout(text=..., times=...)" in error.message
    assert error.location == line_of("positional")


def test_an_input_given_twice() -> None:
    def body() -> int:
        return double(1, a=2)

    assert "is given twice, by position and by name" in error_of(body).message


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda a: bool(a), "used as a condition"),
        (lambda a: list(a), "looped over"),
        (lambda a: len(a), "counted"),
        (lambda a: 3 in a, "searched"),
        (lambda a: a.val, "read"),
        (lambda a: a + 1, "calculated with"),
        (lambda a: 1 + a, "calculated with"),
        (lambda a: int(a), "turned into an int"),
        (lambda a: f"{a}", "written into a string"),
        (lambda a: range(3)[a], "used as a number"),
    ],
)
def test_a_promise_is_no_value(use: Callable[[Any], Any], said: str) -> None:
    def body(a: int) -> int:
        use(a)
        return a

    error = error_of(body)
    assert f"it cannot be {said}" in error.message
    assert "input 'a' of 'body' has no value yet" in error.message
    assert "inside a task" in error.message
    assert error.location is not None
    assert error.location.startswith(__file__)


@pytest.mark.parametrize("use", [lambda a: a == 3 and 1, lambda a: not a < 3, lambda a: 1 if a > 3 else 2])
def test_a_comparison_is_no_truth_value(use: Callable[[Any], Any]) -> None:
    def body(a: int) -> int:
        use(a)
        return a

    message = error_of(body).message
    assert "is not decided yet, so `if`, `and`, `or` and `not` cannot be used on it" in message
    assert "join comparisons by & and |" in message


def test_a_part_that_the_type_does_not_have() -> None:
    def body(a: int) -> int:
        return double(a=a.real)

    assert "is a int, which has no field 'real'" in error_of(body).message


def test_an_index_that_the_type_does_not_have() -> None:
    def body(a: int) -> int:
        return double(a=a[0])

    assert "which has nothing at [0]" in error_of(body).message


def test_an_output_that_the_task_does_not_have() -> None:
    def body() -> int:
        return create_node(double, a=1).o1

    assert "has no output 'o1'; it has o0" in error_of(body).message


def test_several_outputs_where_one_is_needed() -> None:
    def body() -> int:
        return double(a=split(a=1))

    assert "is given a call with several outputs; choose .o0, .o1" in error_of(body).message


def test_a_void_task_has_no_value() -> None:
    def body() -> str:
        return shout(text=say(text="a"))

    assert "order the two with >> instead" in error_of(body).message


def test_a_ring_names_its_nodes() -> None:
    def body() -> None:
        a, b = create_node(double, a=1), create_node(double, a=2)
        _ = a >> b
        _ = b >> a

    error = error_of(body)
    assert "wait for each other in a ring" in error.message
    assert "n0" in error.message
    assert "n1" in error.message


def test_two_nodes_of_one_name() -> None:
    def body() -> None:
        create_node(double, a=1).with_overrides(node_name="same")
        create_node(double, a=2).with_overrides(node_name="same")

    assert "has two nodes called 'same'" in error_of(body).message


def test_ordering_something_that_is_no_node() -> None:
    def body(a: int) -> None:
        _ = create_node(double, a=a) >> 3

    assert "3 cannot be ordered" in error_of(body).message


def test_an_input_cannot_be_ordered() -> None:
    def body(a: int) -> None:
        _ = a >> create_node(double, a=a)

    assert "is there from the beginning" in error_of(body).message


def test_an_override_that_does_not_exist() -> None:
    def body(a: int) -> None:
        create_node(double, a=a).with_overrides(colour="red")

    assert "colour" in error_of(body).message


def test_a_promise_from_another_workflow() -> None:
    kept: list[Any] = []

    @workflow
    def first(a: int) -> int:
        kept.append(double(a=a))
        return kept[0]

    _ = first.graph

    def body() -> int:
        return double(a=kept[0])

    assert "belongs to another workflow" in error_of(body).message


def test_outputs_that_are_not_returned() -> None:
    def none(a: int) -> int:
        double(a=a)

    def one(a: int) -> tuple[int, int]:
        return double(a=a)

    assert "returns nothing; add a return statement" in error_of(none).message
    assert "declares 2 outputs (o0: int, o1: int), but returns 1" in error_of(one).message


def test_a_returned_value_of_another_type() -> None:
    def body() -> int:
        return shout(text="a")

    assert "output 'o0' of workflow" in error_of(body).message


def untyped(a) -> int:
    return 1


def mutable(a: list[int] = [1]) -> int:  # noqa: B006
    return 1


def star(*args: int) -> int:
    return 1


def tuple_of_one() -> tuple[int]:
    return (1,)


def tuple_of_any_length() -> tuple[int, ...]:
    return (1,)


def unknown_name(a: "Missing") -> int:  # noqa: F821
    return 1


def unsupported(a: type[int]) -> int:
    return 1


def bad_default(a: int = None) -> int:  # noqa: RUF013
    return 1


@pytest.mark.parametrize("decorate", [task, workflow])
@pytest.mark.parametrize(
    ("function", "said"),
    [
        (untyped, "parameter 'a' of"),
        (mutable, "has a mutable default ([1])"),
        (star, "takes *args: int"),
        (tuple_of_one, "two or more outputs"),
        (tuple_of_any_length, "for many values of one type use list"),
        (unknown_name, "Missing"),
        (unsupported, "input 'a' of"),
        (bad_default, "write a: int | None"),
    ],
)
def test_a_signature_that_cannot_work(decorate: Callable[..., Any], function: Callable[..., Any], said: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        decorate(function)
    assert said in caught.value.message
    assert function.__name__ in caught.value.message
    assert caught.value.location == f"{__file__}:{function.__code__.co_firstlineno}"


@pytest.mark.parametrize("decorate", [task, workflow])
@pytest.mark.parametrize("value", [3, "text", functools.partial(double.task_function, a=1), print, dict])
def test_decorating_what_is_no_plain_function(decorate: Callable[..., Any], value: Any) -> None:
    with pytest.raises(AuthoringError):
        decorate(value)


def test_an_async_workflow() -> None:
    async def body(a: int) -> int:
        return a

    with pytest.raises(AuthoringError, match="write it as a plain def"):
        workflow(body)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TaskMetadata(retries=-1), "retries is -1"),
        (lambda: TaskMetadata(timeout="1H"), "timeout is '1H'"),
        (lambda: TaskMetadata(cache=True), "cache_version"),
        (lambda: TaskMetadata(cache_serialize=True), "cache=True"),
        (lambda: task(cache_ignore_input_vars=("a",))(double.task_function), "cache=True"),
        (lambda: task(resources=Resources(cpu=1), limits=Resources(cpu=2))(double.task_function), "not both"),
        (lambda: task(limits=Resources(cpu=(1, 2)))(double.task_function), "pair"),
        (lambda: Secret(), "names a key"),
        (lambda: ProcessTask("p", command="ls -l"), "give a list"),
        (lambda: TimeSensor("t"), "either at or after"),
        (lambda: ConnectorTask("c", "t", retries=1, metadata=TaskMetadata()), "say retries and timeout in it"),
    ],
)
def test_settings_that_cannot_work(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        make()
    assert said in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.startswith(__file__)


def test_a_config_that_json_cannot_say() -> None:
    def body() -> None:
        ConnectorTask("c", "t", {"x": object()})()

    with pytest.raises(AuthoringError, match="config of task 'c'"):
        compile_workflow(workflow(body))


def test_a_task_that_no_other_process_could_find() -> None:
    @task
    def local(a: int) -> int:
        return a

    def body() -> int:
        return local(a=1)

    with pytest.raises(AuthoringError, match="held by no variable at the top level"):
        compile_workflow(workflow(body))


def test_two_tasks_of_one_name() -> None:
    first, second = ConnectorTask("same", "t"), ConnectorTask("same", "u")

    def body() -> None:
        first()
        second()

    with pytest.raises(AuthoringError, match="two tasks have the name 'same'"):
        compile_workflow(workflow(body))


def test_workflows_that_call_each_other() -> None:
    held: list[FunctionWorkflow[..., Any]] = []

    @workflow
    def one() -> None:
        held[1]()

    @workflow
    def two() -> None:
        one()

    held.extend([one, two])
    with pytest.raises(AuthoringError, match=r"call each other in a ring: .*one' calls .*two' calls .*one'"):
        compile_workflow(one)


def test_a_plain_call_checks_its_inputs() -> None:
    with pytest.raises(AuthoringError, match=r"input 'a' of task .*double' takes int"):
        double(a="x")
    with pytest.raises(AuthoringError, match="is missing"):
        inner()


def test_create_node_outside_of_a_workflow() -> None:
    with pytest.raises(AuthoringError, match="only in the body of a workflow"):
        create_node(double, a=1)


def test_a_class_that_does_not_say_how_it_is_executed() -> None:
    class Forgotten(PythonTask[None]):
        pass

    with pytest.raises(NotImplementedError, match="Forgotten"):
        Forgotten(name="f", interface=Interface({}, {"x": int}))()


def test_seconds_and_durations_mean_the_same() -> None:
    assert TaskMetadata(timeout=60) == TaskMetadata(timeout=timedelta(minutes=1))
