"""Gates in plain Python: answered beforehand, asked for on a terminal, refused where there is none."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf import json_format

from connectory.authoring import approve, gate_answers, sleep, task, wait_for_input, workflow
from connectory.compiler import compile_workflow
from connectory.errors import AuthoringError, ExecutionError

SOON = timedelta(minutes=1)


@task
def double(a: int) -> int:
    return 2 * a


@task
def total(values: list[float]) -> float:
    return sum(values)


@task
def say(text: str) -> None: ...


@workflow
def approved(a: int) -> int:
    return double(a=approve(double(a=a), "go", timeout=SOON))


@workflow
def asked() -> int:
    return double(a=wait_for_input("number", timeout=SOON, expected_type=int))


@workflow
def listed() -> float:
    return total(values=wait_for_input("values", SOON, list[float]))


@workflow
def timed(a: int) -> int:
    waits = sleep(timedelta(milliseconds=1))
    result = double(a=a)
    waits >> result
    return result


class Terminal(io.StringIO):
    """A fake terminal on which somebody types."""

    def isatty(self) -> bool:
        return True


def test_answers_given_beforehand() -> None:
    with gate_answers({"go": True, "number": 4}):
        assert approved(a=1) == 4
        assert asked() == 8
        with gate_answers({"go": False}), pytest.raises(ExecutionError, match="'go' was not approved"):
            approved(a=1)


@pytest.mark.parametrize(("typed", "result"), [("y\n", 4), ("YES\n", 4)])
def test_approval_on_a_terminal(typed: str, result: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    assert approved(a=1) == result


def test_no_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("\n"))
    with pytest.raises(ExecutionError, match="not approved"):
        approved(a=1)


def test_values_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("21\n[1, 2.5]\nmany\n"))
    assert asked() == 42
    assert listed() == 3.5
    with pytest.raises(ExecutionError, match="answered with 'many'"):
        asked()


@pytest.mark.parametrize("flow", [lambda: approved(a=1), asked])
def test_nobody_to_ask(flow: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(ExecutionError, match="there is no terminal to ask on"):
        flow()


def test_sleep_waits_and_goes_on() -> None:
    assert timed(a=2) == 4


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda a: approve(5, "go", timeout=SOON), "takes one result of a task"),
        (lambda a: approve(say(text="x"), "go", timeout=SOON), "takes one result of a task"),
        (lambda a: wait_for_input("", SOON, int), "is called by a name"),
        (lambda a: wait_for_input("x", SOON, object()), "which cannot cross between tasks"),
        (lambda a: wait_for_input("x", timedelta(), int), "give a timedelta above zero"),
        (lambda a: sleep("long"), "give a timedelta, or whole seconds"),
        (lambda a: sleep(timedelta(-1)), "give a timedelta above zero"),
    ],
)
def test_mistakes(use: Callable[[Any], Any], said: str) -> None:
    def body(a: int) -> None:
        use(a)

    with pytest.raises(AuthoringError) as caught:
        _ = workflow(body).graph
    assert said in caught.value.message


@task(timeout=timedelta.max)
def same(x: int) -> int:
    return x


@workflow
def for_ever(x: int) -> int:
    return approve(same(x=x), "ok", timeout=timedelta.max)


def test_for_ever_is_as_long_as_a_compiled_workflow_can_say() -> None:
    compiled = json_format.MessageToDict(compile_workflow(for_ever))
    longest = "315576000000s"
    assert {node["metadata"]["timeout"] for node in compiled["primary"]["template"]["nodes"]} == {longest}
    assert compiled["tasks"][0]["template"]["metadata"]["timeout"] == longest


def test_there_are_no_gates_outside_of_a_workflow() -> None:
    with pytest.raises(AuthoringError, match="only in the body of a workflow"):
        sleep(SOON)
