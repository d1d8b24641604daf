"""The `@workflow` decorator and the object that it makes of a function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from connectory.authoring.binding import Binder
from connectory.authoring.calling import call
from connectory.authoring.conversion import describe
from connectory.authoring.function_task import qualified_name
from connectory.authoring.graph import Graph, building
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error, function_location
from connectory.authoring.signature import interface_of
from connectory.authoring.workflow_base import WorkflowBase, WorkflowFailurePolicy, input_promises
from connectory.v1 import workflow_pb2

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
        )
        self.function = function
        functools.update_wrapper(self, function, updated=())

    def build(self) -> Graph:
        """Run the function once, with promises in place of inputs."""
        graph = Graph(self.name)
        with building(graph):
            result = cast(Callable[..., Any], self.function)(**input_promises(self, graph))
            graph.outputs = self._bind_outputs(graph, result)
        return graph

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return cast(R, call(self, args, kwargs))

    def _bind_outputs(self, graph: Graph, result: Any) -> Sequence[workflow_pb2.Binding]:
        binder = Binder(graph=graph, place=f"workflow '{self.name}'")
        variables = self.typed_interface.outputs.variables
        return [
            binder.bind(name, value, self.interface.outputs[name], variables[name].type, role="output")
            for name, value in self._returned(result).items()
        ]

    def _returned(self, result: Any) -> Mapping[str, Any]:
        names = list(self.interface.outputs)
        if not names:
            return {}
        if result is None and not all(kind is None for kind in self.interface.outputs.values()):
            raise self._mismatch("returns nothing; add a return statement at its end")
        if len(names) == 1:
            single = isinstance(result, tuple) and len(result) == 1
            return {names[0]: result[0] if single else result}
        if not isinstance(result, tuple) or len(result) != len(names):
            count = len(result) if isinstance(result, tuple) else 1
            raise self._mismatch(f"returns {count}")
        return dict(zip(names, result, strict=True))

    def _mismatch(self, what: str) -> Exception:
        declared = ", ".join(f"{name}: {describe(kind)}" for name, kind in self.interface.outputs.items())
        return authoring_error(
            f"workflow '{self.name}' declares {len(self.interface.outputs)} outputs ({declared}), but {what}",
            location=self.location,
        )


@overload
def workflow(function: Callable[P, R], /) -> FunctionWorkflow[P, R]: ...


@overload
def workflow(
    *, failure_policy: WorkflowFailurePolicy = ..., interruptible: bool = ...
) -> Callable[[Callable[P, R]], FunctionWorkflow[P, R]]: ...


def workflow(
    function: Callable[..., Any] | None = None,
    /,
    *,
    failure_policy: WorkflowFailurePolicy = WorkflowFailurePolicy.FAIL_IMMEDIATELY,
    interruptible: bool = False,
) -> Any:
    """Make a workflow of a function whose body calls tasks and other workflows."""

    def wrap(function: Callable[..., Any]) -> FunctionWorkflow[..., Any]:
        return FunctionWorkflow(function, failure_policy=failure_policy, interruptible=interruptible)

    if function is None:
        return wrap
    if not callable(function):
        raise authoring_error(
            f"@workflow is given {function!r}; it decorates functions, and takes settings by name only"
        )
    return wrap(function)
