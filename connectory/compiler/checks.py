"""What must hold in a compiled closure, whoever made it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from connectory.authoring.casting import castable, type_name
from connectory.authoring.ordering import find_cycle
from connectory.compiler.inference import BindingTypes
from connectory.compiler.targets import called_by, cases_of, every_node, key_of, node_interface, waited_for
from connectory.errors import AuthoringError, TypeConversionError
from connectory.v1 import interface_pb2, types_pb2, workflow_pb2

__all__ = ["Problem", "check", "require_sound"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something in a closure that cannot work."""

    workflow: str
    node: str
    """The id of the node; empty: the workflow itself."""
    variable: str
    """The input or output; empty: not about one."""
    message: str

    def __str__(self) -> str:
        place = f"workflow '{self.workflow}'" + (f", node '{self.node}'" if self.node else "")
        return f"{place}: {self.message}"


class Interfaced(Protocol):
    """Something with an interface in literal types."""

    @property
    def typed_interface(self) -> interface_pb2.TypedInterface: ...


def require_sound(
    closure: workflow_pb2.CompiledWorkflowClosure,
    *,
    location: str | None = None,
    references: Mapping[bytes, Interfaced] | None = None,
) -> None:
    """Raise AuthoringError that lists every problem of the closure."""
    problems = check(closure, references=references)
    if problems:
        raise AuthoringError("\n".join(map(str, problems)), location=location)


def check(
    closure: workflow_pb2.CompiledWorkflowClosure, *, references: Mapping[bytes, Interfaced] | None = None
) -> list[Problem]:
    """Every problem of the closure; none for a sound one.

    Checked are: node ids (unique, not empty), references to tasks, sub-workflows and launch plans, inputs (missing,
    unknown, given twice), types across every binding, nodes that are waited for but do not exist, rings among nodes
    and among workflows; within the cases of choices and array nodes, too. `references` are interfaces of what is
    registered elsewhere, by identifier (serialized deterministically).
    """
    interfaces = {key: entity.typed_interface for key, entity in (references or {}).items()}
    interfaces.update((key_of(task.template.id), task.template.interface) for task in closure.tasks)
    interfaces.update((key_of(plan.template.id), plan.template.interface) for plan in closure.launch_plans)
    workflows = [closure.primary.template, *(compiled.template for compiled in closure.sub_workflows)]
    interfaces.update((key_of(template.id), template.interface) for template in workflows)
    problems = [problem for template in workflows for problem in _WorkflowCheck(template, interfaces).problems()]
    ring = find_cycle({template.id.name: _called(template) for template in workflows})
    if ring:
        problems.append(
            Problem(workflow=ring[0], node="", variable="", message=f"calls itself: {' calls '.join(ring)}")
        )
    return problems


def _called(template: workflow_pb2.WorkflowTemplate) -> list[str]:
    return [
        node.workflow_node.sub_workflow_ref.name
        for node in every_node(template.nodes)
        if node.workflow_node.WhichOneof("reference") == "sub_workflow_ref"
    ]


class _WorkflowCheck:
    """The checks of one workflow."""

    def __init__(
        self, template: workflow_pb2.WorkflowTemplate, interfaces: Mapping[bytes, interface_pb2.TypedInterface]
    ) -> None:
        self._template = template
        self._interfaces = interfaces
        self._nodes = [(node, node_interface(node, interfaces)) for node in template.nodes]
        self._known = {node.id: interface for node, interface in self._nodes}
        self._types = BindingTypes(template.interface, self._known)
        self._found: list[Problem] = []

    def problems(self) -> list[Problem]:
        """All of them, in the order of the nodes."""
        seen: set[str] = set()
        for node, interface in self._nodes:
            self._identity(node, seen)
            self._node(node, interface)
        if self._template.HasField("failure_node"):
            self._inner(self._template.failure_node)
        self._bindings("", self._template.outputs, self._template.interface.outputs, "output")
        ring = find_cycle({node.id: waited_for(node) for node, _ in self._nodes})
        if ring:
            self._problem(ring[0], f"waits for itself: {' waits for '.join(ring)}")
        return self._found

    def _inner(self, node: workflow_pb2.Node) -> None:
        self._node(node, node_interface(node, self._interfaces))

    def _node(self, node: workflow_pb2.Node, interface: interface_pb2.TypedInterface | None) -> None:
        """Look at a node of this interface; None: it is not known, as that of a target that does not exist."""
        if interface is None:
            self._target(node)
        for name in node.upstream_node_ids:
            if name not in self._known:
                self._problem(node.id, f"waits for the node '{name}', which does not exist")
        if node.WhichOneof("target") in ("branch_node", "gate_node"):
            self._sources(node)
        elif interface is not None:
            self._bindings(node.id, node.inputs, interface.inputs, "input")
        for inner in cases_of(node):
            self._inner(inner)

    def _sources(self, node: workflow_pb2.Node) -> None:
        """What a choice or a gate looks at must exist; it takes any type."""
        for binding in node.inputs:
            try:
                self._types.given(binding.binding)
            except TypeConversionError as error:
                self._problem(node.id, f"input '{binding.var}' {error}", binding.var)

    def _identity(self, node: workflow_pb2.Node, seen: set[str]) -> None:
        name = node.id
        if not name:
            self._problem("", "has a node without an id")
        if name in seen:
            self._problem(name, "the id is given to more than one node")
        seen.add(name)

    def _target(self, node: workflow_pb2.Node) -> None:
        if node.WhichOneof("target") is None:
            self._problem(node.id, "calls nothing")
            return
        target = called_by(node)
        if target is not None and key_of(target) not in self._interfaces:
            self._problem(node.id, f"calls '{target.name}', which is not part of the closure")

    def _bindings(
        self,
        node: str,
        bindings: Iterable[workflow_pb2.Binding],
        declared: interface_pb2.VariableMap,
        role: str,
    ) -> None:
        seen: set[str] = set()
        variables = declared.variables
        for binding in bindings:
            name = binding.var
            if name not in variables:
                self._problem(node, f"{role} '{name}' is bound but not declared", name)
                continue
            if name in seen:
                self._problem(node, f"{role} '{name}' is bound twice", name)
            seen.add(name)
            self._type(node, binding, variables[name].type, role)
        for name in variables:
            if name not in seen:
                wanted = type_name(variables[name].type)
                self._problem(node, f"{role} '{name}' is missing; it takes {wanted}", name)

    def _type(self, node: str, binding: workflow_pb2.Binding, expected: types_pb2.LiteralType, role: str) -> None:
        try:
            for given, wanted in self._types.pairs(binding.binding, expected):
                if given is not None and not castable(given, wanted):
                    message = f"{role} '{binding.var}' takes {type_name(wanted)}, but is given {type_name(given)}"
                    self._problem(node, message, binding.var)
        except TypeConversionError as error:
            self._problem(node, f"{role} '{binding.var}' {error}", binding.var)

    def _problem(self, node: str, message: str, variable: str = "") -> None:
        self._found.append(Problem(workflow=self._template.id.name, node=node, variable=variable, message=message))
