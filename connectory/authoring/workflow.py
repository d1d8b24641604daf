"""The `@workflow` decorator and the object that it makes of a function."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from connectory.authoring.binding import Binder
from connectory.authoring.calling import call
from connectory.authoring.conversion import describe
from connectory.authoring.entity import Entity
from connectory.authoring.function_task import qualified_name
from connectory.authoring.graph import Graph, building
from connectory.authoring.interface import Interface
from connectory.authoring.local_run import run_graph
from connectory.authoring.location import authoring_error, function_location
from connectory.authoring.node import Overrides
from connectory.authoring.promise import Promise, Reference
from connectory.authoring.signature import interface_of
from connectory.v1 import literals_pb2, tasks_pb2, workflow_pb2

__all__ = ["Workflow", "WorkflowFailurePolicy", "workflow"]

P = ParamSpec("P")
R = TypeVar("R")


class WorkflowFailurePolicy(enum.IntEnum):
    """What becomes of the other nodes when one has failed."""

    FAIL_IMMEDIATELY = 0
    """They are aborted."""
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE = 1
    """Those that do not need the failed one are finished first."""


class Workflow(Entity, Generic[P, R]):
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
        super().__init__(
            name=name,
            interface=interface or interface_of(function, name=name),
            location=location or function_location(function),
        )
        self.function = function
        self.failure_policy = failure_policy
        self.interruptible = interruptible
        functools.update_wrapper(self, function)

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "workflow"

    @cached_property
    def graph(self) -> Graph:
        """The nodes and output bindings, built on first use and checked."""
        graph = Graph(self.name)
        with building(graph):
            result = cast(Callable[..., Any], self.function)(**self._inputs(graph))
            graph.outputs = self._bind_outputs(graph, result)
        graph.check(self.location)
        return graph

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """The metadata of a node that runs this as a sub-workflow."""
        interruptible = self.interruptible if overrides.interruptible is None else overrides.interruptible
        return workflow_pb2.NodeMetadata(
            name=overrides.name or self.short_name,
            retries=tasks_pb2.RetryStrategy(retries=overrides.retries or 0),
            interruptible=interruptible,
        )

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Run all nodes here."""
        return run_graph(self.graph, literals)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return cast(R, call(self, args, kwargs))

    def _inputs(self, graph: Graph) -> Mapping[str, Promise]:
        return {
            name: Promise(
                Reference(
                    graph=graph,
                    node=None,
                    var=name,
                    annotation=annotation,
                    literal_type=self.typed_interface.inputs.variables[name].type,
                    label=f"input '{name}' of '{self.short_name}'",
                )
            )
            for name, annotation in self.interface.inputs.items()
        }

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
def workflow(function: Callable[P, R], /) -> Workflow[P, R]: ...


@overload
def workflow(
    *, failure_policy: WorkflowFailurePolicy = ..., interruptible: bool = ...
) -> Callable[[Callable[P, R]], Workflow[P, R]]: ...


def workflow(
    function: Callable[..., Any] | None = None,
    /,
    *,
    failure_policy: WorkflowFailurePolicy = WorkflowFailurePolicy.FAIL_IMMEDIATELY,
    interruptible: bool = False,
) -> Any:
    """Make a workflow of a function whose body calls tasks and other workflows."""

    def wrap(function: Callable[..., Any]) -> Workflow[..., Any]:
        return Workflow(function, failure_policy=failure_policy, interruptible=interruptible)

    if function is None:
        return wrap
    if not callable(function):
        raise authoring_error(
            f"@workflow is given {function!r}; it decorates functions, and takes settings by name only"
        )
    return wrap(function)
