"""What connectors declare about themselves, looked at before they serve: a slip is told then, and not by every call."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from connectory.connector.contract import AsyncConnector, Connector
from connectory.connector.limits.declared import Limits
from connectory.errors import RegistryError

__all__ = ["check_declarations"]


def check_declarations(connector: Connector[Any], name: str) -> None:
    """A declaration that cannot be used is a `RegistryError` that names it, its value and what to write instead."""
    for declared, is_usable, wanted in _looked_at(connector):
        if not is_usable:
            value = getattr(connector, declared)
            raise RegistryError(f"connector {name} declares {declared}={value!r}; it must be {wanted}")


def _looked_at(connector: Connector[Any]) -> Iterator[tuple[str, bool, str]]:
    yield "limits", isinstance(connector.limits, Limits), "a Limits(...)"
    yield "pool_size", _is_count(connector.pool_size), "a whole number of threads, 1 at least"
    if not isinstance(connector, AsyncConnector):
        return
    yield "handle_version", _is_count(connector.handle_version), "a whole number, 1 at least"
    yield "on_orphan", connector.on_orphan in ("keep", "delete"), '"keep" or "delete"'
    yield "lease", _is_time(connector.lease) and connector.lease >= timedelta(0), "a timedelta; timedelta(0): never"
    poll_every: object = connector.poll_every
    is_pace = poll_every is None or (isinstance(poll_every, timedelta) and poll_every > timedelta(0))
    yield "poll_every", is_pace, "a timedelta above 0, or None"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_time(value: object) -> bool:
    return isinstance(value, timedelta)
