"""The `@workflow` decorator and the object that it makes of a function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast, overload

from connectory.authoring.arguments import teaching
from connectory.authoring.calling import call
from connectory.authoring.entity import Entity
from connectory.authoring.failure_node import input_promises
from connectory.authoring.function_task import qualified_name
from connectory.authoring.graph import Graph, building
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error, function_location
from connectory.authoring.refusals import refusing
from connectory.authoring.returning import bind_outputs
from connectory.authoring.signature import interface_of
from connectory.authoring.workflow_base import WorkflowBase, WorkflowFailurePolicy

if TYPE_CHECKING:
    from connectory.authoring.options import Options

__all__ = ["FunctionWorkflow", "workflow"]

P = ParamSpec("P")
R = TypeVar("R")


class FunctionWorkflow(WorkflowBase, Generic[P, R]):
    """A function that wires tasks together.

    Its body runs once, with promises in place of inputs, when the graph is first needed. Calling the workflow in
    plain Python runs the graph in this process; calling it within another workflow makes it a node there.
    """

    def __init__(
        self,
        function: Callable[P, R],
        *,
        failure_policy: WorkflowFailurePolicy = WorkflowFailurePolicy.FAIL_IMMEDIATELY,
        interruptible: bool = False,
        on_failure: Entity | None = None,
        default_options: Options | None = None,
        interface: Interface | None = None,
        location: str | None = None,
    ) -> None:
        name = qualified_name(function)
        location = location or function_location(function)
        if inspect.iscoroutinefunction(function):
            raise authoring_error(
                f"workflow '{name}' is an async def; its body only wires tasks together, so write it as a plain def",
                location=location,
            )
        super().__init__(
            name=name,
            interface=interface or interface_of(function, name=name),
            location=location,
            failure_policy=failure_policy,
            interruptible=interruptible,
            on_failure=on_failure,
            default_options=default_options,
        )
        self.function = function
        functools.update_wrapper(self, function, updated=())

    def build(self) -> Graph:
        """Run the function once, with promises in place of inputs."""
        graph = Graph(self.name)
        with building(graph):
            result = cast(Callable[..., Any], self.function)(**input_promises(self, graph))
            graph.outputs = bind_outputs(graph, self, result)
        return graph

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return cast(R, call(self, args, kwargs))


@overload
def workflow(function: Callable[P, R], /) -> FunctionWorkflow[P, R]: ...


@overload
def workflow(
    *,
    failure_policy: WorkflowFailurePolicy | None = ...,
    interruptible: bool = ...,
    on_failure: Entity | None = ...,
    default_options: Options | None = ...,
) -> Callable[[Callable[P, R]], FunctionWorkflow[P, R]]: ...


@teaching
def workflow(
    function: Callable[..., Any] | None = None,
    /,
    *,
    failure_policy: WorkflowFailurePolicy | None = None,
    interruptible: bool = False,
    on_failure: Entity | None = None,
    default_options: Options | None = None,
) -> Any:
    """Make a workflow of a function whose body calls tasks and other workflows.

    `on_failure` is a task or workflow that is run when a node has failed: it takes the inputs of this workflow, and may
    have an optional input `err`, which is given the error. `default_options` are what its default launch plan says.
    """

    @refusing
    def wrap(function: Callable[..., Any]) -> FunctionWorkflow[..., Any]:
        policy = WorkflowFailurePolicy.FAIL_IMMEDIATELY if failure_policy is None else failure_policy
        return FunctionWorkflow(
            function,
            failure_policy=policy,
            interruptible=interruptible,
            on_failure=on_failure,
            default_options=default_options,
        )

    if function is None:
        return wrap
    if not callable(function):
        raise authoring_error(
            f"@workflow is given {function!r}; it decorates functions, and takes settings by name only"
        )
    return wrap(function)
