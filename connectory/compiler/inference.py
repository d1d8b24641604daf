"""The types of bindings: what a node is given, beside what it takes."""

from collections.abc import Iterator, Mapping

from connectory.errors import TypeConversionError
from connectory.types.checking import check as check_literal
from connectory.v1 import interface_pb2, literals_pb2, types_pb2, workflow_pb2

__all__ = ["BindingTypes"]

Pair = tuple[types_pb2.LiteralType | None, types_pb2.LiteralType]


class BindingTypes:
    """Knows the types of a workflow's inputs and of its nodes' outputs."""

    def __init__(
        self, workflow: interface_pb2.TypedInterface, nodes: Mapping[str, interface_pb2.TypedInterface | None]
    ) -> None:
        self._workflow = workflow
        self._nodes = nodes
        """Interfaces by node id; None for a node whose outputs are not known here."""

    def pairs(self, data: workflow_pb2.BindingData, expected: types_pb2.LiteralType) -> Iterator[Pair]:
        """What is given and what is taken, for every promise in the binding; None: it cannot be known.

        Raises TypeConversionError for a constant that does not fit, and for a promise of something that does not exist.
        """
        match data.WhichOneof("value"):
            case "promise":
                yield self._promised(data.promise), expected
            case "collection":
                member = _inner(expected, "collection_type")
                for binding in data.collection.bindings:
                    yield from self.pairs(binding, member)
            case "map":
                member = _inner(expected, "map_value_type")
                for binding in data.map.bindings.values():
                    yield from self.pairs(binding, member)
            case "scalar":
                check_literal(literals_pb2.Literal(scalar=data.scalar), expected)
            case None:
                raise TypeConversionError("is bound to nothing")

    def given(self, data: workflow_pb2.BindingData) -> types_pb2.LiteralType | None:
        """The type of a promise; None: it cannot be known. Raises TypeConversionError for one of nothing."""
        return self._promised(data.promise) if data.WhichOneof("value") == "promise" else None

    def _promised(self, promise: workflow_pb2.OutputReference) -> types_pb2.LiteralType | None:
        node, var = promise.node_id, promise.var
        if node and node not in self._nodes:
            raise TypeConversionError(f"takes '{var}' of the node '{node}', which does not exist")
        interface = self._nodes.get(node)
        if node and interface is None:
            return None
        variables = (interface.outputs if interface is not None else self._workflow.inputs).variables
        if var not in variables:
            owner = f"the node '{node}'" if node else "the workflow's inputs"
            raise TypeConversionError(f"takes '{var}' of {owner}, which has none such")
        found: types_pb2.LiteralType | None = variables[var].type
        for attribute in promise.attr_path:
            found = None if found is None else _attribute(found, attribute)
        return found


def _inner(expected: types_pb2.LiteralType, kind: str) -> types_pb2.LiteralType:
    if expected.WhichOneof("type") == kind:
        inner: types_pb2.LiteralType = getattr(expected, kind)
        return inner
    for variant in expected.union_type.variants:
        if variant.WhichOneof("type") == kind:
            return _inner(variant, kind)
    raise TypeConversionError(f"is given a {'list' if kind == 'collection_type' else 'map'}, which it does not take")


def _attribute(parent: types_pb2.LiteralType, attribute: workflow_pb2.PromiseAttribute) -> types_pb2.LiteralType | None:
    if attribute.WhichOneof("value") == "int_value":
        return parent.collection_type if parent.WhichOneof("type") == "collection_type" else None
    if parent.WhichOneof("type") == "map_value_type":
        return parent.map_value_type
    known = parent.structure.dataclass_type
    return known.get(attribute.string_value)
