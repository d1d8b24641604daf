"""Workflow inputs from the command line and from files, as literals of the declared types."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from connectory.authoring.interface import Interface
from connectory.errors import ConnectoryError, SettingsError
from connectory.types import ConversionContext, Directory, File, StructuredDataset, TypeRegistry
from connectory.types.extras import bare
from connectory.v1 import interface_pb2, literals_pb2

__all__ = ["read_inputs", "value_of_text"]

_BY_URI = (File, Directory, StructuredDataset)


def read_inputs(
    options: Sequence[str],
    file: Path | None,
    *,
    interface: Interface,
    variables: interface_pb2.VariableMap,
    types: TypeRegistry,
) -> literals_pb2.LiteralMap:
    """Merge the file, the options (which win) and the defaults; every problem names the input and the remedy."""
    given: dict[str, Any] = _from_file(file) if file is not None else {}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or not name:
            raise SettingsError(f"--input {option!r} is not NAME=VALUE")
        given[name] = _parsed(text, interface.inputs.get(name, str))
    unknown = sorted(set(given) - set(interface.inputs))
    if unknown:
        raise SettingsError(f"unknown input {', '.join(unknown)}; the workflow has {_listed(interface.inputs)}")
    missing = sorted(set(interface.inputs) - set(given) - set(interface.defaults))
    context = ConversionContext()
    values = {**interface.defaults}
    for name, data in given.items():
        values[name] = _value(name, data, interface.inputs[name], types, context)
    optional = [name for name in missing if _may_be_none(variables.variables[name])]
    required = sorted(set(missing) - set(optional))
    if required:
        raise SettingsError(f"missing input {', '.join(required)}: give it as --input {required[0]}=VALUE")
    values.update(dict.fromkeys(optional))
    return types.map_to_literals(values, variables, context, interface.inputs)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML, too
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"--inputs-file {path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, Mapping):
        raise SettingsError(f"--inputs-file {path} holds {type(content).__name__}, not an object of inputs by name")
    return {str(name): value for name, value in content.items()}


def value_of_text(name: str, text: str, annotation: Any, types: TypeRegistry) -> Any:
    """One value from its text: as it is for str, JSON for anything else; a problem names it."""
    return _value(name, _parsed(text, annotation), annotation, types, ConversionContext())


def _parsed(text: str, annotation: Any) -> Any:
    if bare(annotation) is str:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _value(name: str, data: Any, annotation: Any, types: TypeRegistry, context: ConversionContext) -> Any:
    plain = bare(annotation)
    origin = getattr(plain, "__origin__", plain)
    if isinstance(data, str) and origin in _BY_URI:
        return origin(data if "://" in data else str(Path(data).absolute()))
    try:
        return types.from_plain(data, annotation, context)
    except (ConnectoryError, TypeError, ValueError) as error:
        raise SettingsError(f"input {name}={data!r} cannot be used: {error}") from error


def _may_be_none(variable: interface_pb2.Variable) -> bool:
    return any(
        variant.WhichOneof("type") == "simple" and variant.simple == 0 for variant in variable.type.union_type.variants
    )


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "no inputs"
