"""File and Directory: content by reference, downloaded when it is needed and uploaded when it is returned."""

import functools
import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Literal, Self

from connectory.errors import StorageError, TypeConversionError
from connectory.storage import is_local, local_path
from connectory.types.checksums import CHECKSUM, file_checksum, tree_checksum
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_literal, describe_value
from connectory.types.kinds import Kind
from connectory.types.registry import TypeRegistry
from connectory.types.scalars import valid_text
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["Directory", "DirectoryTransformer", "File", "FileTransformer"]


class _Blob(os.PathLike[str]):
    """What File and Directory share: a URI, and a local copy made on first use."""

    kind: ClassVar[str]
    declared_format: ClassVar[str] = ""
    """The format that an annotation such as `File["csv"]` names."""

    def __class_getitem__(cls, format: Any) -> type[Self]:
        return _with_format(cls, str(getattr(format, "__name__", format)).lstrip("."))

    def __init__(
        self,
        uri: str | os.PathLike[str],
        *,
        format: str = "",
        remote_path: str | os.PathLike[str] | Literal[False] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.uri = os.fspath(uri)
        """Where the content is: a local path or a URL."""
        self.format = format or self.declared_format
        self.remote_path: str | Literal[False] | None = _destination(remote_path)
        """Where the content shall be stored when it is returned; None: wherever the context says; False: it stays."""
        self.metadata: dict[str, str] = dict(metadata or {})
        """What is recorded in the literal beside the content."""
        self.checksum = ""
        """The SHA-256 that was recorded when the content was stored; empty where none was."""
        self._ctx: ConversionContext | None = None
        self._stored = False
        self._local: Path | None = None

    @classmethod
    def stored(
        cls,
        uri: str,
        *,
        format: str = "",
        ctx: ConversionContext | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Self:
        """One whose content is where others can reach it: it is passed on by reference, whatever the context."""
        blob = cls(uri, format=format, metadata=metadata)
        blob.checksum = blob.metadata.pop(CHECKSUM, "")
        blob._stored = True
        blob._ctx = ctx
        return blob

    @property
    def is_stored(self) -> bool:
        """Whether the content is passed on by reference."""
        return self._stored or self.remote_path is False or not is_local(self.uri)

    @property
    def remote_source(self) -> str | None:
        """The URL of content that is elsewhere; None for a local path."""
        return None if is_local(self.uri) else self.uri

    @classmethod
    def extension(cls) -> str:
        """The format that the annotation names."""
        return cls.declared_format

    def download(self) -> Path:
        """The local path of the content; content that is elsewhere is downloaded once.

        Content that is not what was recorded when it was stored is a `StorageError`.
        """
        if self._local is None:
            remote = not is_local(self.uri)
            self._local = self._verified(self._ctx or ConversionContext()) if remote else local_path(self.uri)
        return self._local

    def _verified(self, ctx: ConversionContext) -> Path:
        path = self._fetch(ctx)
        if self.checksum and self.checksum_of(path) != self.checksum:
            raise StorageError(f"the content of {self.uri} is not what was stored there: its SHA-256 is another")
        return path

    def _fetch(self, ctx: ConversionContext) -> Path:
        raise NotImplementedError

    @staticmethod
    def checksum_of(path: Path) -> str:
        """The checksum of local content."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return importlib.import_module("connectory.types.pydantic_references").core_schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        return importlib.import_module("connectory.types.pydantic_references").json_schema_of(cls, handler)

    @property
    def path(self) -> str:
        """The same, as text."""
        return str(self.download())

    def __fspath__(self) -> str:
        return self.path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Blob) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def _facts(self) -> tuple[str, str, str]:
        return type(self).kind, self.uri, self.format

    def __repr__(self) -> str:
        return f"{self.kind}({self.uri!r})"

    def __str__(self) -> str:
        return self.uri


def _destination(path: str | os.PathLike[str] | Literal[False] | None) -> str | Literal[False] | None:
    return path if path is None or path is False else os.fspath(path) or None


@functools.cache
def _with_format(cls: type[Any], format: str) -> type[Any]:
    return type(f"{cls.__name__}[{format}]", (cls,), {"declared_format": format})


class File(_Blob):
    """A file: a local path, or a URL whose content is downloaded when it is opened.

    It is a path for everything that takes paths. `File["csv"]` as an annotation says the format.
    """

    kind = "File"
    checksum_of = staticmethod(file_checksum)

    def _fetch(self, ctx: ConversionContext) -> Path:
        return ctx.storage.download(self.uri, ctx.new_local_path(self.uri))

    def open(self, mode: str = "r", **options: Any) -> IO[Any]:
        """The content, opened for reading."""
        if set(mode) & set("wax+"):
            raise ValueError(
                f"a File is opened for reading only, not with mode {mode!r}; write a local file and return it"
            )
        return open(self.download(), mode, **options)


class Directory(_Blob):
    """A folder: a local path, or a URL prefix below which everything is downloaded when it is used."""

    kind = "Directory"
    checksum_of = staticmethod(tree_checksum)

    def _fetch(self, ctx: ConversionContext) -> Path:
        target = ctx.new_local_path(self.uri)
        target.mkdir()
        ctx.storage.download_tree(self.uri, target)
        return target


class _BlobTransformer(TypeTransformer):
    blob_class: ClassVar[type[_Blob]]
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
    ) -> _Blob:
        scalar = literal.scalar
        described = scalar.blob.metadata.type
        if scalar.WhichOneof("value") != "blob" or described.dimensionality != self.dimensionality:
            raise TypeConversionError(f"expected {self.kinds[0].value}, got {describe_literal(literal)}")
        return self.blob_class.stored(scalar.blob.uri, format=described.format, ctx=ctx, metadata=literal.metadata)

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[str, Any]:
        return {"path": self._store(self._blob(value), ctx)[0]}

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> _Blob:
        if isinstance(data, dict) and isinstance(data.get("path"), str):
            return self.blob_class.stored(data["path"], ctx=ctx)
        raise TypeConversionError(f"expected a {self.kinds[0].value} with a path, got {describe_value(data)}")

    def _blob(self, value: Any) -> _Blob:
        if isinstance(value, self.blob_class):
            return value
        if isinstance(value, str | os.PathLike) and not isinstance(value, _Blob) and os.fspath(value):
            return self.blob_class(value)
        raise TypeConversionError(f"expected {self.blob_class.kind} or a path, got {describe_value(value)}")

    def _store(self, blob: _Blob, ctx: ConversionContext) -> tuple[str, str]:
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


class FileTransformer(_BlobTransformer):
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


class DirectoryTransformer(_BlobTransformer):
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
