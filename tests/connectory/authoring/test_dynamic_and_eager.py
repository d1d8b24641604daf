"""Tasks that make nodes of their own, and tasks that drive others, in plain Python."""

import asyncio
from typing import Any

import pytest

from connectory.authoring import EagerTask, create_node, dynamic, eager, map_task, task, workflow
from connectory.authoring.template import CompileSettings
from connectory.authoring.template_settings import settings_from_environment
from connectory.compiler import compile_dynamic, compile_task
from connectory.errors import AuthoringError
from connectory.v1 import literals_pb2, workflow_pb2

RAN: list[int] = []


@task
def double(a: int) -> int:
    RAN.append(a)
    return 2 * a


@task
async def later(a: int) -> int:
    await asyncio.sleep(0)
    return a + 1


@task
def fails(a: int) -> int:
    raise ValueError(f"{a} is refused")


@workflow
def quadruple(a: int) -> int:
    return double(a=double(a=a))


@dynamic
def powers(n: int) -> list[int]:
    found, x = [], 1
    for _ in range(n):
        x = double(a=x)
        found.append(x)
    return found


@dynamic(retries=2)
def nested(n: int, extra: int = 1) -> tuple[int, list[int]]:
    values = powers(n=n)
    return quadruple(a=extra), map_task(double)(a=values)


@dynamic
def plain(n: int) -> int:
    return n


@workflow
def flow(n: int) -> list[int]:
    number, values = nested(n=n)
    create_node(double, a=number)
    return values


def test_loops_depend_on_values() -> None:
    assert powers(n=4) == [2, 4, 8, 16]
    assert powers(n=0) == []
    assert plain(n=5) == 5


def test_nested_in_workflows() -> None:
    assert flow(n=2) == [4, 8]


def test_compiled_for_its_inputs() -> None:
    spec = compile_dynamic(nested, {"n": 2, "extra": 3}, project="p", version="v")
    assert isinstance(spec, workflow_pb2.DynamicJobSpec)
    assert [node.id for node in spec.nodes] == ["dn0", "dn1", "dn2"]
    assert spec.min_successes == 3
    assert [each.id.name.rpartition(".")[2] for each in spec.subworkflows] == ["quadruple"]
    assert {each.id.project for each in spec.tasks} == {"p"}
    outputs = compile_dynamic(plain, literals_pb2.LiteralMap(literals={"n": _integer(5)}))
    assert isinstance(outputs, literals_pb2.LiteralMap)
    assert outputs.literals["o0"].scalar.primitive.integer == 5


def test_its_container_knows_how_it_was_compiled() -> None:
    container = compile_task(nested, project="p", domain="d", version="v", image="i:1").container
    settings = settings_from_environment({pair.key: pair.value for pair in container.env})
    assert (settings.project, settings.domain, settings.version, settings.image) == ("p", "d", "v", "i:1")
    assert settings_from_environment({}).image == "connectory"


def test_what_it_is_told_does_not_grow_from_one_to_the_next_that_it_calls() -> None:
    container = nested.get_container(CompileSettings(environment={"SHOP": "open"}))
    assert container is not None
    variables = {pair.key: pair.value for pair in container.env}
    assert settings_from_environment(variables).environment == {"SHOP": "open"}
    assert nested.get_container(CompileSettings(environment=variables)) == container


def _integer(value: int) -> literals_pb2.Literal:
    literal = literals_pb2.Literal()
    literal.scalar.primitive.integer = value
    return literal


@eager
async def driver(n: int) -> int:
    first, second = await asyncio.gather(later(a=n), later(a=2 * n))
    try:
        fails(a=first)
    except ValueError:
        first = 100
    if second > 10:
        return quadruple(a=second)
    return first


@eager(retries=3, enable_deck=False)
async def outer(n: int) -> int:
    return await driver(n=n) + 1


@task(is_eager=True)
async def also(n: int) -> int:
    return await later(a=n)


@workflow
def eager_flow(n: int) -> int:
    return double(a=outer(n=n))


async def test_python_decides() -> None:
    assert await driver(n=1) == 100
    assert await driver(n=5) == 44
    assert await outer(n=1) == 101


def test_eager_within_a_workflow() -> None:
    assert eager_flow(n=1) == 202


def test_eager_templates_say_so() -> None:
    assert isinstance(also, EagerTask)
    for each in (driver, outer, also):
        metadata = compile_task(each).metadata
        assert (metadata.is_eager, metadata.generates_deck.value) == (True, True)
    assert compile_task(outer).metadata.retries.retries == 3


def plain_function(a: int) -> int:
    return a


async def async_function(a: int) -> int:
    return a


@pytest.mark.parametrize(
    ("decorate", "function", "said"),
    [
        (eager, plain_function, "which is no async def"),
        (dynamic, async_function, "write it as a plain def"),
        (eager, 5, "it decorates functions"),
        (dynamic, 5, "it decorates functions"),
        (dynamic, lambda a: a, "has no type"),
    ],
)
def test_mistakes(decorate: Any, function: Any, said: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        decorate(function)
    assert said in caught.value.message


def test_a_dynamic_body_that_returns_too_little() -> None:
    @dynamic
    def wrong(a: int) -> tuple[int, int]:
        return double(a=a)

    with pytest.raises(AuthoringError, match=r"task .*wrong' declares 2 outputs \(o0: int, o1: int\), but returns 1"):
        wrong(a=1)
