"""From an order to what is left for the engine."""

import os
import sys
from typing import Any

from google.protobuf.message import DecodeError

from connectory.authoring.context import TaskContext, alone
from connectory.authoring.dynamic import DynamicTask
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.execution import execute_task
from connectory.authoring.resolver import load_resolver
from connectory.errors import StorageError
from connectory.execute.arguments import Order
from connectory.execute.distribution import unpack
from connectory.execute.documents import write_error, write_futures, write_outputs
from connectory.execute.planning import plan
from connectory.execute.surroundings import context_of
from connectory.storage import Storage, default_storage
from connectory.types import ConversionContext
from connectory.v1 import interface_pb2, literals_pb2, workflow_pb2

__all__ = ["execute"]


def execute(order: Order, storage: Storage | None = None) -> TaskFailedError | None:
    """Run the task and write its outputs, or its error, which is also the answer.

    A task that ignores its outputs leaves none. Raises StorageError only when not even the error can be written.
    """
    store = storage or default_storage()
    try:
        _execute(order, store)
    except TaskFailedError as error:
        write_error(error, order.output_prefix, store)
        return error
    return None


def _execute(order: Order, storage: Storage) -> None:
    task = _loaded(order, storage)
    inputs = _inputs(order.inputs, storage)
    conversion = ConversionContext(storage=storage, raw_output_prefix=order.raw_output_prefix)
    context = context_of(order)
    try:
        with alone(context):
            outcome = _outcome(order, task, inputs, conversion, context)
    except SystemExit as error:
        message = f"the task's code ended the process (code {error.code}) instead of returning"
        raise TaskFailedError(message, kind="user", code="SystemExit") from error
    _leave(outcome, task.typed_interface.outputs, order.output_prefix, storage)


def _outcome(
    order: Order, task: Any, inputs: literals_pb2.LiteralMap, conversion: ConversionContext, context: TaskContext
) -> literals_pb2.LiteralMap | workflow_pb2.DynamicJobSpec:
    if isinstance(task, DynamicTask):
        return plan(task, inputs, order, conversion=conversion, context=context)
    return execute_task(task, inputs, conversion=conversion, context=context)


def _leave(
    outcome: literals_pb2.LiteralMap | workflow_pb2.DynamicJobSpec,
    declared: interface_pb2.VariableMap,
    prefix: str,
    storage: Storage,
) -> None:
    """Write what came of it; outputs that were ignored are not written."""
    try:
        if isinstance(outcome, workflow_pb2.DynamicJobSpec):
            write_futures(outcome, prefix, storage)
        elif outcome.literals or not declared.variables:
            write_outputs(outcome, declared, prefix, storage)
    except StorageError as error:
        raise _system(error) from error


def _loaded(order: Order, storage: Storage) -> Any:
    """The task; code that cannot be imported is its author's concern, an object store that fails is not."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        if order.distribution:
            unpack(order.distribution, order.distribution_folder, storage)
        return load_resolver(order.resolver).load_task(list(order.loader_args))
    except StorageError as error:
        raise _system(error) from error
    except (Exception, SystemExit) as error:  # importing a module may raise anything
        message = f"the task cannot be loaded: {type(error).__name__}: {error}"
        raise TaskFailedError(message, kind="user", code="TASK_NOT_LOADED") from error


def _inputs(url: str, storage: Storage) -> literals_pb2.LiteralMap:
    try:
        return literals_pb2.LiteralMap.FromString(storage.read(url))
    except StorageError as error:
        raise _system(error) from error
    except DecodeError as error:
        raise TaskFailedError(f"{url} holds no literals: {error}", kind="system", code="INPUTS_NOT_READ") from error


def _system(error: StorageError) -> TaskFailedError:
    return TaskFailedError(str(error), kind="system", code=type(error).__name__, recoverable=True)
