"""Optional and Union."""

import types as python_types
import typing
from collections.abc import Sequence
from typing import Any

from connectory.errors import TypeConversionError
from connectory.types.checking import find_mismatch
from connectory.types.context import ConversionContext
from connectory.types.describing import describe, describe_annotation, describe_literal, describe_value
from connectory.types.kinds import Kind, kind_of
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["UnionTransformer"]

Variant = tuple[Any, types_pb2.LiteralType]


class UnionTransformer(TypeTransformer):
    """Optional[T] and Union[A, B, ...]: the literal records which variant it holds.

    The variant is the one whose type is exactly the value's, or one that the value's class derives from; when there is
    none, the first that takes the value.
    """

    tag = "Typed Union"
    annotations = (typing.Union, python_types.UnionType)
    kinds = (Kind.UNION,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        variants = [literal_type for _, literal_type in types.remembered(annotation, _variants)]
        return types_pb2.LiteralType(union_type=types_pb2.UnionType(variants=variants))

    def annotation_for(self, literal_type: types_pb2.LiteralType, types: TypeRegistry) -> Any:
        variants = [types.annotation_for(variant) for variant in literal_type.union_type.variants]
        if not variants:
            raise TypeConversionError("the declared union has no variants")
        return typing.Union[tuple(variants)]  # noqa: UP007 - made at run time

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        if annotation is Any or kind_of(literal_type) is not Kind.UNION:
            declared = literal_type.union_type.variants or [literal_type]
            variants = [(Any, variant) for variant in declared]
            natural = [(types.annotation_for(variant), variant) for variant in declared]
        else:
            variants = natural = list(types.remembered(annotation, _variants))
        order = sorted(range(len(variants)), key=lambda index: _remoteness(value, natural[index][0]))
        for index in order:
            known, variant = variants[index]
            try:
                literal = types.to_literal(value, variant, ctx, annotation=known)
            except TypeConversionError:
                continue
            if kind_of(literal_type) is not Kind.UNION:
                return literal
            return literals_pb2.Literal(
                scalar=literals_pb2.Scalar(union=literals_pb2.Union(value=literal, type=variant))
            )
        raise TypeConversionError(f"expected {describe(literal_type)}, got {describe_value(value)}")

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        recorded = None
        if literal.scalar.WhichOneof("value") == "union":
            recorded, literal = literal.scalar.union.type, literal.scalar.union.value
        if annotation is Any:
            return types.to_python(literal, Any, ctx)
        variants = types.remembered(annotation, _variants)
        for known, _ in sorted(variants, key=lambda variant: _distance(variant[1], recorded, literal)):
            try:
                return types.to_python(literal, known, ctx)
            except TypeConversionError:
                continue
        raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_literal(literal)}")

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        known = sorted(typing.get_args(annotation), key=lambda variant: _remoteness(value, variant))
        for variant in known:
            try:
                return types.to_plain(value, variant, ctx)
            except TypeConversionError:
                continue
        raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(value)}")

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        known = sorted(typing.get_args(annotation), key=lambda variant: _remoteness(data, variant))
        for variant in known:
            try:
                return types.from_plain(data, variant, ctx)
            except TypeConversionError:
                continue
        raise TypeConversionError(f"expected {describe_annotation(annotation)}, got {describe_value(data)}")


def _variants(annotation: Any, types: TypeRegistry) -> Sequence[Variant]:
    variants = []
    for argument in typing.get_args(annotation):
        literal_type = types.literal_type(argument)
        literal_type.structure.CopyFrom(types_pb2.TypeStructure(tag=types.transformer_for(argument).tag))
        variants.append((argument, literal_type))
    return variants


def _remoteness(value: Any, annotation: Any) -> int:
    """Smaller is nearer: the value's own class, one that it derives from, any other."""
    plain = typing.get_origin(annotation) or annotation
    wanted = python_types.NoneType if plain is None else plain
    return 0 if type(value) is wanted else 2 - (wanted in type(value).__mro__)


def _distance(
    variant: types_pb2.LiteralType, recorded: types_pb2.LiteralType | None, literal: literals_pb2.Literal
) -> tuple[bool, bool, bool]:
    """Smaller is nearer: the recorded type itself, the recorded tag, a type that the literal fits."""
    same = recorded is not None and variant == recorded
    same_tag = recorded is not None and variant.structure.tag == recorded.structure.tag
    return not same, not same_tag, find_mismatch(literal, variant) is not None
