"""One run of a Python task's code, as it is asked for and answered."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import msgspec

from connectory.authoring.context import TaskContext, entered
from connectory.authoring.dynamic import DynamicTask
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.execution import execute_task, failures_reported
from connectory.authoring.map_item import MapItem
from connectory.authoring.resolver import locator_of
from connectory.compiler import compile_dynamic
from connectory.errors import AuthoringError
from connectory.types import ConversionContext
from connectory.v1 import connector_pb2, literals_pb2, tasks_pb2

__all__ = ["Call", "Expanded", "Failed", "Reply", "Returned", "environment", "perform"]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run, with protobuf messages as bytes."""

    template: bytes
    inputs: bytes
    metadata: bytes
    output_prefix: str = ""


class Returned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code returned."""

    outputs: bytes


class Expanded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code said which nodes are to be run."""

    nodes: bytes


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code did not return what it declares."""

    code: str
    message: str
    kind: Literal["user", "system"] = "user"
    recoverable: bool = False


Reply = Returned | Expanded | Failed

def perform(call: Call) -> Reply:
    """Find the task that the template names and run it to its end."""
    try:
        return _run(call)
    except TaskFailedError as error:
        text = f"{error.message}\n{error.traceback}".rstrip()
        return Failed(code=error.code, message=text, kind=error.kind, recoverable=error.may_be_retried)
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


def _run(call: Call) -> Returned | Expanded:
    template = tasks_pb2.TaskTemplate.FromString(call.template)
    task = _find(template)
    metadata = connector_pb2.TaskExecutionMetadata.FromString(call.metadata)
    identity = metadata.task_execution_id
    context = TaskContext(
        execution_id=identity.node_execution_id.execution_id,
        task_id=template.id,
        attempt=identity.retry_attempt,
        raw_output_prefix=call.output_prefix,
        output_prefix=call.output_prefix,
        checkpoint_path=_checkpoint(call.output_prefix),
        previous_checkpoint=_previous_checkpoint(call.output_prefix, identity.retry_attempt),
    )
    inputs = literals_pb2.LiteralMap.FromString(call.inputs)
    conversion = ConversionContext(raw_output_prefix=call.output_prefix)
    if isinstance(task, MapItem):
        inputs = _as_lists(inputs, task)
    if isinstance(task, DynamicTask):
        return _expand(task, inputs, template, context)
    outputs = execute_task(task, inputs, conversion=conversion, context=context)
    return Returned(outputs=outputs.SerializeToString(deterministic=True))


def _checkpoint(prefix: str) -> str:
    return f"{prefix}/checkpoint" if prefix else ""


def _previous_checkpoint(prefix: str, attempt: int) -> str:
    """Where the attempt before this one left its checkpoint; each attempt's prefix ends with its number."""
    return _checkpoint(f"{prefix.rpartition('/')[0]}/{attempt - 1}") if prefix and attempt else ""


def _as_lists(inputs: literals_pb2.LiteralMap, item: MapItem) -> literals_pb2.LiteralMap:
    """One repetition's inputs as that code takes them: in lists, here of this one member."""
    lists = {
        name: value
        if name in item.bound
        else literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=[value]))
        for name, value in inputs.literals.items()
    }
    return literals_pb2.LiteralMap(literals=lists)


def _expand(
    task: Any, inputs: literals_pb2.LiteralMap, template: tasks_pb2.TaskTemplate, context: TaskContext
) -> Returned | Expanded:
    """Let a dynamic task say which nodes are to be run, under the identifiers of its own."""
    with failures_reported(), entered(context):
        made = compile_dynamic(
            task,
            inputs,
            project=template.id.project,
            domain=template.id.domain,
            version=template.id.version,
            image=template.container.image,
            environment={pair.key: pair.value for pair in template.container.env},
        )
    encoded = made.SerializeToString(deterministic=True)
    if isinstance(made, literals_pb2.LiteralMap):
        return Returned(outputs=encoded)
    return Expanded(nodes=encoded)
