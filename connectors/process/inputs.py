"""Files that a command reads: where they are on this machine."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from connectors.process.config import ProcessConfig
from connectors.process.folder import JobFolder
from connectory.connector.contract import CreateContext
from connectory.storage import Storage, is_local
from connectory.storage import local_path as url_path
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["local_inputs", "local_path"]


def local_inputs(ctx: CreateContext[ProcessConfig], folder: JobFolder) -> Mapping[str, Any]:
    """The inputs, where a file, folder or data set is the path at which the command finds it.

    What is local already is used in its place; what is remote is copied into the job's folder.
    """
    inputs = dict(ctx.inputs)
    for name, literal in ctx.literals.literals.items():
        url, is_folder = _url(literal)
        if not url:
            continue
        if is_folder:
            inputs[name] = str(_local_folder(url, name, ctx.storage, folder))
        else:
            inputs[name] = str(local_path(url, name, ctx.storage, folder))
    return inputs


def local_path(url: str, name: str, storage: Storage, folder: JobFolder) -> Path:
    """Where the file is, copied into the job's folder under its input's name when it is remote."""
    if is_local(url):
        return url_path(url).absolute()
    file_name = PurePosixPath(urlsplit(url).path).name or "file"
    return storage.download(url, folder.path / "inputs" / name / file_name)


def _local_folder(url: str, name: str, storage: Storage, folder: JobFolder) -> Path:
    if is_local(url):
        return url_path(url).absolute()
    return storage.download_tree(url, folder.path / "inputs" / name)


def _url(literal: literals_pb2.Literal) -> tuple[str, bool]:
    """The address that the literal stands for ("": it is a plain value), and whether that is a folder's."""
    kind = literal.scalar.WhichOneof("value")
    if kind == "union":
        return _url(literal.scalar.union.value)
    if kind == "blob":
        multipart = types_pb2.BlobType.BlobDimensionality.MULTIPART
        return literal.scalar.blob.uri, literal.scalar.blob.metadata.type.dimensionality == multipart
    if kind == "structured_dataset":
        return literal.scalar.structured_dataset.uri, False
    return "", False
