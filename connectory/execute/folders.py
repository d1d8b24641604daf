"""Values as files of a container: one per input before it starts, one per output when it has ended."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Final

import msgspec
import yaml

from connectory.authoring.container_words import as_texts
from connectory.authoring.file_values import read_value, write_value
from connectory.errors import InvalidTaskError, TypeConversionError, UserError
from connectory.storage import Storage
from connectory.types import ConversionContext, File, default_types
from connectory.types.kinds import Kind, kind_of
from connectory.v1 import interface_pb2, literals_pb2, tasks_pb2

__all__ = ["Folders", "native"]

_ERROR: Final = "_ERROR"
_FILES: Final = (Kind.FILE, Kind.DIRECTORY)
_Format = tasks_pb2.DataLoadingConfig.LiteralMapFormat
_Layout = tasks_pb2.DataLoadingConfig.FileInputLayout


class Folders:
    """The two data folders of one attempt. Its calls block.

    Those that are `shared` are for programs of any user of the machine, as containers of one pod are.
    """

    def __init__(
        self,
        root: Path,
        storage: Storage,
        *,
        raw_output_prefix: str,
        config: tasks_pb2.DataLoadingConfig,
        shared: bool = False,
    ) -> None:
        self.root = root
        self._mode = 0o777 if shared else 0o700
        self._config = config
        self.inputs = root / "inputs"
        self.outputs = root / "outputs"
        self._conversion = ConversionContext(
            storage=storage, raw_output_prefix=raw_output_prefix, working_dir=root / "downloads"
        )

    def make(self) -> None:
        """Make them anew."""
        self.remove()
        for folder in (self.inputs, self.outputs):
            folder.mkdir(mode=0o700, parents=True)
            folder.chmod(self._mode)

    def remove(self) -> None:
        """Remove them, with what is in them."""
        shutil.rmtree(self.root, ignore_errors=True)

    def values(self, inputs: literals_pb2.LiteralMap, declared: interface_pb2.VariableMap) -> dict[str, Any]:
        """The inputs as Python values."""
        return native(inputs, declared, self._conversion)

    def texts(self, values: Mapping[str, Any], root: PurePath) -> dict[str, Any]:
        """The inputs as a command names them: files by where they are below `root`."""
        texts = as_texts(values, root)
        for name, value in values.items():
            if isinstance(value, os.PathLike):
                texts[name] = str(root / self._place(name, value))
        return texts

    def put_inputs(self, inputs: literals_pb2.LiteralMap, values: Mapping[str, Any]) -> None:
        """Write every input to a file of its name, and all to `inputs.pb` and to `inputs.json` or `inputs.yaml`.

        Nothing when the container wants none of them.
        """
        strategy = self._config.io_strategy
        if not self._config.input_path or strategy.download_mode == tasks_pb2.IOStrategy.DO_NOT_DOWNLOAD:
            return
        for name, value in values.items():
            place = self.inputs / self._place(name, value)
            place.parent.mkdir(exist_ok=True)
            try:
                write_value(value, place)
            except TypeError as error:
                text = f"input {name!r} cannot be written to a file for the container: {error}"
                raise InvalidTaskError(text, fields={f"inputs.{name}": text}) from error
        taken = set(values)
        plain = {name: _plain(value, PurePosixPath(self._config.input_path, name)) for name, value in values.items()}
        whole: dict[str, bytes] = {"inputs.pb": inputs.SerializeToString(deterministic=True)}
        if self._config.format == _Format.Value("JSON"):
            whole["inputs.json"] = json.dumps(plain).encode()
        elif self._config.format == _Format.Value("YAML"):
            whole["inputs.yaml"] = yaml.safe_dump(plain).encode()
        for name, data in whole.items():
            if name not in taken:
                (self.inputs / name).write_bytes(data)

    def _place(self, name: str, value: Any) -> PurePath:
        """Where an input is, below the folder of inputs."""
        if self._config.file_input_layout == _Layout.Value("NAMED_DIR") and isinstance(value, File):
            return PurePath(name, PurePosixPath(value.uri).name)
        return PurePath(name)

    def take_outputs(self, declared: interface_pb2.VariableMap) -> literals_pb2.LiteralMap:
        """Read every output from the file of its name; files and folders are stored. None when none is wanted.

        UserError when one is missing, is not of its type, or when the container left `_ERROR`.
        """
        there = self._config.output_path
        if self._config.io_strategy.upload_mode == tasks_pb2.IOStrategy.DO_NOT_UPLOAD:
            return literals_pb2.LiteralMap()
        if (self.outputs / _ERROR).is_file():
            text = (self.outputs / _ERROR).read_text(errors="replace")[:10_000].strip()
            raise UserError(text or f"the container left {there}/{_ERROR}", reason="CONTAINER_ERROR")
        outputs = literals_pb2.LiteralMap()
        for name, variable in sorted(declared.variables.items()):
            path = self.outputs / name
            if not path.exists():
                text = f"the container did not write its output {name!r} to {there}/{name}"
                raise UserError(text, reason="OUTPUT_MISSING")
            annotation = default_types().annotation_for(variable.type)
            try:
                value = read_value(path, annotation)
                literal = default_types().to_literal(value, variable.type, self._conversion, annotation=annotation)
            except (TypeConversionError, UnicodeDecodeError) as error:
                text = f"output {name!r} of the container cannot be read: {error}"
                raise UserError(text, reason="OUTPUT_NOT_READ") from error
            outputs.literals[name].CopyFrom(literal)
        return outputs

    def keeps_outputs(self, declared: interface_pb2.VariableMap, prefix: str) -> bool:
        """Whether outputs stay in the folder, because there is no other place for them."""
        return not prefix and any(kind_of(variable.type) in _FILES for variable in declared.variables.values())


def native(
    inputs: literals_pb2.LiteralMap, declared: interface_pb2.VariableMap, conversion: ConversionContext
) -> dict[str, Any]:
    """Literals as the values that are most natural for their declared types."""
    types = default_types()
    return {
        name: types.to_python(literal, types.annotation_for(declared.variables[name].type), conversion)
        for name, literal in inputs.literals.items()
    }


def _plain(value: Any, path: PurePath) -> Any:
    """A value as it is written into the file of all inputs: files by where they are."""
    try:
        return msgspec.to_builtins(value)
    except (TypeError, ValueError):
        return str(path)
