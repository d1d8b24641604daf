"""Answers to gates while a workflow runs in plain Python: given beforehand, or asked for on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec

from connectory.errors import ExecutionError

__all__ = ["ask", "decode", "gate_answers"]

_given: ContextVar[Mapping[str, Any] | None] = ContextVar("connectory_answers", default=None)


@contextmanager
def gate_answers(answers: Mapping[str, Any]) -> Iterator[None]:
    """While this is entered, gates are answered by their names: True or False for approvals, values for inputs."""
    token = _given.set({**(_given.get() or {}), **answers})
    try:
        yield
    finally:
        _given.reset(token)


def ask(name: str, question: str) -> Any:
    """The answer to a gate. Raises ExecutionError where there is nobody to ask."""
    answers = _given.get() or {}
    if name in answers:
        return answers[name]
    if not sys.stdin.isatty():
        raise ExecutionError(
            f"gate '{name}' waits for an answer, and there is no terminal to ask on; "
            f"run the workflow within gate_answers({{'{name}': ...}}), or let a runner run it"
        )
    return input(question)


def decode(answer: Any, annotation: Any, label: str) -> Any:
    """An answer that was typed, as the value that it stands for; any other comes out as it is."""
    if not isinstance(answer, str) or annotation is str:
        return answer
    try:
        if answer.lstrip()[:1] in ("[", "{"):
            return msgspec.json.decode(answer, type=annotation)
        return msgspec.convert(answer, annotation, strict=False)
    except (msgspec.MsgspecError, TypeError) as error:
        raise ExecutionError(
            f"{label} was answered with {answer!r}, which is not what it waits for: {error}"
        ) from error
