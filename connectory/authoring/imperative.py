"""Workflows that are put together step by step instead of by a function."""

from __future__ import annotations

import sys
from typing import Any

from connectory.authoring.binding import Binder
from connectory.authoring.calling import call, create_node
from connectory.authoring.conditional import ConditionalSection
from connectory.authoring.conversion import type_registry
from connectory.authoring.entity import Entity
from connectory.authoring.failure_node import check_handler, failure_node, input_promise
from connectory.authoring.graph import Graph, building, current_graph
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error
from connectory.authoring.node import Node
from connectory.authoring.promise import OutputTuple, Promise, reference_of
from connectory.authoring.workflow_base import WorkflowBase, WorkflowFailurePolicy
from connectory.errors import ConnectoryError
from connectory.v1 import workflow_pb2

__all__ = ["ImperativeWorkflow", "Workflow"]

_FAILURE_NODE = "efn"


class ImperativeWorkflow(WorkflowBase):
    """A workflow whose inputs, nodes and outputs are added one by one; a node takes only what was added before it."""

    def __init__(
        self, name: str, failure_policy: WorkflowFailurePolicy | None = None, interruptible: bool = False
    ) -> None:
        if not isinstance(name, str) or not name:
            raise authoring_error(f"a workflow is called by a name, not {name!r}")
        self.module = sys._getframe(1).f_globals.get("__name__", "")
        super().__init__(
            name=name,
            interface=Interface(),
            location=None,
            failure_policy=WorkflowFailurePolicy.FAIL_IMMEDIATELY if failure_policy is None else failure_policy,
            interruptible=interruptible,
        )
        self.inputs: dict[str, Promise] = {}
        """The inputs that were added, to give to nodes."""
        self._graph = Graph(name)
        self._outputs: list[workflow_pb2.Binding] = []

    @property
    def graph(self) -> Graph:
        """What was added so far, checked."""
        self._graph.outputs = self._outputs
        self._graph.finish(self.location)
        return self._graph

    def build(self) -> Graph:
        """What was added so far."""
        return self._graph

    @property
    def nodes(self) -> list[Node]:
        """The nodes that were added, in their order."""
        return list(self._graph.nodes)

    def ready(self) -> bool:
        """Whether there is anything to run."""
        return bool(self._graph.nodes)

    def add_workflow_input(self, input_name: str, python_type: Any) -> Promise:
        """Add an input; the promise for it is also in `inputs`."""
        self._require_name(input_name)
        if input_name in self.inputs:
            raise authoring_error(f"workflow '{self.name}' has an input '{input_name}' already")
        self._set_interface({**self.interface.inputs, input_name: python_type}, self.interface.outputs)
        self.inputs[input_name] = input_promise(self, self._graph, input_name)
        return self.inputs[input_name]

    def add_entity(self, entity: Any, **kwargs: Any) -> Node:
        """Add a node that calls a task, workflow or launch plan with these inputs."""
        if not isinstance(entity, Entity):
            raise authoring_error(f"workflow '{self.name}' is given {entity!r}; add tasks, workflows and launch plans")
        if current_graph() is not None:
            raise authoring_error(f"workflow '{self.name}' cannot be added to in the body of another workflow")
        with building(self._graph):
            return create_node(entity, **kwargs)

    def add_task(self, task: Any, **kwargs: Any) -> Node:
        """Add a node that calls a task."""
        return self.add_entity(task, **kwargs)

    def add_subwf(self, sub_wf: WorkflowBase, **kwargs: Any) -> Node:
        """Add a node that runs a sub-workflow."""
        return self.add_entity(sub_wf, **kwargs)

    def add_launch_plan(self, launch_plan: Any, **kwargs: Any) -> Node:
        """Add a node that starts a launch plan."""
        return self.add_entity(launch_plan, **kwargs)

    def create_conditional(self, name: str) -> ConditionalSection:
        """Begin a choice; each case takes a node that is added in its place: `.then(wf.add_entity(task, x=...))`.

        The result of its end is the choice's, to give to nodes and outputs.
        """
        return ConditionalSection(self._graph, name)

    def add_workflow_output(self, output_name: str, p: Any, python_type: Any = None) -> None:
        """Add an output: the result of a node, or a list or dict of such, whose type must be given."""
        self._require_name(output_name)
        if output_name in self.interface.outputs:
            raise authoring_error(f"workflow '{self.name}' has an output '{output_name}' already")
        value = p[0] if isinstance(p, OutputTuple) and len(p) == 1 else p
        if python_type is None:
            if not isinstance(value, Promise):
                raise authoring_error(
                    f"output '{output_name}' of workflow '{self.name}' is {value!r}; give its python_type, such as "
                    "list[int]"
                )
            python_type = reference_of(value).annotation
        binder = Binder(graph=self._graph, place=f"workflow '{self.name}'")
        binding = binder.bind(output_name, value, python_type, self._literal_type(python_type), role="output")
        self._set_interface(self.interface.inputs, {**self.interface.outputs, output_name: python_type})
        self._outputs.append(binding)

    def add_on_failure_handler(self, entity: Any) -> Node:
        """Run this task or workflow, with the workflow's inputs, when a node has failed."""
        check_handler(self, entity)
        self.on_failure = entity
        self._graph.failure_node = failure_node(self._graph, self, entity, node_id=_FAILURE_NODE)
        return self._graph.failure_node

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return call(self, args, kwargs)

    def _require_name(self, name: object) -> None:
        if not isinstance(name, str) or not name:
            raise authoring_error(f"an input or output of workflow '{self.name}' is called by a name, not {name!r}")

    def _literal_type(self, python_type: Any) -> Any:
        try:
            return type_registry().literal_type(python_type)
        except (ConnectoryError, TypeError, ValueError) as error:
            raise authoring_error(f"{python_type!r} cannot cross between tasks: {error}") from error

    def _set_interface(self, inputs: Any, outputs: Any) -> None:
        self._change_interface(Interface(inputs, outputs))


Workflow = ImperativeWorkflow
