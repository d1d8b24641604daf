"""The connectors of this installation, loaded once for all checks."""

import threading
from functools import lru_cache

from connectory.connector.discovery import discover
from connectory.connector.registry import Registry
from connectory_cli.doctor.patient import Patient

__all__ = ["installed"]

_loading = threading.Lock()


def installed(patient: Patient) -> Registry:
    """What a server that is started here would serve."""
    of_settings = patient.settings.modules if patient.settings is not None else ()
    with _loading:
        return _discovered((*of_settings, *patient.modules))


@lru_cache(maxsize=1)
def _discovered(modules: tuple[str, ...]) -> Registry:
    return discover(modules)
