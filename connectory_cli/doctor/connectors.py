"""The connectors of this installation: whether they load, have their libraries, and can work."""

import asyncio
import importlib.util
from collections.abc import Iterator, Mapping
from typing import Final

from connector_server.isolation.connectors import Isolated
from connectory.connector.dispatch import Dispatcher
from connectory.connector.registry import BrokenConnector, Registration, Registry
from connectory.errors import ConnectorError, SettingsError
from connectory.secrets import Secrets, default_secrets
from connectory.storage import default_storage
from connectory.types import default_types
from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.installed import installed
from connectory_cli.doctor.patient import Patient

__all__ = ["EXTRAS", "connectors"]

EXTRAS: Final[Mapping[str, tuple[str, ...]]] = {
    "dask": ("distributed",),
    "dataframes": ("pyarrow", "pandas", "polars"),
    "jwt": ("jwt",),
    "kubernetes": ("lightkube",),
    "otlp": ("opentelemetry.exporter.otlp.proto.grpc",),
    "pickle": ("cloudpickle",),
    "postgres": ("asyncpg",),
    "sql": ("pyarrow", "duckdb", "adbc_driver_manager", "adbc_driver_postgresql", "adbc_driver_sqlite"),
}
"""The modules that each extra of this project brings."""
_OF_CONNECTORS: Final[Mapping[str, str]] = {"sql": "sql", "k8s_job": "kubernetes"}


def connectors(patient: Patient) -> Iterator[Finding]:
    """Every connector that a server here would serve."""
    if patient.address:
        return
    registry = installed(patient)
    for broken in registry.broken:
        yield fail(f"connector {broken.name}", f"{broken.reason} ({broken.source})", _remedy(broken))
    try:
        secrets = default_secrets()
    except SettingsError as error:
        remedy = "correct CONNECTORY_SECRETS_KUBERNETES, or unset it; without it the connectors are not looked at"
        yield fail("secrets", str(error), remedy)
        return
    yield from asyncio.run(_healthy(registry, secrets, patient.wait))


async def _healthy(registry: Registry, secrets: Secrets, wait: float) -> list[Finding]:
    dispatcher = Dispatcher(registry, secrets=secrets, storage=default_storage(), types=default_types())
    try:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(_one(one, dispatcher, wait)) for one in registry.list()]
    finally:
        await dispatcher.aclose(timeout=1.0)
    return [finding for one in asked for finding in one.result()]


async def _one(registration: Registration, dispatcher: Dispatcher, wait: float) -> list[Finding]:
    about = f"connector {registration.name}"
    if isinstance(registration.connector, Isolated):
        return [ok(about, "loads in a process of its own; its health tells whether it can work")]
    found = list(_libraries(about, registration))
    if "check" not in registration.operations:
        return found or [ok(about, "loads; it has no check of its own")]
    try:
        async with asyncio.timeout(wait):
            await dispatcher.check(registration.categories[0])
    except ConnectorError as error:
        return [*found, fail(about, f"cannot work now: {error}", "mend what it names; until then its health is bad")]
    except TimeoutError:
        return [*found, fail(about, f"its check gave no answer within {wait:g} seconds", "see its external system")]
    return found or [ok(about, "loads and can work")]


def _libraries(about: str, registration: Registration) -> Iterator[Finding]:
    for category in registration.categories:
        extra = _OF_CONNECTORS.get(category.name)
        missing = [module for module in EXTRAS.get(extra or "", ()) if not _is_installed(module)]
        if missing:
            yield warn(about, f"it lacks {', '.join(missing)}", f"pip install 'connectory[{extra}]'")


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _remedy(broken: BrokenConnector) -> str:
    for extra, modules in EXTRAS.items():
        if any(f"No module named '{module.partition('.')[0]}" in broken.reason for module in modules):
            return f"pip install 'connectory[{extra}]'"
    if "ModuleNotFoundError" in broken.reason:
        return "install the package that has this module beside the server, or correct the name"
    return "mend or remove it; the others serve"
