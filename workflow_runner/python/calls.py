"""One run of a Python task's code, as it is asked for and answered."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import msgspec

from connectory.authoring.context import TaskContext
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.execution import execute_task
from connectory.authoring.resolver import locator_of
from connectory.errors import AuthoringError
from connectory.types import ConversionContext
from connectory.v1 import connector_pb2, literals_pb2, tasks_pb2

__all__ = ["Call", "Failed", "Reply", "Returned", "environment", "perform"]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run, with protobuf messages as bytes."""

    template: bytes
    inputs: bytes
    metadata: bytes
    output_prefix: str = ""


class Returned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code returned."""

    outputs: bytes


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code did not return what it declares."""

    code: str
    message: str
    kind: Literal["user", "system"] = "user"
    recoverable: bool = False


Reply = Returned | Failed

_PERMANENT = frozenset({"AuthoringError", "TypeConversionError", "InvalidTaskError", "UserError"})
"""What goes wrong in the same way every time; any other error of a task that asks for retries is worth another try."""


def perform(call: Call) -> Reply:
    """Find the task that the template names and run it to its end."""
    try:
        return Returned(outputs=_run(call).SerializeToString(deterministic=True))
    except TaskFailedError as error:
        text = f"{error.message}\n{error.traceback}".rstrip()
        recoverable = error.recoverable or error.code not in _PERMANENT
        return Failed(code=error.code, message=text, kind=error.kind, recoverable=recoverable)
    except Exception as error:  # the module of the task itself may raise anything when it is imported
        message = f"the task cannot be loaded: {type(error).__name__}: {error}"
        return Failed(code="TASK_NOT_LOADED", message=message)


@contextmanager
def environment(call: Call) -> Iterator[None]:
    """Set the variables that the task's template names, for as long as it runs. Only where nothing else runs."""
    container = tasks_pb2.TaskTemplate.FromString(call.template).container
    before = dict(os.environ)
    os.environ.update({pair.key: pair.value for pair in container.env})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _find(template: tasks_pb2.TaskTemplate) -> Any:
    locator = locator_of(template)
    if locator is None:
        raise AuthoringError(f"task {template.id.name!r} does not say where its code is")
    for pair in template.container.env:
        if pair.key == "PYTHONPATH":
            sys.path[:0] = [entry for entry in pair.value.split(os.pathsep) if entry and entry not in sys.path]
    return locator.load()


def _run(call: Call) -> literals_pb2.LiteralMap:
    template = tasks_pb2.TaskTemplate.FromString(call.template)
    metadata = connector_pb2.TaskExecutionMetadata.FromString(call.metadata)
    identity = metadata.task_execution_id
    context = TaskContext(
        execution_id=identity.node_execution_id.execution_id,
        task_id=template.id,
        attempt=identity.retry_attempt,
        raw_output_prefix=call.output_prefix,
    )
    inputs = literals_pb2.LiteralMap.FromString(call.inputs)
    conversion = ConversionContext(raw_output_prefix=call.output_prefix)
    return execute_task(_find(template), inputs, conversion=conversion, context=context)
