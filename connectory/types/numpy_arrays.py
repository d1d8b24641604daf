"""numpy arrays, each an object in numpy's own format. Loaded when an array or an annotation of one appears."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_value
from connectory.types.extras import extras_of
from connectory.types.objects import fetched, object_type, stored, uri_of
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["TRANSFORMERS", "NumpyTransformer"]

_FORMAT: Final = "NumpyArray"


class NumpyTransformer(TypeTransformer):
    """`np.ndarray`. `Annotated[np.ndarray, kwtypes(mmap_mode="r")]` maps the file instead of reading it;
    `kwtypes(allow_pickle=True)` takes arrays of Python objects.
    """

    tag = "Numpy Array"
    annotations = (np.ndarray,)
    annotated = True

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return object_type(_FORMAT)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        if not isinstance(value, np.ndarray):
            raise TypeConversionError(f"expected numpy.ndarray, got {describe_value(value)}")
        path = ctx.new_local_path("array.npy")
        try:
            np.save(path, value, allow_pickle=bool(_options(annotation).get("allow_pickle", False)))
        except ValueError as error:
            raise TypeConversionError(
                f"an array of {value.dtype} is not written ({error}); Annotated[np.ndarray, "
                "kwtypes(allow_pickle=True)] lets its members be pickled"
            ) from error
        return stored(path, _FORMAT, ctx)

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        uri, options = uri_of(literal, "a numpy array"), _options(annotation)
        allowed = bool(options.get("allow_pickle", False))
        try:
            return np.load(fetched(uri, ctx), allow_pickle=allowed, mmap_mode=options.get("mmap_mode"))
        except (ValueError, OSError, EOFError) as error:
            raise TypeConversionError(f"the object at {uri} cannot be read as a numpy array: {error}") from error


def _options(annotation: Any) -> Mapping[str, Any]:
    return next((extra for extra in extras_of(annotation) if isinstance(extra, Mapping)), {})


TRANSFORMERS: Final = (NumpyTransformer,)
