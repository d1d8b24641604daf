"""The registry as a value, and conversions of whole interfaces."""

from decimal import Decimal
from typing import Annotated, Any

import pytest

from connectory.errors import RegistryError, TypeConversionError
from connectory.types import ConversionContext, TypeRegistry, TypeTransformer, default_types
from connectory.v1 import interface_pb2, literals_pb2, types_pb2
from tests.connectory.types.samples import CTX, TYPES, Part


class DecimalTransformer(TypeTransformer):
    tag = "decimal"
    annotations = (Decimal,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(simple=types_pb2.STRING)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        return types.to_literal(str(value), literal_type, ctx)

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Decimal:
        return Decimal(types.to_python(literal, str, ctx))


def variables(**annotations: Any) -> interface_pb2.VariableMap:
    declared = interface_pb2.VariableMap()
    for name, annotation in annotations.items():
        declared.variables[name].type.CopyFrom(TYPES.literal_type(annotation))
    return declared


def test_a_registered_transformer_combines_with_the_built_in_ones() -> None:
    types = default_types()
    types.register(DecimalTransformer())
    annotation = list[Decimal | None]
    literal = types.to_literal([Decimal("1.10"), None], types.literal_type(annotation), CTX, annotation=annotation)
    assert types.to_python(literal, annotation, CTX) == [Decimal("1.10"), None]


def test_registries_are_independent() -> None:
    default_types().register(DecimalTransformer())
    with pytest.raises(TypeConversionError):
        default_types().literal_type(Decimal)


def test_two_transformers_for_one_annotation_are_refused_unless_one_overrides() -> None:
    types = default_types()
    types.register(DecimalTransformer())
    with pytest.raises(RegistryError, match="both DecimalTransformer and DecimalTransformer convert Decimal"):
        types.register(DecimalTransformer())
    types.register(DecimalTransformer(), override=True)


def test_annotated_is_its_type() -> None:
    assert TYPES.literal_type(Annotated[int, "metres"]) == TYPES.literal_type(int)
    literal = TYPES.to_literal(1, TYPES.literal_type(int), CTX, annotation=Annotated[int, ["unhashable"]])
    assert TYPES.to_python(literal, Annotated[int, ["unhashable"]], CTX) == 1


def test_an_interface_is_converted_both_ways() -> None:
    declared = variables(n=int, names=list[str], part=Part, maybe=float | None)
    literals = TYPES.map_to_literals({"n": 1, "names": ["a"], "part": Part(2), "maybe": None}, declared, CTX)
    TYPES.check_map(literals, declared)
    assert TYPES.map_to_python(literals, declared, CTX) == {
        "n": 1,
        "names": ["a"],
        "part": {"number": 2, "name": None},
        "maybe": None,
    }
    assert TYPES.map_to_python(literals, declared, CTX, {"part": Part})["part"] == Part(2)


def test_what_may_be_none_may_be_missing() -> None:
    declared = variables(n=int, maybe=float | None, nothing=None)
    literals = TYPES.map_to_literals({"n": 1}, declared, CTX)
    assert TYPES.map_to_python(literals, declared, CTX) == {"n": 1, "maybe": None, "nothing": None}
    del literals.literals["maybe"]
    TYPES.check_map(literals, declared)
    assert TYPES.map_to_python(literals, declared, CTX)["maybe"] is None


def test_missing_and_unknown_names_are_named() -> None:
    declared = variables(n=int, m=int)
    with pytest.raises(TypeConversionError, match=r"missing m; unknown o, p \(declared: m, n\)"):
        TYPES.map_to_literals({"n": 1, "o": 2, "p": 3}, declared, CTX)
    with pytest.raises(TypeConversionError, match=r"unknown n \(declared: nothing\)"):
        TYPES.map_to_literals({"n": 1}, variables(), CTX)
    with pytest.raises(TypeConversionError, match="missing m, n"):
        TYPES.map_to_python(literals_pb2.LiteralMap(), declared, CTX)


def test_a_value_that_does_not_fit_names_its_variable() -> None:
    with pytest.raises(TypeConversionError) as caught:
        TYPES.map_to_literals({"names": ["a", 1]}, variables(names=list[str]), CTX)
    assert caught.value.path == "names[1]"
