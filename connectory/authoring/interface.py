"""The native signature of a task or workflow: names, Python types, defaults, descriptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectory.authoring.artifacts import check_bindings, declared_artifact
from connectory.authoring.conversion import describe
from connectory.authoring.location import authoring_error
from connectory.errors import AuthoringError, ConnectoryError
from connectory.types import TypeRegistry
from connectory.v1 import interface_pb2

__all__ = ["Interface", "kwtypes", "typed_interface"]


def kwtypes(**types: Any) -> dict[str, Any]:
    """Names and types in the order in which they are written: `kwtypes(x=int, y=str)`."""
    return types


@dataclass(frozen=True)
class Interface:
    """Inputs and outputs by name.

    An input is a type, or a pair of a type and its default value. `output_tuple` is the NamedTuple class that a
    function returns, when it returns one.
    """

    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    output_tuple: type | None = field(default=None, kw_only=True)
    keyword_only: frozenset[str] = field(default=frozenset(), kw_only=True)
    """Inputs that cannot be given by position."""
    input_descriptions: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    output_descriptions: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    summary: str = field(default="", kw_only=True)
    """The first lines of the docstring."""
    defaults: Mapping[str, Any] = field(default_factory=dict, init=False)
    """Default values of the inputs that have one."""

    def __post_init__(self) -> None:
        for role in ("inputs", "outputs"):
            _check_names(role, getattr(self, role))
        pairs = {name: kind for name, kind in (self.inputs or {}).items() if _is_pair(kind)}
        plain = {name: pairs[name][0] if name in pairs else kind for name, kind in (self.inputs or {}).items()}
        object.__setattr__(self, "inputs", plain)
        object.__setattr__(self, "outputs", dict(self.outputs or {}))
        object.__setattr__(self, "defaults", {name: pair[1] for name, pair in pairs.items()})


def _check_names(role: str, types: Any) -> None:
    if types is not None and not isinstance(types, Mapping):
        raise authoring_error(f"the {role} of an interface are {types!r}; give a dict of types by name")
    for name in types or ():
        if not isinstance(name, str) or not name:
            raise authoring_error(f"the {role} of an interface have the name {name!r}; names are texts")


def _is_pair(kind: Any) -> bool:
    return isinstance(kind, tuple) and len(kind) == 2 and not hasattr(kind, "_fields")


def typed_interface(
    interface: Interface, types: TypeRegistry, *, owner: str, location: str | None, runs_code: bool = True
) -> interface_pb2.TypedInterface:
    """The interface in literal types; an annotation that none of them can carry is an error that names it.

    `runs_code`: whether the partitions of artifacts may be decided while it runs.
    """
    typed = interface_pb2.TypedInterface()
    _fill(typed.inputs, "input", interface.inputs, interface.input_descriptions, types, owner, location)
    _fill(typed.outputs, "output", interface.outputs, interface.output_descriptions, types, owner, location)
    check_bindings(typed, owner, location=location, runs_code=runs_code)
    return typed


def _fill(
    variables: interface_pb2.VariableMap,
    role: str,
    annotations: Mapping[str, Any],
    descriptions: Mapping[str, str],
    types: TypeRegistry,
    owner: str,
    location: str | None,
) -> None:
    variables.SetInParent()
    for name, annotation in annotations.items():
        variable = variables.variables[name]
        variable.description = descriptions.get(name) or name
        artifact = declared_artifact(annotation)
        if artifact is not None:
            variable.artifact_partial_id.CopyFrom(artifact)
        try:
            variable.type.CopyFrom(types.literal_type(annotation))
        except (ConnectoryError, TypeError, ValueError) as error:
            raise AuthoringError(
                f"{role} '{name}' of '{owner}' has the type {describe(annotation)}, which cannot cross between tasks: "
                f"{error}",
                location=location,
            ) from error
