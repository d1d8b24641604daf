"""One run of a Python task's code, as it is asked for and answered."""

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from connectory.authoring.context import TaskContext
from connectory.authoring.dynamic import DynamicTask
from connectory.authoring.eager_task import EagerTask
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.execution import execute_task
from connectory.authoring.function_task import FunctionTask
from connectory.authoring.map_item import MapItem
from connectory.authoring.own_container import variables_of
from connectory.authoring.resolver import TaskLocator, locator_of
from connectory.errors import AuthoringError
from connectory.storage import default_storage
from connectory.texts import sendable
from connectory.types import ConversionContext
from connectory.v1 import identifiers_pb2, literals_pb2, tasks_pb2
from workflow_runner.python.code import CODE_VARIABLE, SEARCH_PATH, unpacked
from workflow_runner.python.messages import Answered, Asked, Call, Expanded, Failed, Reply, Returned, Withdrawn

__all__ = ["Call", "Channel", "Expanded", "Failed", "Ready", "Reply", "Returned", "Waiting", "get_ready", "perform"]


class Waiting(Protocol):
    """Code that waits for what it called. Usable from any thread."""

    def deliver(self, answered: Answered) -> None:
        """A call has ended."""
        ...

    def abandon(self) -> None:
        """Nothing is answered any more."""
        ...


class Channel(Protocol):
    """The way from the code of an eager task to the runner and back. Usable from any thread."""

    def send(self, message: Asked | Withdrawn) -> None:
        """Tell the runner."""
        ...

    def attach(self, calls: Waiting) -> None:
        """Hand what the runner answers to these from now on."""
        ...


def perform(call: Call, channel: Channel | None = None, ready: "Ready | None" = None) -> Reply:
    """Find the task that the template names and run it to its end. What an eager task calls goes over the channel."""
    try:
        return _run(call, channel, ready or _made_ready(call))
    except TaskFailedError as error:
        text = f"{error.message}\n{error.traceback}".rstrip()
        return Failed(code=error.code, message=text, kind=error.kind, recoverable=error.may_be_retried)
    except Exception as error:  # the module of the task itself may raise anything when it is imported
        message = f"the task cannot be loaded: {type(error).__name__}: {error}"
        return Failed(code="TASK_NOT_LOADED", message=sendable(message))


def get_ready(call: Call) -> "Ready | None":
    """What can be done for a call before it begins: nothing of its task's code is loaded or run."""
    try:
        return _made_ready(call)
    except Exception:  # which `perform` reports
        return None


@dataclass(frozen=True, slots=True)
class _Code:
    """A template, read, and where its code is."""

    template: tasks_pb2.TaskTemplate
    locator: TaskLocator
    places: tuple[tuple[str, str], ...]
    """Variables of its container that say where modules are, in order."""

    def load(self) -> Any:
        """The task, from modules that can be imported from now on."""
        for name, value in self.places:
            folders = value.split(os.pathsep) if name == SEARCH_PATH else [str(unpacked(value, default_storage()))]
            sys.path[:0] = [folder for folder in folders if folder and folder not in sys.path]
        return self.locator.load()


@lru_cache(maxsize=256)
def _code_of(encoded: bytes) -> _Code:
    template = tasks_pb2.TaskTemplate.FromString(encoded)
    locator = locator_of(template)
    if locator is None:
        raise AuthoringError(f"task {template.id.name!r} does not say where its code is")
    places = [each for each in variables_of(template).items() if each[0] in (SEARCH_PATH, CODE_VARIABLE)]
    return _Code(template=template, locator=locator, places=tuple(places))


@dataclass(slots=True)
class Ready:
    """What a call needs beside the code of its task."""

    code: _Code
    inputs: literals_pb2.LiteralMap
    context: TaskContext
    conversion: ConversionContext


def _made_ready(call: Call) -> Ready:
    code = _code_of(call.template)
    context = TaskContext(
        execution_id=identifiers_pb2.WorkflowExecutionIdentifier(
            project=call.project, domain=call.domain, name=call.execution
        ),
        task_id=code.template.id,
        attempt=call.attempt,
        raw_output_prefix=call.output_prefix,
        output_prefix=call.output_prefix,
        checkpoint_path=_checkpoint(call.output_prefix),
        previous_checkpoint=_previous_checkpoint(call.output_prefix, call.attempt),
    )
    conversion = ConversionContext(
        raw_output_prefix=call.output_prefix, output_metadata=context.output_metadata_tracker
    )
    return Ready(code, literals_pb2.LiteralMap.FromString(call.inputs), context, conversion)


def _run(call: Call, channel: Channel | None, ready: Ready) -> Returned | Expanded:
    template, task = ready.code.template, ready.code.load()
    inputs, context, conversion = ready.inputs, ready.context, ready.conversion
    if type(task) is FunctionTask:  # which most are, and none of what follows
        return _returned(execute_task(task, inputs, conversion=conversion, context=context))
    if isinstance(task, MapItem):
        inputs = _as_lists(inputs, task)
    if isinstance(task, DynamicTask) or (isinstance(task, EagerTask) and channel is not None):
        from workflow_runner.python import making  # noqa: PLC0415 - loads the compiler, for such tasks only

        if isinstance(task, DynamicTask):
            return making.expand(task, inputs, template, context)
        assert channel is not None
        outputs = making.drive(task, inputs, template, channel, conversion, context)
    else:
        outputs = execute_task(task, inputs, conversion=conversion, context=context)
    return _returned(outputs)


def _returned(outputs: literals_pb2.LiteralMap) -> Returned:
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
