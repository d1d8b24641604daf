"""Choices: only what is taken runs, and mistakes are told."""

import typing
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.authoring import conditional, create_node, dynamic, task, workflow
from connectory.compiler import compile_workflow
from connectory.errors import AuthoringError, ExecutionError

RAN: list[str] = []


class Pair(typing.NamedTuple):
    left: int
    right: str


@pytest.fixture(autouse=True)
def _forget() -> None:
    RAN.clear()


@task
def tell(a: int, who: str) -> int:
    RAN.append(who)
    return a


@task
def word(text: str) -> str:
    RAN.append(text)
    return text


@task
def silent(text: str) -> None:
    RAN.append(text)


@task
def pair(a: int) -> Pair:
    return Pair(a, str(a))


@workflow
def sized(a: int) -> int:
    return (
        conditional("size")
        .if_(a > 100)
        .then(tell(a=3, who="large"))
        .elif_((a > 10) & (a <= 100))
        .then(tell(a=2, who="middle"))
        .else_()
        .then(tell(a=1, who="small"))
    )


@given(a=st.integers(-200, 300))
@settings(max_examples=40, deadline=None)
def test_only_the_case_that_is_taken_runs(a: int) -> None:
    RAN.clear()
    expected = (3, "large") if a > 100 else (2, "middle") if a > 10 else (1, "small")
    assert (sized(a=a), RAN) == (expected[0], [expected[1]])


@workflow
def nested(a: int, flag: bool) -> int:
    inner = (
        conditional("inner")
        .if_(flag.is_true())  # type: ignore[attr-defined]
        .then(tell(a=a, who="yes"))
        .else_()
        .then(tell(a=a, who="no"))
    )
    return conditional("outer").if_(inner == 0).then(tell(a=1, who="zero")).else_().then(sized(a=inner))


def test_choices_in_a_row_and_sub_workflows() -> None:
    assert nested(a=0, flag=True) == 1
    assert RAN == ["yes", "zero"]
    assert nested(a=50, flag=False) == 2
    assert RAN == ["yes", "zero", "no", "middle"]


@workflow
def deep(a: int, b: int) -> int:
    return (
        conditional("outer")
        .if_(a > 0)
        .then(conditional("inner").if_(b > 0).then(tell(a=b, who="both")).else_().fail("b must be positive"))
        .else_()
        .then(tell(a=a, who="none"))
    )


def test_nested_choices_and_failure() -> None:
    assert deep(a=1, b=2) == 2
    assert deep(a=-1, b=-2) == -1
    assert RAN == ["both", "none"]
    with pytest.raises(ExecutionError, match="b must be positive"):
        deep(a=1, b=-1)


@workflow
def optional(text: str | None = None, share: float = 0.0) -> str:
    known = conditional("known").if_(text.is_none()).then(word(text="nothing")).else_().then(word(text="something"))  # type: ignore[union-attr]
    return (
        conditional("part").if_((share >= 1) | (known == "nothing")).then(word(text="a")).else_().then(word(text="b"))
    )


def test_none_floats_and_texts() -> None:
    assert optional() == "a"
    assert optional(text="x") == "b"
    assert optional(text="x", share=1.0) == "a"


@workflow
def several(a: int) -> int:
    found = conditional("which").if_(a > 1).then(pair(a=a)).else_().then(pair(a=0))
    silent(text=found.right)
    return found.left


def test_several_outputs() -> None:
    assert several(a=5) == 5
    assert RAN == ["5"]
    assert several(a=1) == 0


@workflow
def uses_earlier(a: int) -> int:
    before = tell(a=a, who="before")
    return conditional("which").if_(a > 1).then(tell(a=before, who="uses")).else_().then(tell(a=0, who="not"))


def test_a_case_may_use_results_that_the_condition_does_not() -> None:
    assert uses_earlier(a=2) == 2
    assert RAN == ["before", "uses"]
    connections = compile_workflow(uses_earlier).primary.connections
    assert list(connections.upstream["n1"].ids) == ["n0"]


