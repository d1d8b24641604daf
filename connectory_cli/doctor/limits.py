"""Settings by connector: whether anything fits their names, and whether what they demand can ever happen."""

from collections.abc import Iterator, Mapping
from typing import Any

from connector_server.settings import ServerSettings
from connector_server.unused_names import unused_names
from connectory.connector.limits.gates import limits_of
from connectory.connector.registry import Registration
from connectory_cli.doctor.findings import Finding, ok, warn
from connectory_cli.doctor.installed import installed
from connectory_cli.doctor.patient import Patient

__all__ = ["limits"]


def limits(patient: Patient) -> Iterator[Finding]:
    """What is set for single connectors."""
    settings = patient.settings
    if settings is None or patient.address:
        return
    registry = installed(patient)
    found = [warn(*unused) for unused in unused_names(settings, registry)]
    found += _leases(settings)
    for registration in registry.list():
        found += _of_connector(registration, settings.limits)
    yield from found or [ok("limits", "limits and leases can be kept, and connectors have the names that they are for")]


def _leases(settings: ServerSettings) -> Iterator[Finding]:
    for name, seconds in settings.lease.items():
        if 0 < seconds < settings.reap_every:
            yield warn(
                "lease",
                f"{name}={seconds:g} is shorter than reap_every={settings.reap_every:g}: jobs count as abandoned"
                " between two polls",
                "make leases several times as long as callers wait between polls",
            )
    if settings.reap_every == 0 and (settings.lease or "delete" in settings.on_orphan.values()):
        yield warn("reap_every", "is 0, so nobody looks after abandoned jobs", "set it to 15")


def _of_connector(registration: Registration, changes: Mapping[str, Any]) -> Iterator[Finding]:
    used = limits_of(registration, changes)
    for what in ("create", "poll"):
        rate = getattr(used, f"{what}s_per_second")
        if rate is not None and used.wait < 1 / rate:
            yield warn(
                "limits",
                f"{registration.name}: with {what}s_per_second={rate:g} a turn comes every {1 / rate:g} seconds, and"
                f" wait={used.wait:g} is over before: a call that has to wait is always refused",
                f"set {registration.categories[0].name}.wait to at least {1 / rate:g}, or raise the rate",
            )
