"""Whatever is given to @task, @workflow and the compiler: it works, or an AuthoringError says why not."""

import asyncio
import collections
import enum
import functools
import math
import operator
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.authoring import (
    Cache,
    CronSchedule,
    Email,
    FixedRate,
    Interface,
    Labels,
    LaunchPlan,
    Options,
    PythonTask,
    ReferenceTask,
    Resources,
    Secret,
    Workflow,
    approve,
    conditional,
    create_node,
    dynamic,
    eager,
    map_task,
    reference_launch_plan,
    reference_task,
    reference_workflow,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from connectory.authoring.accelerators import A100
from connectory.compiler import compile_launch_plan, compile_task, compile_workflow
from connectory.errors import AuthoringError


class Color(enum.Enum):
    RED = "red"


class Numbered(enum.Enum):
    ONE = 1


@dataclass
class Point:
    x: int
    y: "list[Point]"


@dataclass
class Broken:
    x: "Nowhere"  # type: ignore[name-defined]  # noqa: F821


class Plain: ...


class Call:
    def __call__(self, a: int) -> int:
        return a

    def method(self, a: int) -> int:
        return a


T = typing.TypeVar("T")
Named = collections.namedtuple("Named", "a b")


class Typed(typing.NamedTuple):
    a: int
    b: "Nowhere"  # type: ignore[name-defined]  # noqa: F821


@task
def double(a: int) -> int:
    return 2 * a


@task
def join(values: list[str], named: dict[str, int]) -> str:
    return ""


@task
def nothing(text: str) -> None: ...


@workflow
def inner(a: int) -> int:
    return double(a=a)


async def coroutine(a: int) -> int:
    return a


def generator(a: int) -> typing.Iterator[int]:
    yield a


JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    math.nan,
    "",
    "text",
    b"bytes",
    [],
    [1, "a"],
    {},
    {"a": 1},
    {1: 2},
    (),
    (1, 2),
    {1},
    ...,
    object(),
    object,
    int,
    Plain,
    Plain(),
    Color,
    Color.RED,
    Call(),
    timedelta(1),
    lambda: 1,
    len,
    print,
    operator.add,
    asyncio,
    double,
    inner,
    Resources(cpu="1"),
    Secret(key="k"),
    Cache(version="1"),
]
ANNOTATIONS: list[Any] = [
    int,
    "int",
    "Nowhere",
    "not an expression (",
    "",
    5,
    None,
    ...,
    list,
    dict,
    tuple,
    set,
    object,
    type,
    list[int],
    list["Nowhere"],  # type: ignore[name-defined]  # noqa: F821
    list[None],
    dict[int, str],
    dict[str, set[int]],
    tuple[int, ...],
    tuple[int],
    tuple[()],
    tuple[int, str],
    set[int],
    typing.Any,
    typing.Callable,
    typing.Callable[[int], int],
    typing.Optional[int],  # noqa: UP045 - the older spelling is one of those that must work
    int | str | None,
    typing.Union[list[int], dict[str, int]],  # noqa: UP007 - likewise
    typing.Literal["a", 1],
    typing.Annotated[int, "note"],
    typing.NoReturn,
    typing.ClassVar[int],
    typing.TypeVar("U", bound=int),
    T,
    typing.Generic,
    typing.Iterator[int],
    Color,
    Numbered,
    Point,
    Broken,
    Plain,
    Plain(),
    Named,
    Typed,
    coroutine,
    [],
    [int],
    {"a": int},
    (int, str),
    (),
]
KINDS = ["a: int", "a", "*a", "**a", "*, a", "a, /", "a=1", "a, b", "a, b=None", ""]
junk = st.sampled_from(JUNK)
annotations = st.sampled_from(ANNOTATIONS)


def attempt(use: Callable[[], Any]) -> Any:
    """The result, or None when it was refused with an explanation."""
    try:
        return use()
    except AuthoringError:
        return None


def function_of(parameters: str, first: Any, result: Any, default: Any) -> Callable[..., Any]:
    """A function of a module with these annotations."""
    space: dict[str, Any] = {"__name__": __name__}
    exec(f"def made({parameters}):\n    return 1", space)
    made: Callable[..., Any] = space["made"]
    made.__annotations__ = {"a": first, "return": result}
    if made.__defaults__:
        made.__defaults__ = (default,) * len(made.__defaults__)
    return made


