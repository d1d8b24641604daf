"""Which connector answers which task category."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from logging import Logger
from typing import Any

from connectory.connector.announcements import GivesConnector
from connectory.connector.configs import ConfigReader
from connectory.connector.contract import AsyncConnector, Connector, SyncConnector, TaskCategory
from connectory.connector.declarations import check_declarations
from connectory.connector.generics import type_argument
from connectory.connector.handles import BringsHandles, HandleCodec, Handles
from connectory.connector.operations import LogStream, Operation, compile_log_stream, compile_operation, is_offered
from connectory.connector.pools import BoundedPool
from connectory.connector.redaction import Redactor, redacting_logger
from connectory.connector.subjects import Subject
from connectory.errors import NotFoundError, RegistryError

__all__ = ["BrokenConnector", "Registration", "Registry", "Route"]

_REQUIRED = {False: ("create", "get", "delete"), True: ("execute",)}
_OPTIONAL = {False: ("find", "metrics", "check", "close"), True: ("check", "close")}
_LISTED = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenConnector:
    """Something that was to give connectors and could not be loaded."""

    name: str
    source: str
    """Where it was named: an entry point or a module."""
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Registration:
    """A connector with everything about it that is decided once."""

    connector: Connector[Any]
    categories: Sequence[TaskCategory]
    name: str
    is_sync: bool
    config_type: Any
    handle_type: Any
    """None for a sync connector."""
    source: str
    """Where it came from, for people: an entry point, a module, or its class."""
    operations: dict[str, Operation]
    """What it offers, by the contract's names (`logs` apart)."""
    configs: ConfigReader
    pool: BoundedPool
    check_pool: BoundedPool
    """One thread for `check`, so that one which never returns takes none from the work."""
    logger: Logger
    handles: Handles | None = None
    logs: LogStream | None = None
    redactor: Redactor = field(default_factory=Redactor)

    @cached_property
    def codec(self) -> Handles:
        """How its handles are written and read. Not for a sync connector: it has none."""
        if self.handles is None:
            raise RegistryError(f"connector {self.name} does its work within one call and has no handles")
        return self.handles


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Route:
    """A category and the connector that answers it."""

    registration: Registration
    category: TaskCategory
    label: str
    """The category as it is written: name@version."""


class Registry:
    """Connectors by task category. A value: build it where the program is put together, then hand it on.

    A server that is told to reload changes it by `adopt`; so keep the registry, and look a connector up for each call.
    """

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], Route] = {}
        self._broken: list[BrokenConnector] = []

    def register(
        self, connector: Connector[Any] | GivesConnector, *, override: bool = False, source: str = ""
    ) -> Registration:
        """Add a connector under all of its categories, or under none.

        One that cannot serve, and a category that another connector has, is a `RegistryError`; with `override` the
        newer one takes the category.
        """
        if isinstance(connector, GivesConnector):
            source = source or f"{type(connector).__module__}.{type(connector).__qualname__}"
            connector = connector.as_connector()
        return self.admit(_compiled(connector, source), override=override)

    def admit(self, registration: Registration, *, override: bool = False) -> Registration:
        """The same for a connector that is registered elsewhere already."""
        if not override:
            for category in registration.categories:
                self._refuse_duplicate(category, registration)
        for category in registration.categories:
            route = Route(registration=registration, category=category, label=str(category))
            self._routes[category.name, category.version] = route
        return registration

    def adopt(self, other: "Registry") -> None:
        """Have what the other one has, all at once, instead of what was here.

        Whoever looks a connector up for each call calls the new ones from now on. Calls under way keep theirs.
        """
        self._routes, self._broken = other._routes, other._broken

    def name_of(self, subject: Subject) -> str:
        """The name of the connector that answers requests about this; empty when there is none."""
        route = self._routes.get(subject)
        return "" if route is None else route.registration.name

    def _refuse_duplicate(self, category: TaskCategory, new: Registration) -> None:
        old = self._routes.get((category.name, category.version))
        if old is not None:
            raise RegistryError(
                f"two connectors claim category {category}: {_described(old.registration)} and {_described(new)}; "
                "remove one, give it another task type or version, or register it with override=True"
            )

    def get(self, category: TaskCategory) -> Registration:
        """The connector of a category. An unknown one is a `NotFoundError` that lists what exists."""
        return self.route(category.name, category.version).registration

    def find(self, subject: Subject) -> Route | None:
        """The connector that answers requests about this, with the category."""
        return self._routes.get(subject)

    def route(self, name: str, version: int) -> Route:
        """The same with the category, by its parts."""
        route = self._routes.get((name, version))
        if route is None:
            raise self._unknown(name, version)
        return route

    def _unknown(self, name: str, version: int) -> NotFoundError:
        if not name:
            text = "the request names no task category"
        else:
            text = f"no connector is registered for task category {TaskCategory(name, version)}"
        versions = [str(known) for known in self._categories() if known.name == name]
        known = versions or [str(known) for known in self._categories()]
        listed = ", ".join(known[:_LISTED]) + (f" and {len(known) - _LISTED} more" if len(known) > _LISTED else "")
        broken = "; failed to load: " + ", ".join(one.name for one in self._broken) if self._broken else ""
        return NotFoundError(f"{text}; registered are: {listed or 'none'}{broken}", reason="UNKNOWN_CATEGORY")

    def _categories(self) -> Sequence[TaskCategory]:
        return [TaskCategory(name, version) for name, version in sorted(self._routes)]

    def list(self) -> Sequence[Registration]:
        """Every connector that has a category, in the order of their names."""
        unique = {id(route.registration): route.registration for route in self._routes.values()}
        return sorted(unique.values(), key=lambda registration: (registration.name, registration.categories))

    @property
    def broken(self) -> Sequence[BrokenConnector]:
        """What could not be loaded."""
        return tuple(self._broken)

    def add_broken(self, broken: BrokenConnector) -> None:
        """Remember that something could not be loaded."""
        self._broken.append(broken)


