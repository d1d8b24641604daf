"""Tasks whose body is a workflow that is wired when they run, with the values of their inputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from connectory.authoring.arguments import teaching
from connectory.authoring.attempts import NO_ATTEMPT, context_of_attempt
from connectory.authoring.context import as_current
from connectory.authoring.conversion import conversion_context, type_registry
from connectory.authoring.function_task import FunctionTask
from connectory.authoring.given import Given
from connectory.authoring.graph import Graph, building
from connectory.authoring.local_engine import local_engine
from connectory.authoring.location import authoring_error, function_location
from connectory.authoring.plugins import TaskPlugins
from connectory.authoring.returning import bind_outputs
from connectory.authoring.task import task
from connectory.authoring.template import SETTINGS_VARIABLE, CompileSettings
from connectory.authoring.template_settings import settings_text
from connectory.v1 import identifiers_pb2, literals_pb2, tasks_pb2

__all__ = ["DynamicTask", "dynamic"]

P = ParamSpec("P")
R = TypeVar("R")


class DynamicTask(FunctionTask[P, R]):
    """A function that is called with values and calls tasks, which become nodes. Loops may depend on the values."""

    is_dynamic = True
    node_dependency_hints: tuple[Any, ...] = ()

    def __init__(self, function: Callable[P, R], **settings: Any) -> None:
        if inspect.iscoroutinefunction(function):
            raise authoring_error(
                f"@dynamic is given the async def '{function.__name__}'; its body only wires tasks together, so write "
                "it as a plain def",
                location=function_location(function),
            )
        super().__init__(function, **settings)

    def get_container(self, settings: CompileSettings) -> tasks_pb2.Container | None:
        """Like that of any task, and it is told the settings, because it compiles others by them."""
        made = super().get_container(settings)
        if made is not None:
            made.env.add(key=SETTINGS_VARIABLE, value=settings_text(settings))
        return made

    def build(self, values: Mapping[str, Any]) -> Graph:
        """The nodes and output bindings for these inputs."""
        graph = Graph(self.name, prefix="d")
        with building(graph):
            result = cast(Callable[..., Any], self.task_function)(**values)
            graph.outputs = bind_outputs(graph, self, result)
        graph.finish(self.location)
        return graph

    def wire(self, literals: literals_pb2.LiteralMap) -> Graph:
        """The same for literals, in the context of a task that runs here."""
        values = type_registry().map_to_python(
            literals, self.typed_interface.inputs, conversion_context(), self.interface.inputs
        )
        identifier = identifiers_pb2.Identifier(resource_type=identifiers_pb2.TASK, name=self.name)
        with Given(as_current(context_of_attempt(identifier)), NO_ATTEMPT):
            return self.build(values)

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Wire the workflow, and run it here."""
        return local_engine().run(self, literals)


class _DynamicPlugins(TaskPlugins):
    """Makes a dynamic task of every function."""

    def find(self, config_type: type, default: type) -> Any:
        """The same class for all."""
        return DynamicTask


_DYNAMIC = _DynamicPlugins()


@teaching
def dynamic(
    function: Callable[..., Any] | None = None,
    /,
    *,
    node_dependency_hints: Iterable[Any] | None = None,
    **settings: Any,
) -> Any:
    """Make a task of a function whose body calls other tasks, depending on the values of its inputs.

    It takes the settings of `@task`. `node_dependency_hints` lists tasks and launch plans that it may call, for tools
    that register them beforehand.
    """

    def wrap(function: Callable[..., Any]) -> Any:
        made = cast(DynamicTask[..., Any], task(plugins=_DYNAMIC, **settings)(function))
        made.node_dependency_hints = tuple(node_dependency_hints or ())
        return made

    if function is None:
        return wrap
    if not callable(function):
        raise authoring_error(
            f"@dynamic is given {function!r}; it decorates functions, and takes settings by name only"
        )
    return wrap(function)