def attempt_all(made: Any) -> None:
    """Compile it, whatever it is."""
    if made is not None:
        attempt(lambda: compile_task(made))
        attempt(lambda: workflow(lambda: made()).graph)


@pytest.mark.parametrize("decorate", [task, workflow, dynamic, eager, map_task, compile_task, compile_workflow])
def test_decorating_anything(decorate: Callable[[Any], Any]) -> None:
    for value in [*JUNK, coroutine, generator, Call().method, functools.partial(int, "1"), staticmethod(len)]:
        attempt(functools.partial(decorate, value))


@given(parameters=st.sampled_from(KINDS), first=annotations, result=annotations, default=junk)
@settings(max_examples=100, deadline=None)
def test_any_signature(parameters: str, first: Any, result: Any, default: Any) -> None:
    made = function_of(parameters, first, result, default)
    attempt_all(attempt(lambda: task(made)))
    attempt(lambda: dynamic(made))
    flow = attempt(lambda: workflow(made))
    if flow is not None:
        attempt(lambda: compile_workflow(flow))
        attempt(lambda: compile_launch_plan(flow))


SETTINGS = [
    "cache",
    "cache_version",
    "cache_serialize",
    "cache_ignore_input_vars",
    "retries",
    "timeout",
    "interruptible",
    "deprecated",
    "container_image",
    "environment",
    "requests",
    "limits",
    "resources",
    "secret_requests",
    "enable_deck",
    "pod_template_name",
    "pod_template",
    "deck_fields",
    "task_config",
    "task_resolver",
    "labels",
    "annotations",
    "disable_deck",
    "accelerator",
    "shared_memory",
    "metadata",
    "is_eager",
    "node_dependency_hints",
    "unknown",
]


