"""What all workflows share, however they are written."""

from __future__ import annotations

import enum
from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

from connectory.authoring.default_options import DefaultOptions
from connectory.authoring.entity import Entity
from connectory.authoring.failure_node import check_handler, failure_node, input_promises
from connectory.authoring.graph import Graph
from connectory.authoring.interface import Interface
from connectory.authoring.local_engine import local_engine
from connectory.authoring.location import authoring_error
from connectory.authoring.node import Overrides
from connectory.v1 import literals_pb2, tasks_pb2, workflow_pb2

if TYPE_CHECKING:
    from connectory.authoring.options import Options

__all__ = ["WorkflowBase", "WorkflowFailurePolicy", "input_promises"]


class WorkflowFailurePolicy(enum.IntEnum):
    """What becomes of the other nodes when one has failed."""

    FAIL_IMMEDIATELY = 0
    """They are aborted."""
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE = 1
    """Those that do not need the failed one are finished first."""


class WorkflowBase(Entity):
    """An entity that consists of nodes."""

    runs_code = False

    def __init__(
        self,
        *,
        name: str,
        interface: Interface,
        location: str | None,
        failure_policy: WorkflowFailurePolicy = WorkflowFailurePolicy.FAIL_IMMEDIATELY,
        interruptible: bool = False,
        on_failure: Entity | None = None,
        default_options: Options | None = None,
    ) -> None:
        super().__init__(name=name, interface=interface, location=location)
        if not isinstance(failure_policy, WorkflowFailurePolicy):
            raise authoring_error(
                f"failure_policy of workflow '{name}' is {failure_policy!r}; give a WorkflowFailurePolicy"
            )
        if not isinstance(interruptible, bool):
            raise authoring_error(f"interruptible of workflow '{name}' is {interruptible!r}; give True or False")
        self.failure_policy = failure_policy
        self.interruptible = interruptible
        self.on_failure = on_failure
        if default_options is not None and not isinstance(default_options, DefaultOptions):
            raise authoring_error(f"default_options of workflow '{name}' is {default_options!r}; give Options(...)")
        self.default_options = default_options
        self.launch_plans: dict[str, Any] = {}
        """Its launch plans by name."""
        if on_failure is not None:
            check_handler(self, on_failure)

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "workflow"

    @abstractmethod
    def build(self) -> Graph:
        """The nodes and output bindings, made anew."""

    @property
    def graph(self) -> Graph:
        """The nodes and output bindings, built on first use and checked."""
        return self._built

    @cached_property
    def _built(self) -> Graph:
        graph = self.build()
        if self.on_failure is not None:
            graph.failure_node = failure_node(graph, self, self.on_failure)
        graph.finish(self.location)
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
        """Run all nodes here; when one fails, the failure node, and raise what it failed with."""
        return local_engine().run(self, literals)
