"""Tasks whose work is done from their template alone: no code of their author is needed where they run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from connectory.authoring.context import TaskContext
from connectory.authoring.conversion import type_registry
from connectory.authoring.decks import DeckField
from connectory.authoring.execution import run_task
from connectory.authoring.interface import Interface
from connectory.compat.models import TaskTemplate
from connectory.errors import TypeConversionError
from connectory.v1 import interface_pb2, literals_pb2, tasks_pb2

__all__ = ["ExecutableTemplateShimTask", "ShimTaskExecutor", "execute_shim"]


class ShimTaskExecutor(ABC):
    """Does the work of one kind of tasks, knowing only a task's template and its inputs. Made without arguments."""

    @abstractmethod
    def execute_from_model(self, tt: TaskTemplate, **kwargs: Any) -> Any:
        """Do the work: `tt` is the template (its `custom` is a dict), the inputs are native values by name.

        The answer is the one output's value, or a dict whose keys are exactly the outputs' names. Outputs that have no
        names of their own (`o0`, `o1`) may also be a tuple.
        """


class ExecutableTemplateShimTask:
    """A template and the executor that can run it, as something that is executed like any task.

    Inputs and outputs have the Python types that are most natural for the template's interface.
    """

    def __init__(self, tt: tasks_pb2.TaskTemplate | TaskTemplate, executor_type: type[ShimTaskExecutor]) -> None:
        self._template = tt.to_flyte_idl() if isinstance(tt, TaskTemplate) else tt
        self._executor_type = executor_type

    @property
    def task_template(self) -> TaskTemplate:
        """The template."""
        return TaskTemplate(self._template)

    @property
    def executor_type(self) -> type[ShimTaskExecutor]:
        """The class that does the work."""
        return self._executor_type

    @cached_property
    def executor(self) -> ShimTaskExecutor:
        """The object that does the work."""
        return self._executor_type()

    @property
    def name(self) -> str:
        """The task's name."""
        return self._template.id.name

    @property
    def typed_interface(self) -> interface_pb2.TypedInterface:
        """Inputs and outputs in literal types."""
        return self._template.interface

    @cached_property
    def interface(self) -> Interface:
        """Inputs and outputs in the Python types that the template suggests."""
        return Interface(_natural(self.typed_interface.inputs), _natural(self.typed_interface.outputs))

    @property
    def deck_fields(self) -> tuple[DeckField, ...] | None:
        """All decks, when the template asks for any."""
        return tuple(DeckField) if self._template.metadata.generates_deck.value else None

    def pre_execute(self, user_params: TaskContext) -> TaskContext | None:
        """Nothing is to be done before."""
        return user_params

    def post_execute(self, user_params: TaskContext, rval: Any) -> Any:
        """The result is as it is."""
        return rval

    def execute(self, **kwargs: Any) -> Any:
        """Let the executor do the work."""
        return execute_shim(self.executor, self.task_template, self.interface, kwargs)

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Execute it here."""
        return run_task(self, literals)


def execute_shim(
    executor: ShimTaskExecutor, template: TaskTemplate, interface: Interface, inputs: Mapping[str, Any]
) -> Any:
    """What an executor answers, as a task's return value.

    A template does not say in which order several outputs were declared, so they are named.
    """
    result = executor.execute_from_model(template, **inputs)
    names = list(interface.outputs)
    named = result._asdict() if isinstance(result, tuple) and hasattr(result, "_asdict") else result
    if isinstance(named, Mapping) and set(named) == set(names):
        return named[names[0]] if len(names) == 1 else tuple(named[name] for name in names)
    if len(names) < 2 or isinstance(result, literals_pb2.LiteralMap):
        return result
    numbered = [f"o{number}" for number in range(len(names))]
    if isinstance(result, tuple) and len(result) == len(names) and set(names) == set(numbered):
        return tuple(result[numbered.index(name)] for name in names)
    raise TypeConversionError(
        f"{type(executor).__name__} answered {result!r}; several outputs are answered as a dict with exactly the keys "
        f"{', '.join(sorted(names))}"
    )


def _natural(variables: interface_pb2.VariableMap) -> dict[str, Any]:
    return {name: _annotation(name, variable) for name, variable in variables.variables.items()}


def _annotation(name: str, variable: interface_pb2.Variable) -> Any:
    try:
        return type_registry().annotation_for(variable.type)
    except TypeConversionError as error:
        raise TypeConversionError(f"no Python type is known for it: {error}", path=name) from error
