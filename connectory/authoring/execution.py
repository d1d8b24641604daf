"""Runs a task's own code on literals."""

import inspect
import time
import traceback
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Protocol, Self

from connectory.authoring.attempts import NO_ATTEMPT, context_of_attempt
from connectory.authoring.context import TaskContext, as_current
from connectory.authoring.conversion import conversion_context, describe, type_registry
from connectory.authoring.decks import DeckField, standard_decks, write_decks
from connectory.authoring.errors import IgnoreOutputs, TaskFailedError, failure_message
from connectory.authoring.given import Given
from connectory.authoring.graph import BUILDING_NOTHING
from connectory.authoring.interface import Interface
from connectory.errors import StorageError, TypeConversionError
from connectory.types import ConversionContext, TypeRegistry
from connectory.v1 import identifiers_pb2, interface_pb2, literals_pb2

__all__ = ["ExecutableTask", "execute_task", "failures_reported", "run_task", "run_task_async", "task_failure"]

_PLAIN: Final = frozenset({type(None), bool, int, float, str, bytes, list, dict, tuple})
_PACKAGE = str(Path(__file__).parent.parent) + "/"


class ExecutableTask(Protocol):
    """A task whose `execute` takes native inputs by name and gives the native result, or an awaitable of it."""

    @property
    def name(self) -> str: ...
    @property
    def interface(self) -> Interface: ...
    @property
    def typed_interface(self) -> interface_pb2.TypedInterface: ...
    def pre_execute(self, user_params: TaskContext) -> TaskContext | None: ...
    def execute(self, **kwargs: Any) -> Any: ...
    def post_execute(self, user_params: TaskContext, rval: Any) -> Any: ...


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
    except Exception as error:
        raise task_failure(error) from error


@contextmanager
def failures_reported() -> Iterator[None]:
    """Whatever goes wrong in the block is a `TaskFailedError` that says whose fault it is."""
    try:
        yield
    except TaskFailedError:
        raise
    except Exception as error:
        raise task_failure(error) from error


def task_failure(error: Exception) -> TaskFailedError:
    """The exception of a task's code as what it means for the task: whose fault it is, and whether it may pass."""
    if isinstance(error, TaskFailedError):
        return error
    if isinstance(error, StorageError):
        return _failure(error, "system", recoverable=True)
    return _failure(error, "user")


def run_task(
    task: ExecutableTask,
    literals: literals_pb2.LiteralMap,
    *,
    types: TypeRegistry | None = None,
    conversion: ConversionContext | None = None,
    context: TaskContext | None = None,
) -> literals_pb2.LiteralMap:
    """Run the task to its end; exceptions of its code come out as they are.

    A task that raises `IgnoreOutputs` has none: the answer is empty.
    """
    with _Run(task, types, conversion, context) as run:
        result = task.execute(**run.natives(literals))
        if _is_awaitable(result):
            result = _completed(result)
        return run.finish(result)
    return literals_pb2.LiteralMap()


async def run_task_async(
    task: ExecutableTask,
    literals: literals_pb2.LiteralMap,
    *,
    types: TypeRegistry | None = None,
    conversion: ConversionContext | None = None,
    context: TaskContext | None = None,
) -> literals_pb2.LiteralMap:
    """The same on the running event loop, for an `async def` task that is awaited."""
    with _Run(task, types, conversion, context) as run:
        result = task.execute(**run.natives(literals))
        if _is_awaitable(result):
            result = await result
        return run.finish(result)
    return literals_pb2.LiteralMap()


