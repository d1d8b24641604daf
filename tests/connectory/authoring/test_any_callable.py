"""Whatever can be called is a task or a workflow, or an AuthoringError says why it cannot be one."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from connectory.authoring import dynamic, eager, reference_task, task, workflow
from connectory.compiler import compile_task, compile_workflow
from connectory.errors import AuthoringError
from tests.connectory.authoring import deferred_annotations as deferred

DECORATORS = [task, workflow, dynamic, eager, reference_task("p", "d", "n", "v")]


@pytest.mark.parametrize("function", deferred.TAKEN)
def test_annotations_may_be_texts(function: Callable[..., Any]) -> None:
    assert task(function).name == f"{deferred.__name__}.{function.__name__}"


@pytest.mark.parametrize("decorate", [task, workflow])
@pytest.mark.parametrize("function", deferred.REFUSED, ids=repr)
def test_what_cannot_work_is_refused(decorate: Callable[[Any], Any], function: Any) -> None:
    with pytest.raises(AuthoringError) as caught:
        decorate(function)
    assert caught.value.location is not None
    name = getattr(function, "__name__", None)
    assert name is None or name in caught.value.message


@pytest.mark.parametrize("decorate", DECORATORS, ids=["task", "workflow", "dynamic", "eager", "reference"])
@pytest.mark.parametrize("function", [*deferred.TAKEN, *deferred.REFUSED, *deferred.EITHER], ids=repr)
def test_nothing_else_than_our_errors(decorate: Callable[[Any], Any], function: Any) -> None:
    compiled = compile_task if decorate in (task, dynamic, eager) else compile_workflow
    with suppress(AuthoringError):
        assert compiled(decorate(function))
