"""The connectors of this installation, loaded once for all checks."""

import asyncio
import json
import threading
from functools import lru_cache

from connector_server.isolation.opening import end_processes, opened
from connector_server.settings import ServerSettings
from connectory.connector.discovery import discover
from connectory.connector.registry import Registry
from connectory_cli.doctor.patient import Patient

__all__ = ["installed"]

_loading = threading.Lock()


def installed(patient: Patient) -> Registry:
    """What a server that is started here would serve.

    Connectors that have processes of their own there are started in such processes, which have ended by now.
    """
    settings = patient.settings
    modules = (*(settings.modules if settings is not None else ()), *patient.modules)
    isolation = "{}" if settings is None else json.dumps(settings.as_builtins()["isolation"])
    with _loading:
        return _discovered(modules, isolation)


@lru_cache(maxsize=1)
def _discovered(modules: tuple[str, ...], isolation: str) -> Registry:
    how = json.loads(isolation)
    if not how:
        return discover(modules)
    return asyncio.run(_started(ServerSettings(modules=modules, isolation=how)))


async def _started(settings: ServerSettings) -> Registry:
    registry = await opened(settings)
    await end_processes(registry)
    return registry
