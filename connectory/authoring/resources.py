"""How much of a machine a task wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectory.authoring.location import authoring_error
from connectory.v1 import tasks_pb2

__all__ = ["Resources", "check_resources", "resources_message"]

Quantity = str | int | float
_Kind = tasks_pb2.Resources.ResourceName
_FIELDS: tuple[tuple[str, tasks_pb2.Resources.ResourceName.ValueType], ...] = (
    ("ephemeral_storage", _Kind.EPHEMERAL_STORAGE),
    ("cpu", _Kind.CPU),
    ("gpu", _Kind.GPU),
    ("mem", _Kind.MEMORY),
)


@dataclass(frozen=True)
class Resources:
    """Amounts in Kubernetes' notation ("500m", "2Gi"); a pair is a request and a limit."""

    cpu: Quantity | tuple[Quantity, Quantity] | None = None
    mem: Quantity | tuple[Quantity, Quantity] | None = None
    gpu: Quantity | tuple[Quantity, Quantity] | None = None
    ephemeral_storage: Quantity | tuple[Quantity, Quantity] | None = None

    def __post_init__(self) -> None:
        for name, _ in _FIELDS:
            value = getattr(self, name)
            if isinstance(value, list):
                value = tuple(value)
                object.__setattr__(self, name, value)
            amounts = value if isinstance(value, tuple) else (value,)
            if len(amounts) not in (1, 2) or not all(map(_is_amount, amounts)) or value == ():
                raise authoring_error(
                    f"{name} of Resources is {value!r}; give an amount such as '500m' or 2, or a pair of them"
                )


def _is_amount(value: object) -> bool:
    if isinstance(value, str):
        return bool(value) and value.isascii()
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def check_resources(*, requests: Resources | None, limits: Resources | None, resources: Resources | None) -> None:
    """Raise AuthoringError for what cannot be said together."""
    if resources is not None and (requests is not None or limits is not None):
        raise authoring_error("give either resources, or requests and limits; not both")
    for role, given in (("requests", requests), ("limits", limits), ("resources", resources)):
        if given is not None and not isinstance(given, Resources):
            raise authoring_error(f"{role} is {given!r}; give Resources(cpu=..., mem=...)")
    for role, given in (("requests", requests), ("limits", limits)):
        for name, _ in _FIELDS if given is not None else ():
            if isinstance(getattr(given, name), tuple):
                raise authoring_error(f"{role} has a pair as {name}; a pair belongs into resources=Resources(...)")


def resources_message(
    *, requests: Resources | None = None, limits: Resources | None = None, resources: Resources | None = None
) -> tasks_pb2.Resources:
    """Requests and limits as a template carries them; `resources` gives both at once and excludes the other two."""
    check_resources(requests=requests, limits=limits, resources=resources)
    if resources is not None:
        return tasks_pb2.Resources(requests=_entries(resources, 0), limits=_entries(resources, 1))
    return tasks_pb2.Resources(requests=_entries(requests, 0), limits=_entries(limits, 0))


def _entries(resources: Resources | None, position: int) -> Iterator[tasks_pb2.Resources.ResourceEntry]:
    for name, kind in _FIELDS if resources is not None else ():
        value = getattr(resources, name)
        if isinstance(value, tuple):
            value = value[position]
        elif position:
            continue
        if value is not None:
            yield tasks_pb2.Resources.ResourceEntry(name=kind, value=str(value))
