"""What nodes receive: constants, collections, maps, promises, and parts of promised values."""

import msgspec
import pytest
from google.protobuf import struct_pb2

from connectory.errors import TypeConversionError
from connectory.v1 import interface_pb2, literals_pb2, types_pb2, workflow_pb2
from tests.workflow_runner.workflows import (
    INTEGER,
    STRING,
    bindings,
    constant,
    integer,
    literal_map,
    many,
    promise,
    string,
    variables,
)
from workflow_runner.engine.bindings import bind
from workflow_runner.engine.graph import Graph, NodeSpec
from workflow_runner.engine.state import NodeState, ScopeState

FLOAT = types_pb2.LiteralType(simple=types_pb2.FLOAT)


def packed(value: object) -> literals_pb2.Literal:
    binary = literals_pb2.Binary(value=msgspec.msgpack.encode(value), tag="msgpack")
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(binary=binary))


def struct(value: dict[str, object]) -> literals_pb2.Literal:
    generic = struct_pb2.Struct()
    generic.update(value)
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(generic=generic))


def collection(*items: literals_pb2.Literal) -> literals_pb2.Literal:
    return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=items))


def bound(
    data: workflow_pb2.BindingData,
    produced: literals_pb2.Literal | None = None,
    expected: types_pb2.LiteralType = INTEGER,
) -> literals_pb2.Literal:
    """The value of a binding in a workflow with input `a` = 7 and a finished node `n` with output `o`."""
    graph = Graph(name="w", nodes={}, interface=interface_pb2.TypedInterface())
    scope = ScopeState(path="", graph=graph, inputs=literal_map(a=integer(7)), binds_in="", remaining=1)
    spec = NodeSpec(node=workflow_pb2.Node(id="n"))
    outputs = literal_map(o=produced) if produced is not None else None
    nodes = {"n": NodeState(path="n", scope="", spec=spec, outputs=outputs)}
    return bind(bindings({"x": data}), variables({"x": expected}), scope, nodes).literals["x"]


def test_constants_inputs_and_outputs() -> None:
    assert bound(constant(integer(3))) == integer(3)
    assert bound(promise("", "a")) == integer(7)
    assert bound(promise("start-node", "a")) == integer(7)
    assert bound(promise("n", "o"), integer(4)) == integer(4)


def test_collections_and_maps_mix_constants_and_promises() -> None:
    assert bound(many(promise("n", "o"), constant(integer(1))), integer(4)) == collection(integer(4), integer(1))
    data = workflow_pb2.BindingData(map=workflow_pb2.BindingDataMap(bindings={"k": promise("n", "o")}))
    assert bound(data, integer(4)) == literals_pb2.Literal(map=literal_map(k=integer(4)))


def test_parts_of_collections_and_maps() -> None:
    assert bound(promise("n", "o", 1), collection(integer(1), integer(2))) == integer(2)
    nested = literals_pb2.Literal(map=literal_map(rows=collection(integer(1), integer(5))))
    assert bound(promise("n", "o", "rows", 1), nested) == integer(5)


@pytest.mark.parametrize("made", [packed, struct])
def test_parts_of_structures_take_the_declared_type(made: object) -> None:
    value = made({"name": "x", "count": 3, "share": 1, "rows": [{"id": 1}, {"id": 2}]})  # type: ignore[operator]
    assert bound(promise("n", "o", "name"), value, STRING) == string("x")
    assert bound(promise("n", "o", "count"), value) == integer(3)
    assert bound(promise("n", "o", "share"), value, FLOAT).scalar.primitive.float_value == 1.0
    assert bound(promise("n", "o", "rows", 1, "id"), value) == integer(2)
    inner = bound(promise("n", "o", "rows", 0), value, types_pb2.LiteralType(simple=types_pb2.STRUCT))
    assert msgspec.msgpack.decode(inner.scalar.binary.value) == {"id": 1}


def test_a_list_in_a_structure_becomes_a_collection_where_one_is_declared() -> None:
    expected = types_pb2.LiteralType(collection_type=INTEGER)
    assert bound(promise("n", "o", "rows"), packed({"rows": [1, 2]}), expected) == collection(integer(1), integer(2))


def test_reading_a_missing_part_changes_nothing_and_names_the_path() -> None:
    value = literals_pb2.Literal(map=literal_map(k=integer(1)))
    with pytest.raises(TypeConversionError, match=r"x\.gone: the value has no 'gone'"):
        bound(promise("n", "o", "gone"), value)
    assert list(value.map.literals) == ["k"]
    with pytest.raises(TypeConversionError, match=r"x\[5\]: the value has no 5"):
        bound(promise("n", "o", 5), collection(integer(1)))
    with pytest.raises(TypeConversionError, match=r"x\.rows\[2\]"):
        bound(promise("n", "o", "rows", 2), packed({"rows": []}))
    with pytest.raises(TypeConversionError, match="primitive has no parts"):
        bound(promise("n", "o", "k"), integer(1))


def test_a_missing_output_is_named_with_what_there_is() -> None:
    with pytest.raises(TypeConversionError, match="outputs of node 'n' hold no 'p'; there is: o"):
        bound(promise("n", "p"), integer(1))
