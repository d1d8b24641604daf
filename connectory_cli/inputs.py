"""Workflow inputs from the command line and from files, as literals of the declared types."""

import json
import types as python_types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from connectory.authoring.interface import Interface
from connectory.errors import ConnectoryError, SettingsError, TypeConversionError
from connectory.types import ConversionContext, Directory, File, StructuredDataset, TypeRegistry
from connectory.types.extras import bare
from connectory.types.structure_check import find_structure_mismatch
from connectory.v1 import interface_pb2, literals_pb2, types_pb2

__all__ = ["declared_literal", "inputs_of_file", "literal_of", "read_inputs"]

_SHOWN = 200
"""Of a value that is refused, so many characters are repeated."""
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
    given = {**inputs_of_file(file)} if file is not None else {}
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


def inputs_of_file(path: Path) -> Mapping[str, Any]:
    """The inputs by name that a file holds, in JSON or YAML."""
    try:
        content = _loaded(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise SettingsError(f"--inputs-file {path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, Mapping):
        raise SettingsError(f"--inputs-file {path} holds {type(content).__name__}, not an object of inputs by name")
    return {str(name): value for name, value in content.items()}


def _loaded(text: str) -> Any:
    """What JSON or YAML says. Numbers such as 1e5, tabs and some characters mean something in JSON only."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return yaml.safe_load(text)


def declared_literal(
    name: str, text: str, declared: types_pb2.LiteralType, types: TypeRegistry
) -> literals_pb2.Literal:
    """What is only known by its declared type, from its text: as it is for str, JSON for anything else."""
    return literal_of(name, _parsed(text, types.annotation_for(declared)), declared, types)


def literal_of(name: str, data: Any, declared: types_pb2.LiteralType, types: TypeRegistry) -> literals_pb2.Literal:
    """The same from what JSON says of it.

    Schemas of classes are part of declared types. A problem names the value and the part that does not fit.
    """
    annotation, context = types.annotation_for(declared), ConversionContext()
    value = _value(name, data, annotation, types, context)
    try:
        literal = types.to_literal(value, declared, context, annotation=annotation)
        types.check(literal, declared)
    except TypeConversionError as error:
        raise _unusable(name, value, error) from error
    mismatch = find_structure_mismatch(literal, declared, by_hand=True)
    if mismatch is not None:
        raise _unusable(name, value, ": ".join(filter(None, mismatch)))
    return literal


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
        within = _only_variant(plain)
        if within is not None:  # its own words lead to the part that is wrong
            _value(name, data, within, types, context)
        raise _unusable(name, data, error) from error


def _only_variant(annotation: Any) -> Any:
    """What a value that may be none is otherwise, if that is one thing."""
    if typing.get_origin(annotation) not in (typing.Union, python_types.UnionType):
        return None
    variants = [each for each in typing.get_args(annotation) if each is not type(None)]
    return variants[0] if len(variants) == 1 else None


def _unusable(name: str, data: Any, reason: object) -> SettingsError:
    shown = repr(data)
    clipped = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return SettingsError(f"input {name}={clipped} cannot be used: {reason}")


def _may_be_none(variable: interface_pb2.Variable) -> bool:
    return any(
        variant.WhichOneof("type") == "simple" and variant.simple == 0 for variant in variable.type.union_type.variants
    )


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "no inputs"
