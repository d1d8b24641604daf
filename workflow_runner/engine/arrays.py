"""Array nodes: what one repetition takes, and what becomes of the results."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectory.errors import InvalidTaskError, TypeConversionError
from connectory.v1 import interface_pb2, literals_pb2, tasks_pb2, types_pb2, workflow_pb2
from workflow_runner.engine.graph import Array, Graph, NodeSpec

__all__ = ["array_of", "collected", "count_of", "inputs_of", "items_graph"]


def array_of(where: str, node: workflow_pb2.ArrayNode, item: NodeSpec) -> Array:
    """An array node, arranged for running.

    The task that is repeated declares lists, unless the node says that it declares what one repetition takes; either
    way, a repetition is run with single values.
    """
    if item.task is None and item.graph is None:
        raise InvalidTaskError(f"{where} repeats a {item.kind} node; it can repeat a task, a workflow or a launch plan")
    bound = frozenset(node.bound_inputs)
    own = node.is_original_sub_node_interface.value
    whole = _lists(item.interface, bound) if own else item.interface
    if not own and item.task is not None:
        item = replace(item, task=_single_task(item.task, bound))
    return Array(
        item=item,
        interface=whole,
        bound=bound,
        parallelism=node.parallelism,
        min_successes=node.min_successes if node.WhichOneof("success_criteria") == "min_successes" else None,
        min_success_ratio=node.min_success_ratio if node.WhichOneof("success_criteria") == "min_success_ratio" else 1.0,
        run_all=node.run_all_sub_nodes,
    )


def count_of(array: Array, inputs: literals_pb2.LiteralMap) -> int:
    """How many repetitions there are; TypeConversionError unless all lists have one length."""
    lengths = {}
    for name, literal in inputs.literals.items():
        if name in array.bound:
            continue
        if literal.WhichOneof("value") != "collection":
            raise TypeConversionError("a list is needed to repeat a node for its members", path=name)
        lengths[name] = len(literal.collection.literals)
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} has {length}" for name, length in sorted(lengths.items()))
        raise TypeConversionError(f"the lists that a node is repeated for differ in length: {told}")
    if not lengths:
        raise TypeConversionError("there is no list that the node could be repeated for")
    return next(iter(lengths.values()))


def require_enough(array: Array, count: int) -> None:
    """TypeConversionError when there are fewer repetitions than must succeed."""
    if array.min_successes is not None and count < array.min_successes:
        raise TypeConversionError(f"the lists have {count} members, and {array.min_successes} repetitions must succeed")


def items_graph(array: Array, count: int) -> Graph:
    """The repetitions, as nodes that wait for nothing."""
    item = array.item
    nodes = {str(index): item for index in range(count)}
    return Graph(name=item.title, nodes=nodes, interface=array.interface, fails_at_once=not array.run_all)


def inputs_of(array: Array, inputs: literals_pb2.LiteralMap, index: int) -> literals_pb2.LiteralMap:
    """What one repetition takes."""
    taken = {
        name: literal if name in array.bound else literal.collection.literals[index]
        for name, literal in inputs.literals.items()
    }
    return literals_pb2.LiteralMap(literals=taken)


def collected(array: Array, results: Sequence[literals_pb2.LiteralMap | None]) -> literals_pb2.LiteralMap:
    """All results in the order of the members; what failed is nothing."""
    outputs = {}
    for name, variable in array.interface.outputs.variables.items():
        member = variable.type.collection_type
        items = [_member(result.literals[name] if result is not None else _nothing(), member) for result in results]
        outputs[name] = literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=items))
    return literals_pb2.LiteralMap(literals=outputs)


def _member(literal: literals_pb2.Literal, member: types_pb2.LiteralType) -> literals_pb2.Literal:
    """A result as one of the declared members: of an optional type, it says which variant it is."""
    if member.WhichOneof("type") != "union_type" or literal.scalar.WhichOneof("value") == "union":
        return literal
    missing = literal.scalar.WhichOneof("value") == "none_type"
    kind = next((each for each in member.union_type.variants if _is_none(each) is missing), member)
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(union=literals_pb2.Union(value=literal, type=kind)))


def _is_none(kind: types_pb2.LiteralType) -> bool:
    return kind.WhichOneof("type") == "simple" and kind.simple == types_pb2.NONE


def _nothing() -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(none_type=literals_pb2.Void()))


def _single_task(task: tasks_pb2.TaskTemplate, bound: frozenset[str]) -> tasks_pb2.TaskTemplate:
    single = tasks_pb2.TaskTemplate()
    single.CopyFrom(task)
    inputs = {
        name: variable if name in bound else _single(variable)
        for name, variable in task.interface.inputs.variables.items()
    }
    outputs = {name: _single(variable) for name, variable in task.interface.outputs.variables.items()}
    single.interface.CopyFrom(_interface(inputs, outputs))
    return single


def _single(variable: interface_pb2.Variable) -> interface_pb2.Variable:
    if variable.type.WhichOneof("type") != "collection_type":
        return variable
    return interface_pb2.Variable(type=variable.type.collection_type, description=variable.description)


def _lists(interface: interface_pb2.TypedInterface, bound: frozenset[str]) -> interface_pb2.TypedInterface:
    inputs = {
        name: variable if name in bound else _list(variable) for name, variable in interface.inputs.variables.items()
    }
    return _interface(inputs, {name: _list(variable) for name, variable in interface.outputs.variables.items()})


def _list(variable: interface_pb2.Variable) -> interface_pb2.Variable:
    return interface_pb2.Variable(type=types_pb2.LiteralType(collection_type=variable.type))


def _interface(
    inputs: Mapping[str, interface_pb2.Variable], outputs: Mapping[str, interface_pb2.Variable]
) -> interface_pb2.TypedInterface:
    return interface_pb2.TypedInterface(
        inputs=interface_pb2.VariableMap(variables=inputs), outputs=interface_pb2.VariableMap(variables=outputs)
    )
