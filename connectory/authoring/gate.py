"""Nodes that wait: for somebody's approval, for a value that somebody gives, for time to pass."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import Any

from connectory.authoring.answers import ask, decode
from connectory.authoring.arguments import teaching
from connectory.authoring.calling import link
from connectory.authoring.conversion import conversion_context, type_registry
from connectory.authoring.entity import Entity
from connectory.authoring.graph import Graph, current_graph
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error
from connectory.authoring.metadata import as_duration
from connectory.authoring.node import Node, Overrides
from connectory.authoring.promise import OutputTuple, Promise, VoidPromise, reference_of
from connectory.errors import ExecutionError
from connectory.v1 import literals_pb2, tasks_pb2, workflow_pb2

__all__ = ["ApproveGate", "Gate", "InputGate", "SleepGate", "approve", "sleep", "wait_for_input"]

_DEFAULT_TIMEOUT = timedelta(hours=1)


class Gate(Entity):
    """A node that waits."""

    def __init__(self, *, name: str, interface: Interface, timeout: timedelta | None) -> None:
        super().__init__(name=name, interface=interface)
        self.timeout = timeout or _DEFAULT_TIMEOUT

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "gate"

    @property
    def short_name(self) -> str:
        """Its whole name: people chose it."""
        return self.name

    @abstractmethod
    def to_proto(self) -> workflow_pb2.GateNode:
        """What it waits for."""

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """A gate has no meaning outside of its workflow."""
        raise ExecutionError(f"gate '{self.name}' runs only as a node of its workflow")

    @abstractmethod
    def answer(self, literals: literals_pb2.LiteralMap) -> literals_pb2.Literal:
        """What somebody here answers to it, given its inputs. Raises ExecutionError where there is nobody to ask."""

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """Its name, and how long it waits at most."""
        message = workflow_pb2.NodeMetadata(
            name=overrides.name or self.name, retries=tasks_pb2.RetryStrategy(retries=overrides.retries or 0)
        )
        message.timeout.FromTimedelta(as_duration(overrides.timeout, "timeout") or self.timeout)
        return message


class ApproveGate(Gate):
    """Hands a value on when somebody approves of it."""

    def to_proto(self) -> workflow_pb2.GateNode:
        """That it waits for an approval."""
        return workflow_pb2.GateNode(approve=workflow_pb2.ApproveCondition(signal_id=self.name))

    def answer(self, literals: literals_pb2.LiteralMap) -> literals_pb2.Literal:
        """Whether the answer is yes."""
        values = type_registry().map_to_python(
            literals, self.typed_interface.inputs, conversion_context(), self.interface.inputs
        )
        shown = ", ".join(repr(value) for value in values.values())
        answer = ask(self.name, f"gate '{self.name}': approve {shown}? [y/N] ")
        approved = answer is True or str(answer).strip().lower() in ("y", "yes", "true")
        primitive = literals_pb2.Primitive(boolean=approved)
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=primitive))


class InputGate(Gate):
    """Gives what somebody answers."""

    def to_proto(self) -> workflow_pb2.GateNode:
        """That it waits for a value of its type."""
        return workflow_pb2.GateNode(
            signal=workflow_pb2.SignalCondition(
                signal_id=self.name,
                type=self.typed_interface.outputs.variables["o0"].type,
                output_variable_name="o0",
            )
        )

    def answer(self, literals: literals_pb2.LiteralMap) -> literals_pb2.Literal:
        """The value."""
        annotation = self.interface.outputs["o0"]
        declared = self.typed_interface.outputs.variables["o0"].type
        answer = decode(
            ask(self.name, f"gate '{self.name}' waits for {annotation}: "), annotation, f"gate '{self.name}'"
        )
        return type_registry().to_literal(answer, declared, conversion_context(), annotation=annotation)


class SleepGate(Gate):
    """Ends after a time."""

    def __init__(self, duration: timedelta) -> None:
        super().__init__(name="sleep-gate", interface=Interface(), timeout=None)
        self.duration = duration

    def to_proto(self) -> workflow_pb2.GateNode:
        """How long it waits."""
        message = workflow_pb2.GateNode()
        message.sleep.duration.FromTimedelta(self.duration)
        return message

    def answer(self, literals: literals_pb2.LiteralMap) -> literals_pb2.Literal:
        """Nobody is asked."""
        raise ExecutionError("a gate that sleeps waits for no answer")


@teaching
def approve(upstream_item: Any, name: str, timeout: timedelta) -> Any:
    """Hand a result on only when somebody approves of it; after `timeout`, the workflow fails."""
    value = upstream_item[0] if isinstance(upstream_item, OutputTuple) and len(upstream_item) == 1 else upstream_item
    if isinstance(value, VoidPromise) or not isinstance(value, Promise):
        raise authoring_error(f"approve('{name}') is given {upstream_item!r}; it takes one result of a task")
    reference = reference_of(value)
    interface = Interface(inputs={reference.var: reference.annotation}, outputs={reference.var: reference.annotation})
    gate = ApproveGate(name=_named(name), interface=interface, timeout=_positive(timeout, name))
    return _linked(gate, {reference.var: value})


@teaching
def wait_for_input(name: str, timeout: timedelta, expected_type: Any) -> Any:
    """A value of this type that somebody gives while the workflow runs; after `timeout`, the workflow fails."""
    interface = Interface(outputs={"o0": expected_type})
    return _linked(InputGate(name=_named(name), interface=interface, timeout=_positive(timeout, name)), {})


@teaching
def sleep(duration: timedelta) -> Any:
    """Let the nodes that follow (`sleep(...) >> node`) wait for this long."""
    return _linked(SleepGate(_positive(duration, "sleep")), {})


def _linked(gate: Gate, arguments: dict[str, Any]) -> Promise | OutputTuple | VoidPromise:
    graph: Graph | None = current_graph()
    if graph is None:
        raise authoring_error(f"gate '{gate.name}' works only in the body of a workflow")
    node: Node = link(graph, gate, arguments)
    return node.result


def _named(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise authoring_error(f"a gate is called by a name, not {name!r}; people answer it by that name")
    return name


def _positive(duration: Any, name: object) -> timedelta:
    given = as_duration(duration, "the time to wait")
    if given is None or given <= timedelta():
        raise authoring_error(f"gate {name!r} waits for {duration!r}; give a timedelta above zero")
    return given