def _described(registration: Registration) -> str:
    return f"{registration.name} ({registration.source})"


def _compiled(connector: Connector[Any], source: str) -> Registration:
    cls = type(connector)
    if not isinstance(connector, SyncConnector | AsyncConnector):
        raise RegistryError(f"{cls.__qualname__} is neither a SyncConnector nor an AsyncConnector")
    is_sync = isinstance(connector, SyncConnector)
    name = connector.name or cls.__name__
    missing = [operation for operation in _REQUIRED[is_sync] if not is_offered(connector, operation)]
    if missing:
        raise RegistryError(f"connector {name} ({cls.__qualname__}) does not implement {', '.join(missing)}")
    check_declarations(connector, name)
    pool, check_pool = BoundedPool(name, connector.pool_size), BoundedPool(f"{name}-check", 1)
    offered = [op for op in _REQUIRED[is_sync] + _OPTIONAL[is_sync] if is_offered(connector, op)]
    handle_type = _handle_type(connector)
    redactor = Redactor()
    config_type = type_argument(cls, SyncConnector if is_sync else AsyncConnector, 0) or dict
    return Registration(
        connector=connector,
        categories=_checked_categories(connector, name),
        name=name,
        is_sync=is_sync,
        config_type=config_type,
        handle_type=handle_type,
        source=source or f"{cls.__module__}.{cls.__qualname__}",
        operations={
            op: compile_operation(getattr(connector, op), check_pool if op == "check" else pool) for op in offered
        },
        configs=_config_reader(config_type, name),
        handles=_handle_codec(connector, handle_type, name),
        logs=_log_stream(connector, pool),
        pool=pool,
        check_pool=check_pool,
        redactor=redactor,
        logger=redacting_logger(f"connectory.connector.{name}", redactor),
    )


def _log_stream(connector: Connector[Any], pool: BoundedPool) -> LogStream | None:
    if isinstance(connector, AsyncConnector) and is_offered(connector, "logs"):
        return compile_log_stream(connector.logs, pool)
    return None


def _handle_type(connector: Connector[Any]) -> Any:
    if not isinstance(connector, AsyncConnector):
        return None
    return getattr(connector, "handle_type", None) or type_argument(type(connector), AsyncConnector, 1) or dict


def _config_reader(config_type: Any, name: str) -> ConfigReader:
    try:
        return ConfigReader(config_type)
    except (TypeError, NameError) as error:
        raise RegistryError(f"connector {name}: {config_type!r} cannot be a config class: {error}") from error


def _handle_codec(connector: Connector[Any], handle_type: Any, name: str) -> Handles | None:
    if not isinstance(connector, AsyncConnector):
        return None
    if isinstance(connector, BringsHandles):
        return connector.handles
    try:
        return HandleCodec(connector, handle_type)
    except (TypeError, NameError) as error:
        raise RegistryError(f"connector {name}: {handle_type!r} cannot be a handle class: {error}") from error


def _checked_categories(connector: Connector[Any], name: str) -> Sequence[TaskCategory]:
    categories = tuple(dict.fromkeys(connector.categories))
    if strange := [one for one in categories if not isinstance(one, TaskCategory)]:
        raise RegistryError(f"connector {name} has the category {strange[0]!r}; write TaskCategory(NAME, VERSION)")
    if not categories or any(not category.name for category in categories):
        raise RegistryError(f"connector {name} names no task type; set `task_type`, or override `categories`")
    for category in categories:
        if not isinstance(category.name, str) or type(category.version) is not int or category.version < 0:
            raise RegistryError(
                f"connector {name} has the category {category!r}; its task type must be text, and its version a whole"
                " number, 0 at least"
            )
    return categories
