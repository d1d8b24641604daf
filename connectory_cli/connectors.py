"""`connectory connectors`: what a running server, or this installation, can do."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import uvloop

from connectory.connector.discovery import discover
from connectory.connector.registry import Registration, Registry
from connectory.errors import NotFoundError
from connectory.v1 import connector_pb2 as pb
from connectory_cli.printing import print_json, print_table
from connectory_cli.reaching import reach_from

__all__ = ["list_connectors", "show_connector"]

Facts = dict[str, Any]


def list_connectors(server: str | None, modules: Sequence[str], as_json: bool) -> int:
    """Print every connector, and the broken ones with the reason; exit code 1 when there are broken ones."""
    found, broken = _asked(server) if server else _installed(modules)
    if as_json:
        print_json({"connectors": found, "broken": broken})
    else:
        rows = [[fact["name"], fact["kind"], ", ".join(fact["task_types"])] for fact in found]
        rows += [[fact["name"], "broken", f"{fact['reason']} ({fact['source']})"] for fact in broken]
        print_table(["name", "kind", "task types"], rows)
    return 1 if broken else 0


def show_connector(name: str, server: str | None, modules: Sequence[str], as_json: bool) -> int:
    """Print one connector; here also what a task of its type may say."""
    found, broken = _asked(server) if server else _installed(modules)
    wanted = name.casefold()
    for fact in (*found, *broken):
        types = [category.partition("@")[0] for category in fact.get("task_types", [])]
        if wanted in (fact["name"].casefold(), *types):
            _print_facts(fact, as_json)
            return 0
    known = ", ".join(fact["name"] for fact in (*found, *broken)) or "none"
    raise NotFoundError(f"no connector is called {name!r} and none answers that task type; there are: {known}")


def _print_facts(fact: Facts, as_json: bool) -> None:
    if as_json:
        print_json(fact)
        return
    for key, value in fact.items():
        if key == "config":
            sys.stdout.write("config:\n")
            for field, described in value.items():
                default = "" if described["required"] else f" = {described['default']!r}"
                sys.stdout.write(f"  {field}: {described['type']}{default}\n")
        else:
            sys.stdout.write(f"{key}: {', '.join(value) if isinstance(value, list) else value}\n")


def _asked(server: str) -> tuple[list[Facts], list[Facts]]:
    async def ask() -> pb.ListConnectorsResponse:
        async with reach_from().connectors(server) as client:
            return await client.list_connectors(timeout=10.0)

    answer = uvloop.run(ask())
    found = [
        {
            "name": connector.name,
            "kind": "sync" if connector.is_sync else "async",
            "task_types": [f"{c.name}@{c.version}" for c in connector.supported_task_categories],
        }
        for connector in answer.connectors
    ]
    return found, [{"name": b.name, "source": b.source, "reason": b.reason} for b in answer.broken]


def _installed(modules: Sequence[str]) -> tuple[list[Facts], list[Facts]]:
    registry: Registry = discover(modules)
    found = [_facts(registration) for registration in registry.list()]
    return found, [{"name": b.name, "source": b.source, "reason": b.reason} for b in registry.broken]


def _facts(registration: Registration) -> Facts:
    return {
        "name": registration.name,
        "kind": "sync" if registration.is_sync else "async",
        "task_types": [str(category) for category in registration.categories],
        "source": registration.source,
        "about": next(iter((type(registration.connector).__doc__ or "").strip().splitlines()), ""),
        "config": _config(registration.config_type),
    }


def _config(config_type: Any) -> Mapping[str, Mapping[str, Any]]:
    """The fields of a config class: type, whether it is required, default."""
    if not dataclasses.is_dataclass(config_type) and not hasattr(config_type, "__struct_fields__"):
        return {}
    described = {}
    info: Any = msgspec.inspect.type_info(config_type)
    for field in info.fields:
        made = field.default_factory
        default = made() if made is not msgspec.NODEFAULT else field.default
        described[field.encode_name] = {
            "type": type(field.type).__name__.removesuffix("Type").lower(),
            "required": field.required,
            "default": None if default is msgspec.NODEFAULT else default,
        }
    return described
