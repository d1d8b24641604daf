"""The registry of transformers, as a value: every conversion starts here."""

import typing
from collections.abc import Callable, KeysView, Mapping
from typing import Any, NamedTuple, TypeVar

from connectory.errors import RegistryError, TypeConversionError
from connectory.types import checking
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_literal, nested
from connectory.types.extras import bare, extras_of, mark, noted
from connectory.types.file_access import FlyteContext
from connectory.types.kinds import Kind, kind_of
from connectory.types.lazy import LazyFamilies, brought
from connectory.types.structures import MSGPACK
from connectory.types.transformer import TypeTransformer
from connectory.v1 import interface_pb2, literals_pb2, types_pb2

__all__ = ["TypeRegistry"]

T = TypeVar("T")


class _Found(NamedTuple):
    """What is known about an annotation once it was looked up."""

    transformer: TypeTransformer
    annotation: Any
    """As the transformer wants it: bare, unless it asks for the extras."""
    extras: tuple[Any, ...]


class TypeRegistry:
    """Transformers by annotation and by kind of declared type. Register first, then share it between threads.

    `lazy` are the families that are loaded when a type of their library appears.
    """

    def __init__(self, *, lazy: LazyFamilies | None = None) -> None:
        self._lazy = lazy or LazyFamilies()
        self._by_annotation: dict[Any, TypeTransformer] = {}
        self._by_kind: dict[Kind, TypeTransformer] = {}
        self._claiming: list[TypeTransformer] = []
        self._recognizing: list[TypeTransformer] = []
        self._found: dict[Any, _Found] = {}
        self._literal_types: dict[Any, types_pb2.LiteralType] = {}
        self._remembered: dict[Any, Any] = {}

    def register(self, transformer: TypeTransformer, *, override: bool = False) -> None:
        """Add a transformer. An annotation or kind that another one has is a `RegistryError`, unless `override` is set.

        Transformers that claim annotations are asked in reverse order: the one registered last is asked first.
        """
        self._admit(transformer.annotations, self._by_annotation, transformer, override)
        self._admit(transformer.kinds, self._by_kind, transformer, override)
        self._by_annotation.update(dict.fromkeys(transformer.annotations, transformer))
        self._by_kind.update(dict.fromkeys(transformer.kinds, transformer))
        self._claiming.insert(0, transformer)
        if type(transformer).recognized is not TypeTransformer.recognized:
            self._recognizing.insert(0, transformer)
        self._forget()

    def register_last(self, transformer: TypeTransformer) -> None:
        """Add a transformer that is asked whether it claims an annotation when no other one does."""
        self._claiming.append(transformer)
        self._forget()

    def _forget(self) -> None:
        self._found.clear()
        self._literal_types.clear()
        self._remembered.clear()

    def known_annotations(self) -> KeysView[Any]:
        """The annotations that are converted by name; more are claimed by transformers when they appear."""
        return self._by_annotation.keys()

    @staticmethod
    def _admit(
        keys: tuple[Any, ...], taken: Mapping[Any, TypeTransformer], new: TypeTransformer, override: bool
    ) -> None:
        for key in keys:
            if key in taken and not override:
                name = key.value if isinstance(key, Kind) else describe_annotation(key)
                old, other = type(taken[key]).__qualname__, type(new).__qualname__
                raise RegistryError(f"both {old} and {other} convert {name}; register the second with override=True")

    def transformer_for(self, annotation: Any) -> TypeTransformer:
        """The transformer of an annotation; one that nobody converts is a `TypeConversionError`."""
        return self._lookup(annotation).transformer

    def _lookup(self, annotation: Any) -> _Found:
        try:
            return self._found[annotation]
        except (KeyError, TypeError):
            plain, extras = bare(annotation), extras_of(annotation)
            transformer = brought(extras) or self._find(plain, annotation)
            found = _Found(transformer, annotation if transformer.annotated else plain, extras)
        try:
            self._found[annotation] = found
        except TypeError:  # an annotation that cannot be hashed is looked up every time
            return found
        return found

    def _find(self, annotation: Any, whole: Any) -> TypeTransformer:
        found = self._registered(annotation)
        if found is None and self._lazy.load_for(annotation, self.register):
            found = self._registered(annotation)
        if found is None:
            found = self._claimed(annotation, whole)
        if found is None and self._lazy.load_installed(self.register):
            found = self._registered(annotation) or self._claimed(annotation, whole)
        if found is not None:
            return found
        raise TypeConversionError(
            f"no transformer is registered for {describe_annotation(annotation)}; use a supported type, register a "
            "TypeTransformer for it, or let such values be pickled: Annotated[T, kwtypes(allow_pickle=True)]"
        )

    def _registered(self, annotation: Any) -> TypeTransformer | None:
        for key in (annotation, typing.get_origin(annotation)):
            try:
                if key in self._by_annotation:
                    return self._by_annotation[key]
            except TypeError:
                continue
        return None

    def _claimed(self, annotation: Any, whole: Any) -> TypeTransformer | None:
        for transformer in self._claiming:
            if transformer.claims(whole if transformer.annotated else annotation):
                return transformer
        return None

    def transformer_of_kind(self, kind: Kind) -> TypeTransformer:
        """The transformer that answers for a kind of declared type when no annotation is known."""
        try:
            return self._by_kind[kind]
        except KeyError:
            raise TypeConversionError(f"no transformer is registered for values of kind {kind.value}") from None

    def literal_type(self, annotation: Any) -> types_pb2.LiteralType:
        """The declared type for an annotation."""
        return types_pb2.LiteralType.FromString(self.shared_literal_type(annotation).SerializeToString())

    def shared_literal_type(self, annotation: Any) -> types_pb2.LiteralType:
        """The same, shared: only for reading."""
        try:
            return self._literal_types[annotation]
        except (KeyError, TypeError):
            found = self._lookup(annotation)
            literal_type = noted(found.transformer.literal_type(found.annotation, self), found.extras)
        try:
            self._literal_types[annotation] = literal_type
        except TypeError:
            return literal_type
        return literal_type

    def forget_declared(self) -> None:
        """Make every declared type, and what was made of it, anew when it is asked for next."""
        self._literal_types.clear()
        self._remembered.clear()

    def remembered(self, annotation: Any, make: Callable[[Any, "TypeRegistry"], T]) -> T:
        """What a function makes of an annotation, made once for the transformers that there are."""
        key = make, annotation
        try:
            made: T = self._remembered[key]
        except KeyError:
            made = self._remembered[key] = make(annotation, self)
        except TypeError:  # an annotation that cannot be hashed
            made = make(annotation, self)
        return made

    def annotation_for(self, literal_type: types_pb2.LiteralType) -> Any:
        """The most natural annotation for a declared type: what a transformer recognizes, or a type of its kind."""
        for transformer in self._recognizing:
            recognized = transformer.recognized(literal_type, self)
            if recognized is not None:
                return recognized
        return self.transformer_of_kind(kind_of(literal_type)).annotation_for(literal_type, self)

    def to_literal(
        self, value: Any, literal_type: types_pb2.LiteralType, ctx: ConversionContext, *, annotation: Any = Any
    ) -> literals_pb2.Literal:
        """A value as a literal of the declared type. An annotation (None or Any: not known) sharpens the conversion."""
        if annotation is None or annotation is Any:
            transformer = self.transformer_of_kind(kind_of(literal_type))
            return transformer.to_literal(value, literal_type, Any, self, ctx)
        transformer, known, extras = self._lookup(annotation)
        literal = transformer.to_literal(value, literal_type, known, self, ctx)
        return mark(literal, value, extras) if extras else literal

    def to_python(self, literal: literals_pb2.Literal, annotation: Any, ctx: ConversionContext) -> Any:
        """A literal as a value of the annotation. `Any` gives what is most natural for the literal."""
        which = literal.scalar.WhichOneof("value")
        if which is None and literal.WhichOneof("value") == "offloaded_metadata":
            literal = _fetch(literal, ctx)
            which = literal.scalar.WhichOneof("value")
        transformer, annotation, _ = self._lookup(annotation)
        if which == "binary":
            binary = literal.scalar.binary
            if binary.tag == MSGPACK and Kind.UNION not in transformer.kinds:
                return transformer.from_msgpack(binary.value, annotation, self, ctx)
        elif which == "union" and Kind.UNION not in transformer.kinds:
            return self.to_python(literal.scalar.union.value, annotation, ctx)
        return transformer.to_python(literal, annotation, self, ctx)

    def to_plain(self, value: Any, annotation: Any, ctx: ConversionContext) -> Any:
        """A value as it is written inside a structure."""
        found = self._lookup(annotation)
        return found.transformer.to_plain(value, found.annotation, self, ctx)

    def from_plain(self, data: Any, annotation: Any, ctx: ConversionContext) -> Any:
        """The reverse of `to_plain`."""
        found = self._lookup(annotation)
        return found.transformer.from_plain(data, found.annotation, self, ctx)

    def check(self, literal: literals_pb2.Literal, literal_type: types_pb2.LiteralType) -> None:
        """Raise a `TypeConversionError` with the path to the part of the literal that does not fit the type."""
        checking.check(literal, literal_type)

    def check_map(self, literals: literals_pb2.LiteralMap, variables: interface_pb2.VariableMap) -> None:
        """Raise a `TypeConversionError` that names the variable which is missing, unknown or of another type.

        A variable that may be none may be missing.
        """
        checking.check_map(literals, variables)

    def map_to_python(
        self,
        literals: literals_pb2.LiteralMap,
        variables: interface_pb2.VariableMap,
        ctx: ConversionContext,
        annotations: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Every declared variable as a value; one that may be none and is missing is None.

        `literals` must have all other declared variables and no undeclared one, or a `TypeConversionError` names them.
        """
        checking.check_names(literals.literals, variables)
        known = annotations or {}
        values: dict[str, Any] = {}
        given, declared = literals.literals, variables.variables
        for name in declared:
            if name not in given:
                values[name] = None
                continue
            try:
                annotation = known[name] if name in known else self.annotation_for(declared[name].type)
                values[name] = self.to_python(given[name], annotation, ctx)
            except TypeConversionError as error:
                raise nested(error, name) from error
            except RecursionError:
                raise TypeConversionError("the value is nested too deeply", path=name) from None
        return values

    def map_to_literals(
        self,
        values: Mapping[str, Any],
        variables: interface_pb2.VariableMap,
        ctx: ConversionContext,
        annotations: Mapping[str, Any] | None = None,
    ) -> literals_pb2.LiteralMap:
        """Every declared variable as a literal; one that may be none and is missing is none.

        `values` must have all other declared variables and no undeclared one, or a `TypeConversionError` names them.
        """
        checking.check_names(values, variables)
        known = annotations or {}
        result = literals_pb2.LiteralMap()
        declared = variables.variables
        for name in declared:
            value = values.get(name)
            try:
                literal = self.to_literal(value, declared[name].type, ctx, annotation=known.get(name, Any))
            except TypeConversionError as error:
                raise nested(error, name) from error
            except RecursionError:
                raise TypeConversionError("the value contains itself or is nested too deeply", path=name) from None
            said = ctx.output_metadata.get(value) if ctx.output_metadata else None
            if said is not None:
                literal.metadata.update(said.recorded(FlyteContext(ctx), name))
            result.literals[name].CopyFrom(literal)
        return result


def _fetch(literal: literals_pb2.Literal, ctx: ConversionContext) -> literals_pb2.Literal:
    url = literal.offloaded_metadata.uri
    try:
        fetched = literals_pb2.Literal.FromString(ctx.storage.read(url))
    except ValueError as error:
        raise TypeConversionError(f"the offloaded value at {url} is no literal: {error}") from error
    if fetched.WhichOneof("value") in (None, "offloaded_metadata"):
        raise TypeConversionError(f"the offloaded value at {url} is {describe_literal(fetched)}")
    return fetched
