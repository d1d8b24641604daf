"""A task's declared outputs: what kind each is, and its value once the command has ended."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from connectors.process.folder import StoredJob
from connectory.errors import InvalidTaskError, UserError
from connectory.storage import Storage
from connectory.types import Directory, File, StructuredDataset
from connectory.types.kinds import Kind, kind_of
from connectory.v1 import interface_pb2, types_pb2

__all__ = ["MAX_TEXT_BYTES", "collect", "declared"]

MAX_TEXT_BYTES: Final = 1024 * 1024
"""The longest standard output or error that becomes a text or is read as JSON; more belongs into a file."""
_STREAMS: Final = ("stdout", "stderr")
_DELIVERED: Final = ("file", "folder", "dataset")
_KINDS: Final = dict(zip((Kind.FILE, Kind.DIRECTORY, Kind.STRUCTURED_DATASET), _DELIVERED, strict=True))


def declared(outputs: interface_pb2.VariableMap, paths: Mapping[str, str]) -> dict[str, str]:
    """The kind of each declared output: "file", "folder", "dataset", "exit_code", "text" or "json"."""
    kinds = {name: _kind(name, variable.type) for name, variable in outputs.variables.items()}
    for name, path in paths.items():
        if kinds.get(name) not in _DELIVERED:
            raise _invalid(name, "it is not a declared file, folder or data set output")
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise _invalid(name, f"{path!r} must be relative to the working folder and stay inside")
    return kinds


def _kind(name: str, literal_type: types_pb2.LiteralType) -> str:
    kind = _KINDS.get(kind_of(literal_type))
    if kind is not None:
        return kind
    if name == "exit_code":
        return "exit_code"
    return "text" if name in _STREAMS else "json"


def collect(job: StoredJob, folder: Path, code: int, storage: Storage) -> dict[str, Any]:
    """Each declared output's value. What the command did not deliver is a `UserError` that names it.

    Files go, once, to the output prefix, or into the job's folder when there is none.
    """
    delivered = folder / "delivered"
    values: dict[str, Any] = {}
    wanted = sorted(name for name, kind in job.outputs.items() if kind == "json")
    if wanted:
        values.update(_from_json(wanted, _text(folder / "stdout", wanted[0])))
    for name, kind in job.outputs.items():
        if kind == "exit_code":
            values[name] = code
        elif kind == "text":
            values[name] = _text(folder / name, name)
        elif kind != "json":
            values[name] = _file(name, kind, job, folder, None if delivered.exists() else storage)
    delivered.touch()
    return values


def _text(path: Path, name: str) -> str:
    size = path.stat().st_size
    if size > MAX_TEXT_BYTES:
        text = f"the command's {path.name} has {size} bytes; at most {MAX_TEXT_BYTES} become a value: declare a File"
        raise UserError(f"output {name!r}: {text}", reason="OUTPUT_TOO_LARGE")
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        text = f"the command's {path.name} is not UTF-8 text ({error.reason} at byte {error.start}): declare a File"
        raise UserError(f"output {name!r}: {text}", reason="OUTPUT_NOT_TEXT") from error


def _from_json(names: list[str], text: str) -> dict[str, Any]:
    expected = f"the command's stdout must be one JSON object with the outputs {', '.join(names)}"
    try:
        values = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise UserError(f"{expected}; it is not JSON: {error}", reason="OUTPUT_NOT_JSON") from error
    if not isinstance(values, dict):
        raise UserError(f"{expected}; it is a JSON {type(values).__name__}", reason="OUTPUT_NOT_JSON")
    missing = [name for name in names if name not in values]
    if missing:
        raise UserError(f"{expected}; {', '.join(missing)} is missing", reason="OUTPUT_MISSING")
    return {name: values[name] for name in names}


def _file(name: str, kind: str, job: StoredJob, folder: Path, storage: Storage | None) -> Any:
    """The file, folder or data set that the command left, copied to where it stays; without `storage` it is there."""
    if name in _STREAMS and name not in job.paths:
        path = folder / name
    else:
        path = Path(job.working_dir) / job.paths.get(name, name)
    target = Storage.join(job.output_prefix or str(folder / "outputs"), name)
    url = target if kind == "folder" else Storage.join(target, path.name)
    if storage is not None:
        _deliver(path, url, name, kind, storage)
    if kind == "folder":
        return Directory.stored(url)
    return File.stored(url) if kind == "file" else StructuredDataset(uri=url, file_format=path.suffix[1:] or "parquet")


def _deliver(path: Path, url: str, name: str, kind: str, storage: Storage) -> None:
    if kind == "folder" and path.is_dir():
        storage.upload_tree(path, url)
    elif kind != "folder" and path.is_file():
        storage.upload(path, url)
    else:
        what = "folder" if kind == "folder" else "file"
        raise UserError(f"output {name!r}: the command left no {what} at {path}", reason="OUTPUT_MISSING")


def _invalid(name: str, text: str) -> InvalidTaskError:
    return InvalidTaskError(f"outputs.{name}: {text}", fields={f"outputs.{name}": text})