class _Run:
    """One run of a task, from its inputs to its outputs; while it is entered, the task's context is the current one.

    `IgnoreOutputs` is no failure. The task's files are removed after they were uploaded, and stay where nothing is.
    """

    def __init__(
        self,
        task: ExecutableTask,
        types: TypeRegistry | None,
        conversion: ConversionContext | None,
        context: TaskContext | None,
    ) -> None:
        self._task = task
        self._types = types or type_registry()
        self._conversion = conversion or conversion_context()
        self._context = context or context_of_attempt(_identifier(task))
        self._inputs: Mapping[str, Any] = {}
        self._values: Mapping[str, Any] | None = None
        self._durations: dict[str, float] = {}

    def __enter__(self) -> Self:
        context = self._context = self._task.pre_execute(self._context) or self._context
        self._deck_fields: tuple[DeckField, ...] | None = getattr(self._task, "deck_fields", None)
        context.enable_deck = context.enable_deck or self._deck_fields is not None
        self._given = Given(as_current(context), BUILDING_NOTHING, NO_ATTEMPT)
        self._given.__enter__()
        self._step, self._began = "inputs", time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        context, ignored = self._context, isinstance(error, IgnoreOutputs)
        if error is not None:
            self._pass_to("")
        try:
            if ignored:
                context.logging.info("'%s' has no outputs: %s", self._task.name, error)
            if context.enable_deck and (context.output_prefix or context.decks):
                self._show(context)
        finally:
            self._given.__exit__()
            if self._conversion.raw_output_prefix:
                context.discard()
        return ignored

    def _pass_to(self, step: str) -> None:
        """Another step begins; how long the one before took is noted where a deck shows it."""
        if self._deck_fields is None:
            return
        now = time.perf_counter()
        self._durations[self._step] = now - self._began
        self._step, self._began = step, now

    def natives(self, literals: literals_pb2.LiteralMap) -> Mapping[str, Any]:
        """The inputs as the task's code takes them."""
        task = self._task
        self._inputs = self._types.map_to_python(
            literals, task.typed_interface.inputs, self._conversion, task.interface.inputs
        )
        self._pass_to("work")
        return self._inputs

    def finish(self, result: Any) -> literals_pb2.LiteralMap:
        """The outputs as others take them."""
        self._pass_to("outputs")
        result = self._task.post_execute(self._context, result)
        if isinstance(result, literals_pb2.LiteralMap):
            return result
        task, annotations = self._task, self._task.interface.outputs
        values = self._values = _named(task, result, annotations)
        conversion, tracker = self._conversion, self._context.output_metadata_tracker
        if conversion.output_metadata is not tracker:
            conversion = replace(conversion, output_metadata=tracker)
        try:
            outputs = self._types.map_to_literals(values, task.typed_interface.outputs, conversion, annotations)
        except TypeConversionError as error:
            raise TypeConversionError(f"'{task.name}' returned what it does not declare: {error}") from error
        self._pass_to("")
        return outputs

    def _show(self, context: TaskContext) -> None:
        """Write the decks, whether the task succeeded or failed; what cannot be shown must not change how it ended.

        In plain Python, they are written only when the task's code made some.
        """
        try:
            context.decks += standard_decks(
                self._deck_fields or (),
                inputs=self._inputs,
                outputs=self._values,
                function=getattr(self._task, "task_function", None),
                durations=self._durations,
            )
            write_decks(context)
        except Exception:  # a value's own rendering may raise anything
            context.logging.warning("the decks of '%s' cannot be written", self._task.name, exc_info=True)


def _identifier(task: ExecutableTask) -> identifiers_pb2.Identifier:
    return identifiers_pb2.Identifier(
        resource_type=identifiers_pb2.TASK, project="local", domain="local", name=task.name, version="local"
    )


def _named(task: ExecutableTask, result: Any, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """A task's return value as outputs by name."""
    names = list(declared)
    if not names:
        return {}
    if len(names) == 1 and (task.interface.output_tuple is None or not isinstance(result, tuple)):
        return {names[0]: result}
    if not isinstance(result, tuple) or len(result) != len(names):
        kinds = ", ".join(f"{name}: {describe(kind)}" for name, kind in declared.items())
        raise TypeConversionError(f"'{task.name}' declares the outputs {kinds}, but returned {result!r}")
    return dict(zip(names, result, strict=True))


def _is_awaitable(result: Any) -> bool:
    """What `inspect.isawaitable` says; most results are plain values, of which that can be told at once."""
    return type(result) not in _PLAIN and inspect.isawaitable(result)


def _completed(awaitable: Awaitable[Any]) -> Any:
    from connectory.authoring.blocking import completed  # noqa: PLC0415 - loads asyncio, for coroutines only

    return completed(_awaited(awaitable))


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _failure(error: Exception, kind: Literal["user", "system"], *, recoverable: bool = False) -> TaskFailedError:
    return TaskFailedError(
        failure_message(error),
        kind=kind,
        code=type(error).__name__,
        traceback=_user_traceback(error),
        recoverable=recoverable,
    )


def _user_traceback(error: Exception) -> str:
    """The traceback from the first frame of the user's code on."""
    frames: TracebackType | None = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_PACKAGE):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames or error.__traceback__))
