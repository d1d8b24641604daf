"""`TypeEngine`: the process's own registry under Flyte's names.

Transformers that were written for Flyte's SDK run with their imports changed:

    from connectory.types.engine import FlyteContext, TypeEngine, TypeTransformer
    from connectory.types.models import Blob, BlobMetadata, BlobType, Literal, LiteralType, Scalar
"""

import functools
from collections.abc import KeysView, Mapping, Sequence
from typing import Any

from connectory.errors import TypeConversionError
from connectory.types.adapters import (
    AsyncTypeTransformer,
    FlyteStyle,
    TypeTransformer,
    TypeTransformerFailedError,
)
from connectory.types.context import ConversionContext
from connectory.types.extras import bare
from connectory.types.families import default_types
from connectory.types.file_access import FlyteContext, FlyteContextManager
from connectory.types.hints import hints_of
from connectory.types.models import message_of
from connectory.types.pickles import PickleTransformer
from connectory.types.registry import TypeRegistry
from connectory.types.tables.handlers import process_handlers
from connectory.types.transformer import TypeTransformer as FamilyTransformer
from connectory.v1 import interface_pb2, literals_pb2, types_pb2

__all__ = [
    "AsyncTypeTransformer",
    "FlyteContext",
    "FlyteContextManager",
    "TypeEngine",
    "TypeTransformer",
    "TypeTransformerFailedError",
    "process_types",
]


@functools.cache
def process_types() -> TypeRegistry:
    """The registry of this process, which tasks use unless they are given another; made on first use."""
    return default_types()


class TypeEngine:
    """The registry of this process. A class's transformer is registered while modules are imported."""

    @classmethod
    def register(
        cls, transformer: "TypeTransformer[Any] | FamilyTransformer", additional_types: Sequence[Any] | None = None
    ) -> None:
        """Add a transformer, of either form. A class that another transformer has is a `RegistryError`."""
        process_types().register(_adapted(transformer, additional_types or ()))

    @classmethod
    def register_additional_type(
        cls, transformer: "TypeTransformer[Any]", additional_type: Any, override: bool = False
    ) -> None:
        """Let a transformer convert one more class."""
        process_types().register(FlyteStyle(transformer, (additional_type,)), override=override)

    @classmethod
    def allow_pickle(cls) -> None:
        """Let values that no transformer converts be pickled, anywhere in this process.

        Whoever can write to the object store can then run code where such values are read.
        """
        process_types().register_last(PickleTransformer(everything=True))

    @classmethod
    def get_transformer(cls, python_type: Any) -> Any:
        """The transformer of an annotation: for those in Flyte's form, the one that was registered."""
        found = process_types().transformer_for(python_type)
        return found.inner if isinstance(found, FlyteStyle) else found

    @classmethod
    def get_available_transformers(cls) -> KeysView[Any]:
        """The annotations and classes that have a transformer by name."""
        return process_types().known_annotations()

    @classmethod
    def to_literal_type(cls, python_type: Any) -> types_pb2.LiteralType:
        """The declared type of an annotation."""
        return process_types().literal_type(python_type)

    @classmethod
    def guess_python_type(cls, flyte_type: Any) -> Any:
        """The most natural annotation of a declared type: what a registered transformer says, or a built-in type."""
        return process_types().annotation_for(message_of(flyte_type))

    @classmethod
    def guess_python_types(cls, flyte_variable_dict: Mapping[str, Any]) -> dict[str, Any]:
        """The same for the variables of an interface."""
        return {name: cls.guess_python_type(variable.type) for name, variable in flyte_variable_dict.items()}

    @classmethod
    def to_literal(
        cls, ctx: FlyteContext | ConversionContext | None, python_val: Any, python_type: Any, expected: Any = None
    ) -> literals_pb2.Literal:
        """A value as a literal."""
        types = process_types()
        declared = types.shared_literal_type(python_type) if expected is None else message_of(expected)
        return types.to_literal(python_val, declared, _conversion(ctx), annotation=python_type)

    @classmethod
    def to_python_value(cls, ctx: FlyteContext | ConversionContext | None, lv: Any, expected_python_type: Any) -> Any:
        """A literal as a value."""
        return process_types().to_python(message_of(lv), expected_python_type, _conversion(ctx))

    @classmethod
    def to_html(cls, ctx: FlyteContext | ConversionContext | None, python_val: Any, expected_python_type: Any) -> str:
        """A value as HTML: as a renderer in its annotation makes it, its transformer, one of its class, or as text."""
        for extra in getattr(expected_python_type, "__metadata__", ()):
            if hasattr(extra, "to_html"):
                return str(extra.to_html(python_val))
        transformer = cls.get_transformer(expected_python_type)
        if isinstance(transformer, TypeTransformer):
            return transformer.to_html(ctx, python_val, bare(expected_python_type))
        held = getattr(python_val, "dataframe", python_val)
        renderer = process_handlers().renderers.get(type(held))
        return str(python_val) if renderer is None else str(renderer.to_html(held))

    @classmethod
    def named_tuple_to_variable_map(cls, t: Any) -> interface_pb2.VariableMap:
        """The outputs that a NamedTuple declares."""
        variables = interface_pb2.VariableMap()
        for index, (name, hint) in enumerate(hints_of(t).items()):
            variables.variables[name].CopyFrom(
                interface_pb2.Variable(type=cls.to_literal_type(hint), description=str(index))
            )
        return variables

    @classmethod
    def dict_to_literal_map(
        cls,
        ctx: FlyteContext | ConversionContext | None,
        d: Mapping[str, Any],
        type_hints: Mapping[str, Any] | None = None,
    ) -> literals_pb2.LiteralMap:
        """Values by name as literals; a value without a hint is taken for what it is."""
        hints = {name: (type_hints or {}).get(name, type(value)) for name, value in d.items()}
        variables = interface_pb2.VariableMap(
            variables={name: interface_pb2.Variable(type=cls.to_literal_type(hint)) for name, hint in hints.items()}
        )
        return process_types().map_to_literals(d, variables, _conversion(ctx), hints)

    @classmethod
    def literal_map_to_kwargs(
        cls,
        ctx: FlyteContext | ConversionContext | None,
        lm: Any,
        python_types: Mapping[str, Any] | None = None,
        literal_types: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Literals by name as values."""
        if python_types is None and literal_types is None:
            raise ValueError("say python_types or literal_types")
        hints = python_types if python_types is not None else cls.guess_python_types(literal_types or {})
        literals = message_of(lm).literals
        unknown = [name for name in literals if name not in hints]
        if unknown:
            raise TypeConversionError(
                f"unknown {', '.join(sorted(unknown))} (declared: {', '.join(hints) or 'nothing'})"
            )
        return {name: cls.to_python_value(ctx, literals[name], hints[name]) for name in literals}


def _adapted(transformer: Any, additional_types: Sequence[Any]) -> FamilyTransformer:
    if isinstance(transformer, TypeTransformer):
        return transformer.adapted(additional_types)
    if isinstance(transformer, FamilyTransformer) and not additional_types:
        return transformer
    raise TypeError(f"expected a TypeTransformer, got {transformer!r}")


def _conversion(ctx: FlyteContext | ConversionContext | None) -> ConversionContext:
    if isinstance(ctx, ConversionContext):
        return ctx
    return ctx.conversion if ctx is not None else FlyteContext.current_context().conversion
