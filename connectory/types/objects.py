"""What the families share whose values are stored as one object: arrays, pickles, lines of JSON."""

from pathlib import Path

from connectory.errors import TypeConversionError
from connectory.storage import is_local, local_path
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_literal
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["fetched", "object_type", "stored", "uri_of"]


def object_type(format: str) -> types_pb2.LiteralType:
    """The declared type of one object of a format."""
    return types_pb2.LiteralType(blob=types_pb2.BlobType(format=format))


def stored(source: Path, format: str, ctx: ConversionContext) -> literals_pb2.Literal:
    """A literal for a new local file, uploaded where the context says so."""
    uri = str(source)
    if ctx.raw_output_prefix:
        uri = ctx.new_output_url(source.name)
        ctx.storage.upload(source, uri)
        source.unlink()
    metadata = literals_pb2.BlobMetadata(type=types_pb2.BlobType(format=format))
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(blob=literals_pb2.Blob(uri=uri, metadata=metadata)))


def uri_of(literal: literals_pb2.Literal, what: str) -> str:
    """Where the object of a literal is."""
    if literal.scalar.WhichOneof("value") != "blob":
        raise TypeConversionError(f"expected {what}, got {describe_literal(literal)}")
    return literal.scalar.blob.uri


def fetched(uri: str, ctx: ConversionContext) -> Path:
    """A local file with the object's content, downloaded if it is elsewhere."""
    return local_path(uri) if is_local(uri) else ctx.storage.download(uri, ctx.new_local_path(uri))
