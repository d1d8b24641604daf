"""Which versions of tables this release knows."""

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Final, Literal

from connectory_cli.doctor.findings import Finding, fail, ok

__all__ = ["LEDGER", "STORE", "compared"]

LEDGER: Final[Mapping[str, str]] = {"ledger": "connectory.connector.ledger.migrations"}
"""The packages with the steps that make the ledger's tables, by the name of what they make."""
STORE: Final[Mapping[str, str]] = {
    "executions": "workflow_runner.store.migrations",
    "control": "workflow_runner.control.catalog.migrations",
    "notifications": "workflow_runner.notifications.migrations",
    "schedules": "workflow_runner.schedules.migrations",
}
"""The same for the runner's store."""


def compared(
    about: str, present: Mapping[str, int], packages: Mapping[str, str], kind: Literal["sqlite", "postgres"]
) -> Iterator[Finding]:
    """The versions that a database has, beside those of this release."""
    known = {name: _newest(package, kind) for name, package in packages.items()}
    behind = []
    for name in known:
        if present.get(name, 0) > known[name]:
            yield fail(
                about,
                f"its tables for {name} were made by a newer release (version {present[name]}; this one knows"
                f" {known[name]})",
                "run that release, or name another database",
            )
        elif name in present and present[name] < known[name]:
            behind.append(f"{name} from {present[name]} to {known[name]}")
    if behind:
        yield ok(about, f"its tables will be brought up to date by whoever opens it next: {', '.join(behind)}")
    elif any(name in present for name in known):
        yield ok(about, "its tables are those of this release")


def _newest(package: str, kind: str) -> int:
    folder = resources.files(package) / kind
    return sum(1 for file in folder.iterdir() if file.name.endswith(".sql"))