@dynamic
def chosen(a: int) -> int:
    doubled = tell(a=2 * a, who="first")
    return conditional("which").if_(doubled > 5).then(tell(a=1, who="more")).else_().then(tell(a=0, who="less"))


def test_within_dynamic_tasks() -> None:
    assert chosen(a=3) == 1
    assert RAN == ["first", "more"]


@workflow
def parts(values: dict[str, list[int]]) -> int:
    return (
        conditional("which")
        .if_((values["a"][0] > 1) & (values["b"][0] < 5))
        .then(tell(a=values["a"][0], who="a"))
        .else_()
        .then(tell(a=values["b"][0], who="b"))
    )


def test_parts_of_one_value_are_compared_apart() -> None:
    assert parts(values={"a": [2], "b": [4]}) == 2
    assert parts(values={"a": [2], "b": [7]}) == 7


def error_of(body: Callable[..., Any]) -> str:
    with pytest.raises(AuthoringError) as caught:
        _ = workflow(body).graph
    assert caught.value.location is not None
    assert caught.value.location.startswith(__file__)
    return caught.value.message


def case(a: Any, condition: Callable[[Any], Any]) -> Any:
    return conditional("c").if_(condition(a)).then(tell(a=1, who="x"))


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda a: case(a, lambda a: True), "is given True; that is decided already"),
        (lambda a: case(a, lambda a: a), "compare it: .is_true()"),
        (lambda a: case(a, lambda a: None), "give a comparison"),
        (lambda a: case(a, lambda a: (a > 1) and (a < 5)), "join comparisons by & and |"),
        (lambda a: case(a, lambda a: (a > 1) & True), "on both sides stand comparisons"),
        (lambda a: case(a, lambda a: a == "x"), "is int and cannot be compared with 'x', which is str"),
        (lambda a: case(a, lambda a: a == [1]), "cannot be compared with [1]"),
        (lambda a: case(a, lambda a: tell(a=1, who="x") == 1).else_().fail("x"), "call it before the conditional"),
        (lambda a: conditional("c").else_(), "begins with else_; begin with if_"),
        (lambda a: conditional("c").if_(a > 1).fail("x"), "only else_() can"),
        (lambda a: conditional("c").if_(a > 1).then(5), "is given no result of a call"),
        (lambda a: conditional("c").if_(a > 1).then(tell(a=tell(a=1, who="x"), who="y")), "calls 2 things"),
        (lambda a: case(a, lambda a: a > 1), "has no end"),
        (lambda a: tell(a=case(a, lambda a: a > 1), who="x"), "is given"),
        (lambda a: case(a, lambda a: a > 1).else_().then(word(text="x")), "in different types"),
    ],
)
def test_mistakes(use: Callable[[Any], Any], said: str) -> None:
    def body(a: int) -> None:
        use(a)

    assert said in error_of(body)


def test_a_result_from_before_cannot_be_a_case() -> None:
    def body(a: int) -> int:
        earlier = tell(a=a, who="x")
        return conditional("c").if_(a > 1).then(earlier).else_().fail("no")

    assert "which was called before" in error_of(body)


def test_there_is_no_choice_outside_of_a_workflow() -> None:
    with pytest.raises(AuthoringError, match="only in the body of a workflow"):
        conditional("c")


def test_a_void_result_cannot_be_compared() -> None:
    def body(a: int) -> None:
        conditional("c").if_(silent(text="x") == 1)  # type: ignore[func-returns-value]

    assert "gives nothing" in error_of(body)


def test_create_node_can_be_a_case() -> None:
    @workflow
    def flow(a: int) -> int:
        return conditional("c").if_(a > 1).then(create_node(tell, a=1, who="x")).else_().then(tell(a=0, who="y"))

    assert flow(a=5) == 1
