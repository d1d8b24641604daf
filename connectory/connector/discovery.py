"""Where connectors come from: entry points of installed packages, and modules that are named by hand."""

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Final

from connectory.connector.announcements import GivesConnector, announced
from connectory.connector.contract import Connector
from connectory.connector.failures import FAILURES, pass_on
from connectory.connector.registry import BrokenConnector, Registration, Registry
from connectory.errors import RegistryError

__all__ = ["GROUP", "Source", "discover", "entry_point_names", "sources"]

GROUP: Final = "connectory.connectors"
"""The entry point group under which packages name their connectors."""


def discover(
    modules: Sequence[str] = (),
    *,
    entry_points: bool = True,
    chosen: Callable[[str], bool] = lambda _name: True,
    registry: Registry | None = None,
) -> Registry:
    """A registry with the connectors of every entry point whose name is `chosen`, and then of every module named.

    An entry point, and a module's attribute `connectors`, may be a connector class, a connector, an iterable of those,
    or a callable without arguments that gives one of these. A module without the attribute gives every concrete
    connector class that it defines. What cannot be loaded is listed in `Registry.broken`; discovery itself never fails.
    """
    registry = Registry() if registry is None else registry
    for source in sources(modules, entry_points=entry_points, chosen=chosen):
        source.add_to(registry)
    return registry


def sources(
    modules: Sequence[str] = (), *, entry_points: bool = True, chosen: Callable[[str], bool] = lambda _name: True
) -> Sequence["Source"]:
    """Where `discover` looks, in its order; nothing is loaded."""
    found = [one for one in _entry_points() if chosen(one.name)] if entry_points else []
    return [*map(_of_entry_point, found), *map(_of_name, modules)]


def entry_point_names() -> Sequence[str]:
    """The names of all entry points; nothing is loaded."""
    return tuple(dict.fromkeys(entry_point.name for entry_point in _entry_points()))


@dataclass(frozen=True, kw_only=True)
class Source:
    """A place that connectors come from."""

    name: str
    """Of the entry point or the module."""
    module: str
    text: str
    """For people, and as registrations name it."""
    load: Callable[[], Any]

    def gave(self, registration: Registration) -> bool:
        """Whether the connector came from here, whatever the entry point meant then."""
        return registration.source.partition(" = ")[0] == self.text.partition(" = ")[0]

    def add_to(self, registry: Registry) -> None:
        """Load what there is and register it; what cannot be loaded is listed as broken."""
        before = len(announced())
        try:
            offered = self.load()
        except FAILURES as error:  # the reason is listed
            registry.add_broken(BrokenConnector(name=self.name, source=self.text, reason=_reason(error)))
            return
        if inspect.ismodule(offered):
            offered = _of_module(offered, before)
        _register(registry, offered, self.name, self.text)


def _entry_points() -> list[EntryPoint]:
    unique = {(found.name, found.value): found for found in entry_points(group=GROUP)}
    return [unique[key] for key in sorted(unique)]


def _of_entry_point(found: EntryPoint) -> Source:
    text = f"entry point {found.name} = {found.value}"
    return Source(name=found.name, module=found.module, text=text, load=found.load)


def _of_name(module: str) -> Source:
    return Source(name=module, module=module, text=f"module {module}", load=lambda: importlib.import_module(module))


def _of_module(module: ModuleType, before: int) -> Any:
    """What a module offers: its `connectors`, or what it announced and the classes that it defines."""
    offered = getattr(module, "connectors", None)
    if offered is not None and not inspect.ismodule(offered):
        return offered
    told = announced(before)
    covered = {type(one) for one in told}
    return [*told, *(cls for cls in _defined_in(module) if cls not in covered)]


def _defined_in(module: ModuleType) -> list[type]:
    return [
        cls
        for cls in vars(module).values()
        if inspect.isclass(cls)
        and _is_connector_class(cls)
        and cls.__module__ == module.__name__
        and not inspect.isabstract(cls)
        and not cls.__name__.startswith("_")
    ]


def _is_connector_class(candidate: type) -> bool:
    return issubclass(candidate, Connector) or callable(getattr(candidate, "as_connector", None))


def _register(registry: Registry, offered: Any, name: str, source: str) -> None:
    try:
        candidates = list(_flattened(offered))
    except FAILURES as error:  # the reason is listed
        registry.add_broken(BrokenConnector(name=name, source=source, reason=_reason(error)))
        return
    if not candidates:
        reason = "it has no attribute `connectors`, and neither defines nor registers a connector"
        registry.add_broken(BrokenConnector(name=name, source=source, reason=reason))
    for candidate in candidates:
        try:
            registry.register(_instance(candidate), source=source)
        except FAILURES as error:  # the reason is listed
            broken = _called(candidate) if len(candidates) > 1 else name
            registry.add_broken(BrokenConnector(name=broken, source=source, reason=_reason(error)))


def _flattened(offered: Any) -> Iterator[Any]:
    if inspect.isclass(offered):
        if not _is_connector_class(offered):
            raise RegistryError(f"{offered!r} is no connector class")
        yield offered
    elif isinstance(offered, Connector | GivesConnector):
        yield offered
    elif isinstance(offered, Iterable) and not isinstance(offered, str | bytes):
        for one in offered:
            yield from _flattened(one)
    elif callable(offered):
        yield from _flattened(offered())
    else:
        raise RegistryError(f"{offered!r} is no connector, and gives none")


def _instance(candidate: Any) -> Any:
    return candidate() if inspect.isclass(candidate) else candidate


def _called(candidate: Any) -> str:
    return getattr(candidate, "name", "") or getattr(candidate, "__name__", type(candidate).__name__)


def _reason(error: BaseException) -> str:
    pass_on(error)
    return str(error) if isinstance(error, RegistryError) else f"{type(error).__name__}: {error}"
