"""Tables that pass through a registered encoder or decoder."""

from collections.abc import Iterator
from typing import Any

from connectory.errors import ConnectoryError, TypeConversionError
from connectory.storage.urls import scheme_of
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_value
from connectory.types.file_access import using
from connectory.types.models import message_of, view
from connectory.types.tables.handlers import (
    StructuredDatasetDecoder,
    StructuredDatasetEncoder,
    process_handlers,
)
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["decode", "decoder_for", "encode", "encoder_for", "parts", "whole"]

Encoder = StructuredDatasetEncoder[Any]
Decoder = StructuredDatasetDecoder[Any]


def encoder_for(kind: type[Any], uri: str, format: str, ctx: ConversionContext) -> Encoder | None:
    """The encoder for a dataframe's class, where it is going to be stored; None: what is built in."""
    handlers = process_handlers()
    place = uri or ctx.raw_output_prefix
    found: Encoder | None = handlers.encoders.find(kind, handlers.default_protocols.get(kind, _protocol(place)), format)
    return found


def decoder_for(kind: type[Any], uri: str, format: str) -> Decoder | None:
    """The decoder that gives a class's dataframes of what is at a URI; None: what is built in."""
    found: Decoder | None = process_handlers().decoders.find(kind, _protocol(uri), format)
    return found


def encode(
    dataset: Any, encoder: Encoder, declared: types_pb2.StructuredDatasetType, ctx: ConversionContext
) -> literals_pb2.StructuredDataset:
    """The table as the encoder stored it, described by at least what is declared."""
    described = types_pb2.StructuredDatasetType()
    described.CopyFrom(declared)
    with using(ctx) as context:
        try:
            answer = message_of(encoder.encode(context, dataset, described))
        except Exception as error:
            raise _mended(error, f"{describe_annotation(encoder.python_type)} cannot be stored") from error
    if not isinstance(answer, literals_pb2.StructuredDataset):
        raise TypeConversionError(
            f"{type(encoder).__qualname__}.encode must answer a StructuredDataset of connectory.types.models, not "
            f"{describe_value(answer)}"
        )
    table = literals_pb2.StructuredDataset()
    table.CopyFrom(answer)
    if not table.metadata.HasField("structured_dataset_type"):
        table.metadata.structured_dataset_type.CopyFrom(described)
    table.metadata.structured_dataset_type.format = encoder.supported_format
    return table


def decode(
    table: literals_pb2.StructuredDataset,
    decoder: Decoder,
    wanted: types_pb2.StructuredDatasetType,
    ctx: ConversionContext,
) -> Any:
    """What the decoder makes of a table: a dataframe, or an iterator of some."""
    metadata = literals_pb2.StructuredDatasetMetadata(structured_dataset_type=wanted)
    with using(ctx) as context:
        try:
            return decoder.decode(context, view(table), view(metadata))
        except Exception as error:
            raise _mended(error, f"the table at {table.uri} cannot be read") from error


def whole(answer: Any, uri: str) -> Any:
    """A dataframe that a decoder gave; an iterator is a `TypeConversionError`."""
    if isinstance(answer, Iterator):
        raise TypeConversionError(f"the decoder gives the table at {uri} in parts; ask for them with iter()")
    return answer


def parts(answer: Any) -> Iterator[Any]:
    """What a decoder gave, in parts."""
    return answer if isinstance(answer, Iterator) else iter([answer])


def _protocol(place: str) -> str:
    return scheme_of(place) or "file"


def _mended(error: Exception, what: str) -> ConnectoryError:
    """An error of a handler, as one of the project's own."""
    if isinstance(error, ConnectoryError):
        return error
    return TypeConversionError(f"{what}: {type(error).__name__}: {error}")
