"""What all workflows share, however they are written."""

from __future__ import annotations

import enum
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property

from connectory.authoring.entity import Entity
from connectory.authoring.graph import Graph
from connectory.authoring.interface import Interface
from connectory.authoring.local_run import run_graph
from connectory.authoring.node import Overrides
from connectory.authoring.promise import Promise, Reference
from connectory.v1 import literals_pb2, tasks_pb2, workflow_pb2

__all__ = ["WorkflowBase", "WorkflowFailurePolicy", "input_promises"]


class WorkflowFailurePolicy(enum.IntEnum):
    """What becomes of the other nodes when one has failed."""

    FAIL_IMMEDIATELY = 0
    """They are aborted."""
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE = 1
    """Those that do not need the failed one are finished first."""


class WorkflowBase(Entity):
    """An entity that consists of nodes."""

    def __init__(
        self,
        *,
        name: str,
        interface: Interface,
        location: str | None,
        failure_policy: WorkflowFailurePolicy = WorkflowFailurePolicy.FAIL_IMMEDIATELY,
        interruptible: bool = False,
    ) -> None:
        super().__init__(name=name, interface=interface, location=location)
        self.failure_policy = failure_policy
        self.interruptible = interruptible

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "workflow"

    @abstractmethod
    def build(self) -> Graph:
        """The nodes and output bindings, made anew."""

    @cached_property
    def graph(self) -> Graph:
        """The nodes and output bindings, built on first use and checked."""
        graph = self.build()
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
        """Run all nodes here."""
        return run_graph(self.graph, literals)


def input_promises(workflow: Entity, graph: Graph) -> Mapping[str, Promise]:
    """The workflow's inputs as promises, to wire its first nodes with."""
    return {
        name: Promise(
            Reference(
                graph=graph,
                node=None,
                var=name,
                annotation=annotation,
                literal_type=workflow.typed_interface.inputs.variables[name].type,
                label=f"input '{name}' of '{workflow.short_name}'",
            )
        )
        for name, annotation in workflow.interface.inputs.items()
    }
