"""File and Directory as literals: uploaded when they leave, passed on by reference otherwise."""

import os
from pathlib import Path
from typing import Any, ClassVar

from connectory.errors import TypeConversionError
from connectory.types.checksums import CHECKSUM
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_literal, describe_value
from connectory.types.kinds import Kind
from connectory.types.references import Blob, Directory, File
from connectory.types.registry import TypeRegistry
from connectory.types.scalars import valid_text
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["DirectoryTransformer", "FileTransformer"]


class _ReferenceTransformer(TypeTransformer):
    blob_class: ClassVar[type[Blob]]
    dimensionality: ClassVar[types_pb2.BlobType.BlobDimensionality.ValueType]

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        blob_type = types_pb2.BlobType(format=annotation.declared_format, dimensionality=self.dimensionality)
        return types_pb2.LiteralType(blob=blob_type)

    def claims(self, annotation: Any) -> bool:
        return isinstance(annotation, type) and issubclass(annotation, self.blob_class)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        blob = self._blob(value)
        kind = types_pb2.BlobType(format=blob.format or literal_type.blob.format, dimensionality=self.dimensionality)
        metadata = literals_pb2.BlobMetadata(type=kind)
        uri, checksum = self._store(blob, ctx)
        stored = literals_pb2.Blob(uri=valid_text(uri), metadata=metadata)
        noted = {**blob.metadata, CHECKSUM: checksum} if checksum else blob.metadata
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(blob=stored), metadata=noted)

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Blob:
        scalar = literal.scalar
        described = scalar.blob.metadata.type
        if scalar.WhichOneof("value") != "blob" or described.dimensionality != self.dimensionality:
            raise TypeConversionError(f"expected {self.kinds[0].value}, got {describe_literal(literal)}")
        return self.blob_class.stored(scalar.blob.uri, format=described.format, ctx=ctx, metadata=literal.metadata)

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[str, Any]:
        return {"path": self._store(self._blob(value), ctx)[0]}

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Blob:
        if isinstance(data, dict) and isinstance(data.get("path"), str):
            return self.blob_class.stored(data["path"], ctx=ctx)
        raise TypeConversionError(f"expected a {self.kinds[0].value} with a path, got {describe_value(data)}")

    def _blob(self, value: Any) -> Blob:
        if isinstance(value, self.blob_class):
            return value
        if isinstance(value, str | os.PathLike) and not isinstance(value, Blob) and os.fspath(value):
            return self.blob_class(value)
        raise TypeConversionError(f"expected {self.blob_class.kind} or a path, got {describe_value(value)}")

    def _store(self, blob: Blob, ctx: ConversionContext) -> tuple[str, str]:
        """The URL under which others find the content, uploaded if it must be, and its checksum if it was."""
        target = blob.remote_path
        if not target and blob.is_stored:
            return blob.uri, blob.checksum
        source = blob.download()
        self._require(source)
        if not target:
            if not ctx.raw_output_prefix:
                return str(source.absolute()), ""
            target = ctx.new_output_url(source.name)
        self._upload(source, target, ctx)
        return target, blob.checksum_of(source)

    def _require(self, source: Path) -> None:
        raise NotImplementedError

    def _upload(self, source: Path, target: str, ctx: ConversionContext) -> None:
        raise NotImplementedError


class FileTransformer(_ReferenceTransformer):
    """File. A path or URL as text or `Path` is taken as a File."""

    tag = "FlyteFilePath"
    annotations = (File,)
    kinds = (Kind.FILE,)
    blob_class = File
    dimensionality = types_pb2.BlobType.SINGLE

    def _require(self, source: Path) -> None:
        if not source.is_file():
            raise TypeConversionError(f"there is no file at {source}")

    def _upload(self, source: Path, target: str, ctx: ConversionContext) -> None:
        ctx.storage.upload(source, target)


class DirectoryTransformer(_ReferenceTransformer):
    """Directory. A path or URL as text or `Path` is taken as a Directory."""

    tag = "FlyteDirectory"
    annotations = (Directory,)
    kinds = (Kind.DIRECTORY,)
    blob_class = Directory
    dimensionality = types_pb2.BlobType.MULTIPART

    def _require(self, source: Path) -> None:
        if not source.is_dir():
            raise TypeConversionError(f"there is no directory at {source}")

    def _upload(self, source: Path, target: str, ctx: ConversionContext) -> None:
        ctx.storage.upload_tree(source, target)
