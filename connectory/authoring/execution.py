"""Runs a task's own code on literals."""

import inspect
import traceback
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol

from connectory.authoring.blocking import completed
from connectory.authoring.context import TaskContext, entered
from connectory.authoring.conversion import conversion_context, describe, type_registry
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.graph import building
from connectory.authoring.interface import Interface
from connectory.errors import ConnectoryError, StorageError, TypeConversionError
from connectory.types import ConversionContext, TypeRegistry
from connectory.v1 import interface_pb2, literals_pb2

__all__ = ["ExecutableTask", "execute_task", "run_task", "run_task_async"]

_PACKAGE = str(Path(__file__).parent.parent) + "/"


class ExecutableTask(Protocol):
    """A task whose `execute` takes native inputs by name and gives the native result, or an awaitable of it."""

    @property
    def name(self) -> str: ...
    @property
    def interface(self) -> Interface: ...
    @property
    def typed_interface(self) -> interface_pb2.TypedInterface: ...
    def execute(self, **kwargs: Any) -> Any: ...


def execute_task(
    task: ExecutableTask,
    literals: literals_pb2.LiteralMap,
    *,
    types: TypeRegistry | None = None,
    conversion: ConversionContext | None = None,
    context: TaskContext | None = None,
) -> literals_pb2.LiteralMap:
    """Run the task to its end; whatever goes wrong is a `TaskFailedError` that says whose fault it is.

    Blocks; an `async def` task runs in an event loop of its own.
    """
    try:
        return run_task(task, literals, types=types, conversion=conversion, context=context)
    except TaskFailedError:
        raise
    except StorageError as error:
        raise _failure(error, "system", recoverable=True) from error
    except Exception as error:
        raise _failure(error, "user") from error


def run_task(
    task: ExecutableTask,
    literals: literals_pb2.LiteralMap,
    *,
    types: TypeRegistry | None = None,
    conversion: ConversionContext | None = None,
    context: TaskContext | None = None,
) -> literals_pb2.LiteralMap:
    """Run the task to its end; exceptions of its code come out as they are."""
    types, conversion = types or type_registry(), conversion or conversion_context()
    with _surroundings(context, conversion):
        result = task.execute(**_inputs(task, literals, types, conversion))
        if inspect.isawaitable(result):
            result = completed(_awaited(result))
        return _outputs(task, result, types, conversion)


async def run_task_async(
    task: ExecutableTask,
    literals: literals_pb2.LiteralMap,
    *,
    types: TypeRegistry | None = None,
    conversion: ConversionContext | None = None,
    context: TaskContext | None = None,
) -> literals_pb2.LiteralMap:
    """The same on the running event loop, for an `async def` task that is awaited."""
    types, conversion = types or type_registry(), conversion or conversion_context()
    with _surroundings(context, conversion):
        result = task.execute(**_inputs(task, literals, types, conversion))
        if inspect.isawaitable(result):
            result = await result
        return _outputs(task, result, types, conversion)


@contextmanager
def _surroundings(context: TaskContext | None, conversion: ConversionContext) -> Iterator[None]:
    """The task's context; its files are removed after they were uploaded, and stay where nothing is uploaded."""
    context = context or TaskContext()
    try:
        with entered(context), building(None):
            yield
    finally:
        if conversion.raw_output_prefix:
            context.discard()


def _inputs(
    task: ExecutableTask, literals: literals_pb2.LiteralMap, types: TypeRegistry, conversion: ConversionContext
) -> dict[str, Any]:
    return types.map_to_python(literals, task.typed_interface.inputs, conversion, task.interface.inputs)


def _outputs(
    task: ExecutableTask, result: Any, types: TypeRegistry, conversion: ConversionContext
) -> literals_pb2.LiteralMap:
    if isinstance(result, literals_pb2.LiteralMap):
        return result
    values = _named(task, result)
    try:
        return types.map_to_literals(values, task.typed_interface.outputs, conversion, task.interface.outputs)
    except TypeConversionError as error:
        raise TypeConversionError(f"'{task.name}' returned what it does not declare: {error}") from error


def _named(task: ExecutableTask, result: Any) -> Mapping[str, Any]:
    """A task's return value as outputs by name."""
    names = list(task.interface.outputs)
    if not names:
        return {}
    if len(names) == 1 and (task.interface.output_tuple is None or not isinstance(result, tuple)):
        return {names[0]: result}
    if not isinstance(result, tuple) or len(result) != len(names):
        declared = ", ".join(f"{name}: {describe(kind)}" for name, kind in task.interface.outputs.items())
        raise TypeConversionError(f"'{task.name}' declares the outputs {declared}, but returned {result!r}")
    return dict(zip(names, result, strict=True))


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _failure(error: Exception, kind: Literal["user", "system"], *, recoverable: bool = False) -> TaskFailedError:
    ours = isinstance(error, ConnectoryError)
    message = str(error) if ours else f"{type(error).__name__}: {error}"
    return TaskFailedError(
        message, kind=kind, code=type(error).__name__, traceback=_user_traceback(error), recoverable=recoverable
    )


def _user_traceback(error: Exception) -> str:
    """The traceback from the first frame of the user's code on."""
    frames: TracebackType | None = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames or error.__traceback__))
