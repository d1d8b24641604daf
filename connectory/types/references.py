"""File and Directory: content by reference, downloaded when it is needed."""

import functools
import importlib
import os
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Literal, Self

from connectory.errors import StorageError
from connectory.storage import is_local, local_path
from connectory.types.checksums import CHECKSUM, file_checksum, tree_checksum
from connectory.types.context import ConversionContext

__all__ = ["Blob", "Directory", "File"]


class Blob(os.PathLike[str]):
    """What File and Directory share: a URI, and a local copy made on first use."""

    kind: ClassVar[str]
    declared_format: ClassVar[str] = ""
    """The format that an annotation such as `File["csv"]` names."""

    def __class_getitem__(cls, format: Any) -> type[Self]:
        return _with_format(cls, _format_of(format)) if format else cls

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        format: str = "",
        remote_path: str | os.PathLike[str] | Literal[False] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.uri = os.fspath(path)
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

    @classmethod
    def from_source(cls, source: str | os.PathLike[str]) -> Self:
        """The same as calling the class: content at a local path or a URL."""
        return cls(source)

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
        return isinstance(other, Blob) and self._facts() == other._facts()

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


def _format_of(named: Any) -> str:
    """The format that `File[...]` names: as text, as a TypeVar, or as an Annotated str."""
    if typing.get_origin(named) is typing.Annotated:
        named = named.__metadata__[0]
    return str(getattr(named, "__name__", named)).strip().lstrip("~").lstrip(".")


@functools.cache
def _with_format(cls: type[Any], format: str) -> type[Any]:
    return type(f"{cls.__name__}[{format}]", (cls,), {"declared_format": format})


class File(Blob):
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


class Directory(Blob):
    """A folder: a local path, or a URL prefix below which everything is downloaded when it is used."""

    kind = "Directory"
    checksum_of = staticmethod(tree_checksum)

    def _fetch(self, ctx: ConversionContext) -> Path:
        target = ctx.new_local_path(self.uri)
        target.mkdir()
        ctx.storage.download_tree(self.uri, target)
        return target

    def __truediv__(self, name: str | os.PathLike[str]) -> Path:
        """The local path of something inside."""
        return self.download() / name

    def files(self) -> Iterator[tuple[str, File]]:
        """The files inside at any depth, each with its path from here; none is downloaded before it is used."""
        storage = (self._ctx or ConversionContext()).storage
        for info in storage.list(self.uri):
            name = info.url.removeprefix(self.uri.rstrip("/") + "/")
            yield name, File.stored(info.url, ctx=self._ctx)