@given(st.dictionaries(st.sampled_from(SETTINGS), junk, min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_any_setting_of_a_task(chosen: dict[str, Any]) -> None:
    attempt_all(attempt(lambda: decorated(chosen)))


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_with_everything(name: str) -> None:
    for value in JUNK:
        attempt_all(attempt(functools.partial(decorated, {name: value})))


def decorated(chosen: dict[str, Any]) -> Any:
    return task(**chosen)(function_of("a", int, int, None))


WORKFLOW_SETTINGS = ["failure_policy", "interruptible", "on_failure", "default_options", "unknown"]


@given(st.dictionaries(st.sampled_from(WORKFLOW_SETTINGS), junk, min_size=1))
@settings(max_examples=60, deadline=None)
def test_any_setting_of_a_workflow(chosen: dict[str, Any]) -> None:
    def body(a: int) -> int:
        return double(a=a)

    flow = attempt(lambda: workflow(**chosen)(body))
    if flow is not None:
        attempt(lambda: compile_workflow(flow))


OVERRIDES = ["node_name", "name", "retries", "timeout", "cache", "cache_version", "cache_serialize", "container_image"]
OVERRIDES += ["requests", "limits", "resources", "interruptible", "task_config", "accelerator", "shared_memory"]
OVERRIDES += ["pod_template", "aliases"]


@pytest.mark.parametrize("name", OVERRIDES)
def test_every_override_with_everything(name: str) -> None:
    for value in JUNK:
        compile_body(lambda a, x: double(a=a).with_overrides(**{name: x}), value)


def compile_body(use: Callable[[Any, Any], Any], value: Any) -> None:
    """Compile a workflow that uses its input and a value in this way."""

    def body(a: int) -> int:
        return use(a, value)

    attempt(lambda: compile_workflow(workflow(body)))


USES: list[Callable[[Any, Any], Any]] = [
    lambda a, x: double(a=x),
    lambda a, x: double(x),
    lambda a, x: join(values=x, named={}),
    lambda a, x: join(values=[x, a], named={"x": x, "a": a}),
    lambda a, x: nothing(text=x),
    lambda a, x: inner(a=x),
    lambda a, x: create_node(x),
    lambda a, x: create_node(double, a=x),
    lambda a, x: a[x],
    lambda a, x: a == x,
    lambda a, x: a < x,
    lambda a, x: a + x,
    lambda a, x: a - x,
    lambda a, x: a >> x,
    lambda a, x: double(a=a) >> x,
    lambda a, x: a @ a,
    lambda a, x: -a,
    lambda a, x: ~a,
    lambda a, x: abs(a),
    lambda a, x: a & x,
    lambda a, x: a | x,
    lambda a, x: a(),
    lambda a, x: round(a),
    lambda a, x: x in a,
    lambda a, x: a.outputs,
    lambda a, x: a.field,
    lambda a, x: [*a],
    lambda a, x: math.floor(a),
    lambda a, x: divmod(a, 2),
    lambda a, x: conditional("c").if_(x),
    lambda a, x: conditional("c").if_(a == x).then(x).else_().then(x),
    lambda a, x: conditional("c").if_(a == 1).then(double(a=x)).else_().fail(x),
    lambda a, x: conditional("c").if_((a == 1) & x),
    lambda a, x: conditional(x).if_(a == 1).then(double(a=1)).else_().fail("x"),
    lambda a, x: approve(x, "g", timedelta(1)),
    lambda a, x: approve(double(a=1), x, timedelta(1)),
    lambda a, x: approve(double(a=1), "g", x),
    lambda a, x: wait_for_input(x, timedelta(1), int),
    lambda a, x: wait_for_input("g", timedelta(1), x),
    lambda a, x: sleep(x),
    lambda a, x: map_task(double)(a=x),
    lambda a, x: map_task(double, concurrency=x)(a=[1]),
    lambda a, x: map_task(double, min_successes=x)(a=[1]),
    lambda a, x: map_task(double, min_success_ratio=x)(a=[1]),
    lambda a, x: map_task(double, metadata=x)(a=[1]),
    lambda a, x: map_task(functools.partial(join, named=x))(values=[["a"]]),
    lambda a, x: LaunchPlan.get_or_create(inner)(a=x),
    lambda a, x: x,
]


@pytest.mark.parametrize("use", USES)
def test_any_body(use: Callable[[Any, Any], Any]) -> None:
    for value in JUNK:
        compile_body(use, value)


PLAIN: list[Callable[[Any], Any]] = [
    lambda x: LaunchPlan.create(x, inner),
    lambda x: LaunchPlan.create("p", x),
    lambda x: LaunchPlan.create("p1", inner, default_inputs=x),
    lambda x: LaunchPlan.create("p2", inner, fixed_inputs={"a": x}),
    lambda x: LaunchPlan.create("p3", inner, schedule=x),
    lambda x: LaunchPlan.create("p4", inner, notifications=x),
    lambda x: LaunchPlan.create("p5", inner, labels=x, annotations=x),
    lambda x: LaunchPlan.create("p6", inner, max_parallelism=x),
    lambda x: LaunchPlan.create("p7", inner, overwrite_cache=x),
    lambda x: LaunchPlan.create("p8", inner, concurrency=x),
    lambda x: LaunchPlan.create("p9", inner, auth_role=x),
    lambda x: LaunchPlan.create("p10", inner, unknown=x),
    lambda x: LaunchPlan.create("p11"),
    lambda x: LaunchPlan.get_or_create(x),
    lambda x: LaunchPlan.get_or_create(inner, "p12", unknown=x),
    lambda x: CronSchedule(schedule=x),
    lambda x: CronSchedule(schedule="@daily", kickoff_time_input_arg=x),
    lambda x: FixedRate(x),
    lambda x: Email(x, ["a@example.org"]),
    lambda x: Email([4], x),
    lambda x: Workflow(x),
    lambda x: Workflow("w", x),
    lambda x: Workflow("w").add_workflow_input(x, int),
    lambda x: Workflow("w").add_workflow_input("a", x),
    lambda x: Workflow("w").add_entity(x),
    lambda x: Workflow("w").add_workflow_output("o", x),
    lambda x: Workflow("w").add_workflow_output("o", x, python_type=int),
    lambda x: Workflow("w").add_on_failure_handler(x),
    lambda x: Workflow("w").create_conditional(x),
    lambda x: Workflow("w").create_conditional("c").if_(x),
    lambda x: Options(labels=x, max_parallelism=x),
    lambda x: Options(notifications=x),
    lambda x: A100.partitioned(x),
    lambda x: task(x, x),
    lambda x: conditional(x, x),
    lambda x: map_task(),
    lambda x: approve(x),
    lambda x: reference_task(x, "d", "n", "v")(coroutine),
    lambda x: reference_task("p", "d", "n", "v")(x),
    lambda x: reference_workflow(x),
    lambda x: reference_launch_plan("p", "d", "n", version=x)(inner),
    lambda x: ReferenceTask(x, "d", "n", "v", {}, {}),
    lambda x: ReferenceTask("p", "d", "n", x, {}, {}),
    lambda x: ReferenceTask("p", "d", "n", "v", {"a": x}, {}),
    lambda x: ReferenceTask("p", "d", "n", "v", x, {}),
    lambda x: Interface({"a": x}),
    lambda x: PythonTask(name="t", interface=Interface({"a": x}, {"b": x})),
    lambda x: create_node(x),
    lambda x: double(a=x),
    lambda x: inner(x),
    lambda x: double(x, 2),
    lambda x: join(values=x, named=x),
]


@pytest.mark.parametrize("use", PLAIN)
def test_anything_else(use: Callable[[Any], Any]) -> None:
    for value in JUNK:
        attempt(functools.partial(use, value))


NO_TEXT = "\ud800"
TOO_MUCH = 2**70


def describing(a: int) -> int:
    return a


describing.__doc__ = f"Something.\n\n:param a: {NO_TEXT}\n"

UNWRITABLE: list[Callable[[], Any]] = [
    lambda: task(describing),
    lambda: workflow(describing),
    lambda: decorated({"environment": {"A": NO_TEXT}}),
    lambda: decorated({"container_image": NO_TEXT}),
    lambda: decorated({"deprecated": NO_TEXT}),
    lambda: decorated({"labels": {NO_TEXT: "a"}}),
    lambda: decorated({"shared_memory": NO_TEXT}),
    lambda: decorated({"retries": TOO_MUCH}),
    lambda: decorated({"timeout": TOO_MUCH}),
    lambda: decorated({"timeout": -1}),
    lambda: Resources(cpu=NO_TEXT),
    lambda: Resources(cpu=object()),  # type: ignore[arg-type]
    lambda: Resources(mem=("1", "2", "3")),  # type: ignore[arg-type]
    lambda: compile_task(double, version=3),  # type: ignore[arg-type]
    lambda: compile_task(double, project=NO_TEXT),
    lambda: compile_workflow(inner, environment={"A": NO_TEXT}),
    lambda: compile_workflow(inner, image=None),  # type: ignore[arg-type]
    lambda: compile_task(task(secret_requests=[Secret(key=NO_TEXT)])(double.task_function)),
    lambda: compile_launch_plan(LaunchPlan.create("many", inner, max_parallelism=TOO_MUCH)),
    lambda: compile_launch_plan(LaunchPlan.create("said", inner, labels=Labels({"a": NO_TEXT}))),
    lambda: compile_workflow(Workflow(NO_TEXT)),
    lambda: compile_workflow(workflow(a_gate)),
    lambda: compile_workflow(workflow(a_node)),
    lambda: compile_workflow(workflow(a_choice)),
    lambda: compile_workflow(workflow(a_part)),
    lambda: compile_workflow(workflow(a_map)),
]


def a_gate(a: int) -> int:
    return approve(a, NO_TEXT, timedelta(1))


def a_node(a: int) -> int:
    return double(a=a).with_overrides(name=NO_TEXT)


def a_choice(a: int) -> int:
    return conditional(NO_TEXT).if_(a > 1).then(double(a=a)).else_().fail(NO_TEXT)


def a_part(a: list[int]) -> int:
    return a[TOO_MUCH]


def a_map(a: list[int]) -> list[int]:
    return map_task(double, min_successes=TOO_MUCH)(a=a)


@pytest.mark.parametrize("use", UNWRITABLE)
def test_what_no_message_can_hold(use: Callable[[], Any]) -> None:
    with pytest.raises(AuthoringError) as caught:
        use()
    assert caught.value.location is not None


def test_what_the_users_code_raises_comes_out_as_it_is() -> None:
    def body(a: int) -> int:
        return int("no number")

    with pytest.raises(ValueError, match="invalid literal for int") as caught:
        compile_workflow(workflow(body))
    assert not isinstance(caught.value, AuthoringError)
