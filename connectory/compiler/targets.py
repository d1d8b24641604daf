"""What compiled nodes call, and what they have within themselves."""

from collections.abc import Iterable, Iterator, Mapping

from connectory.v1 import identifiers_pb2, interface_pb2, types_pb2, workflow_pb2

__all__ = ["called_by", "cases_of", "every_node", "key_of", "node_interface", "waited_for"]


def key_of(identifier: identifiers_pb2.Identifier) -> bytes:
    """An identifier as a key of a dict."""
    return identifier.SerializeToString(deterministic=True)


def called_by(node: workflow_pb2.Node) -> identifiers_pb2.Identifier | None:
    """The task, workflow or launch plan that a node calls, or repeats; None when it calls none."""
    match node.WhichOneof("target"):
        case "task_node":
            return node.task_node.reference_id
        case "workflow_node" if node.workflow_node.WhichOneof("reference") == "launchplan_ref":
            return node.workflow_node.launchplan_ref
        case "workflow_node":
            return node.workflow_node.sub_workflow_ref
        case "array_node":
            return called_by(node.array_node.node)
    return None


def cases_of(node: workflow_pb2.Node) -> list[workflow_pb2.Node]:
    """The nodes of a choice's cases; none for other nodes."""
    if node.WhichOneof("target") != "branch_node":
        return []
    block = node.branch_node.if_else
    nodes = [block.case.then_node, *(other.then_node for other in block.other)]
    return [*nodes, block.else_node] if block.WhichOneof("default") == "else_node" else nodes


def every_node(nodes: Iterable[workflow_pb2.Node]) -> Iterator[workflow_pb2.Node]:
    """The nodes, and those within choices."""
    for node in nodes:
        yield node
        yield from every_node(cases_of(node))


def waited_for(node: workflow_pb2.Node) -> list[str]:
    """Ids of all nodes that must end first: a choice also waits for what its cases wait for."""
    found = dict.fromkeys(node.upstream_node_ids)
    for inner in cases_of(node):
        found.update(dict.fromkeys(waited_for(inner)))
    return list(found)


def node_interface(
    node: workflow_pb2.Node, interfaces: Mapping[bytes, interface_pb2.TypedInterface]
) -> interface_pb2.TypedInterface | None:
    """What a node takes and gives; None when it cannot be known."""
    match node.WhichOneof("target"):
        case "branch_node":
            return _common_outputs([node_interface(case, interfaces) for case in cases_of(node)])
        case "gate_node":
            return _gate(node.gate_node)
        case "array_node" if node.array_node.is_original_sub_node_interface.value:
            inner = node_interface(node.array_node.node, interfaces)
            return None if inner is None else _lists(inner, node.array_node)
    called = called_by(node)
    return None if called is None else interfaces.get(key_of(called))


def _common_outputs(cases: list[interface_pb2.TypedInterface | None]) -> interface_pb2.TypedInterface | None:
    """What all cases give; of unlike types that of the first, since authors were held to types that fit."""
    known = [case for case in cases if case is not None]
    if len(known) != len(cases) or not known:
        return None
    result = interface_pb2.TypedInterface()
    for name, variable in known[0].outputs.variables.items():
        others = [case.outputs.variables.get(name) for case in known]
        if all(other is not None for other in others):
            result.outputs.variables[name].CopyFrom(variable)
    return result


def _gate(gate: workflow_pb2.GateNode) -> interface_pb2.TypedInterface | None:
    match gate.WhichOneof("condition"):
        case "approve":
            return None
        case "signal":
            result = interface_pb2.TypedInterface()
            result.outputs.variables[gate.signal.output_variable_name].type.CopyFrom(gate.signal.type)
            return result
    return interface_pb2.TypedInterface()


def _lists(inner: interface_pb2.TypedInterface, array: workflow_pb2.ArrayNode) -> interface_pb2.TypedInterface:
    """The interface of all repetitions together."""
    result = interface_pb2.TypedInterface()
    for name, variable in inner.inputs.variables.items():
        result.inputs.variables[name].CopyFrom(variable)
        if name not in array.bound_inputs:
            result.inputs.variables[name].type.Clear()
            result.inputs.variables[name].type.collection_type.CopyFrom(variable.type)
    for name, variable in inner.outputs.variables.items():
        member = variable.type
        if array.WhichOneof("success_criteria") == "min_success_ratio" and array.min_success_ratio < 1:
            member = _optional(member)
        result.outputs.variables[name].type.collection_type.CopyFrom(member)
    return result


def _optional(member: types_pb2.LiteralType) -> types_pb2.LiteralType:
    if member.WhichOneof("type") == "union_type":
        return member
    variants = [member, types_pb2.LiteralType(simple=types_pb2.NONE)]
    return types_pb2.LiteralType(union_type=types_pb2.UnionType(variants=variants))
