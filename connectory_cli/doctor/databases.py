"""The ledger of creates and the runner's store, in whichever database they are."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from connector_server.ledgers import ledger_file
from connectory_cli.doctor.files import file_system, folder, sqlite_file, versions
from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.patient import Patient
from connectory_cli.doctor.postgres import database_facts, is_postgres, shown
from connectory_cli.doctor.schemas import LEDGER, STORE, compared

__all__ = ["ledger", "store"]


def ledger(patient: Patient) -> Iterator[Finding]:
    """Where the connector server of the settings remembers creates."""
    settings = patient.settings
    if settings is None or patient.address:
        return
    place = settings.ledger
    if place in ("memory", "none"):
        yield warn(
            "ledger",
            f"is {place}: a server that is started again knows none of its creates",
            "name an SQLite file, or for replicas a postgresql:// URL",
        )
    elif is_postgres(place):
        yield from _in_postgres("ledger", place, LEDGER, patient.wait)
    else:
        yield from _in_file("ledger", ledger_file(place), LEDGER)


def store(patient: Patient) -> Iterator[Finding]:
    """Where this user's runner keeps executions."""
    places = patient.places
    if is_postgres(places.store):
        yield from _in_postgres("store", places.store, STORE, patient.wait)
    elif places.file is not None:
        yield from _in_file("store", places.file, STORE)
    elif places.store.startswith("memory:"):
        yield warn("store", "is in memory: executions end with their process", "name an SQLite file or a database")
    else:
        yield fail(
            "store",
            f"{places.shown} cannot be used",
            "write sqlite:///PATH, memory:// or postgresql://USER@HOST/DATABASE",
        )


def _in_file(about: str, path: Path, packages: Mapping[str, str]) -> Iterator[Finding]:
    yield from folder(about, path.absolute().parent)
    yield from file_system(about, path)
    yield from (found := list(sqlite_file(about, path)))
    if not any(finding.level == "fail" for finding in found):
        yield from compared(about, versions(path, next(iter(packages))), packages, "sqlite")


def _in_postgres(about: str, url: str, packages: Mapping[str, str], wait: float) -> Iterator[Finding]:
    facts = database_facts(url, wait)
    if facts.trouble:
        yield fail(about, f"{shown(url)} cannot be used: {facts.trouble}", facts.remedy)
        return
    yield ok(about, f"{shown(url)} answers (PostgreSQL {facts.version})")
    if facts.is_standby:
        yield fail(about, "it is a standby, which can only be read", "name the primary")
    present = {name: version for name, version in facts.schemas.items() if name in packages}
    if not present and not facts.may_create:
        yield fail(about, "its tables are missing, and this user may not make them", "GRANT CREATE ON SCHEMA once")
    elif not present:
        yield ok(about, "its tables are missing, and will be made by whoever opens it first")
    yield from compared(about, present, packages, "postgres")
