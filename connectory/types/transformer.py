"""The contract between Python values of one family and the literals that carry them."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation
from connectory.types.kinds import Kind
from connectory.types.structures import unpack
from connectory.v1 import literals_pb2, types_pb2

if TYPE_CHECKING:
    from connectory.types.registry import TypeRegistry

__all__ = ["TypeTransformer"]


class TypeTransformer(ABC):
    """Converts the values of one family of annotations.

    A transformer holds no state and is shared by threads. It is found by annotation (`annotations`, then `claims`), or
    by the kind of the declared type (`kinds`) when no annotation is known: `annotation` is then `typing.Any`.

    Obligations: what `to_literal` makes fits `literal_type`; `to_python` of it is an equal value; every value that
    cannot be converted is a `TypeConversionError` that says what was expected and what was given. Parts are converted
    through `types`, so that families combine.
    """

    tag: ClassVar[str]
    """The name that a union records for this family's values: Flyte's for the same family, so that unions cross."""
    annotations: ClassVar[tuple[Any, ...]] = ()
    """Annotations, or origins of generic ones, that belong to this family."""
    kinds: ClassVar[tuple[Kind, ...]] = ()
    """Kinds of declared types for which this family answers when no annotation is known."""

    annotated: ClassVar[bool] = False
    """Whether the family is given annotations with what `Annotated` adds; others are given the bare type."""

    def claims(self, annotation: Any) -> bool:
        """Whether an annotation that nobody lists belongs to this family."""
        return False

    @abstractmethod
    def literal_type(self, annotation: Any, types: "TypeRegistry") -> types_pb2.LiteralType:
        """The declared type for an annotation of this family, made anew."""

    @abstractmethod
    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: "TypeRegistry",
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        """A value as a literal of the declared type."""

    @abstractmethod
    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: "TypeRegistry", ctx: ConversionContext
    ) -> Any:
        """A literal as a value of the annotation."""

    def recognized(self, literal_type: types_pb2.LiteralType, types: "TypeRegistry") -> Any:
        """The annotation that a declared type tells it is this family's, whatever its kind; None: it tells nothing."""
        return None

    def annotation_for(self, literal_type: types_pb2.LiteralType, types: "TypeRegistry") -> Any:
        """The most natural annotation for a declared type of one of `kinds`."""
        return self.annotations[0]

    def to_plain(self, value: Any, annotation: Any, types: "TypeRegistry", ctx: ConversionContext) -> Any:
        """A value as it is written inside a structure: as None, bool, int, float, str, bytes, list or dict."""
        raise TypeConversionError(f"{describe_annotation(annotation)} cannot be a part of a structure")

    def from_plain(self, data: Any, annotation: Any, types: "TypeRegistry", ctx: ConversionContext) -> Any:
        """The reverse of `to_plain`."""
        raise TypeConversionError(f"{describe_annotation(annotation)} cannot be a part of a structure")

    def from_msgpack(self, data: bytes, annotation: Any, types: "TypeRegistry", ctx: ConversionContext) -> Any:
        """The value that a structure, or a part of one, holds as msgpack."""
        return self.from_plain(unpack(data), annotation, types, ctx)
