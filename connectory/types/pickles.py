"""Values that only pickle can carry: off unless it is asked for."""

import functools
import importlib
import pickle
from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_value
from connectory.types.extras import bare, extras_of
from connectory.types.objects import fetched, object_type, stored, uri_of
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["ALLOW_PICKLE", "PickleTransformer"]

ALLOW_PICKLE: Final = "allow_pickle"
_FORMAT: Final = "PythonPickle"


class PickleTransformer(TypeTransformer):
    """Any value at all, written by pickle, for `Annotated[T, kwtypes(allow_pickle=True)]` where nobody else converts T.

    Whoever can write such an object can run code where it is read, and it is read by the same versions of Python and of
    the libraries only. With `everything` it takes whatever nobody else does, without being asked.
    """

    tag = "FlytePickle"
    annotated = True

    def __init__(self, *, everything: bool = False) -> None:
        self._everything = everything

    def claims(self, annotation: Any) -> bool:
        if bare(annotation) is Any:
            return False
        return self._everything or any(
            isinstance(extra, dict) and bool(extra.get(ALLOW_PICKLE)) for extra in extras_of(annotation)
        )

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        literal_type = object_type(_FORMAT)
        literal_type.metadata.update({"python_class_name": str(bare(annotation))})
        return literal_type

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        wanted = bare(annotation)
        if value is None or (isinstance(wanted, type) and not isinstance(value, wanted)):
            raise TypeConversionError(f"expected {describe_annotation(wanted)}, got {describe_value(value)}")
        path = ctx.new_local_path("value.pickle")
        try:
            path.write_bytes(_pickler().dumps(value))
        except Exception as error:  # whatever the value's own methods raise
            raise TypeConversionError(f"{describe_value(value)} cannot be pickled: {error}") from error
        return stored(path, _FORMAT, ctx)

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        uri = uri_of(literal, f"a pickled {describe_annotation(bare(annotation))}")
        if literal.scalar.blob.metadata.type.format != _FORMAT:
            raise TypeConversionError(f"the object at {uri} is not declared as a pickle, and is not read as one")
        try:
            return pickle.loads(fetched(uri, ctx).read_bytes())
        except Exception as error:  # whatever the pickled class raises
            raise TypeConversionError(f"the pickle at {uri} cannot be read: {type(error).__name__}: {error}") from error


@functools.cache
def _pickler() -> Any:
    """The library that also pickles functions and classes of scripts, where it is installed."""
    try:
        return importlib.import_module("cloudpickle")
    except ImportError:
        return pickle
