"""Who is examined in tests."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from connector_server.settings import ServerSettings
from connectory_cli.doctor.examination import Check
from connectory_cli.doctor.findings import Finding
from connectory_cli.doctor.patient import Patient
from connectory_cli.home import places
from connectory_cli.reaching import reach_from

__all__ = ["messages", "patient", "told"]


def patient(folder: Path, *, environ: dict[str, str] | None = None, **options: Any) -> Patient:
    """An installation whose store is in the folder; `settings` are those of its server."""
    said = {**(environ or {})}
    settings = options.pop("settings", {})
    store = options.pop("store", f"sqlite:///{folder / 'runner.db'}")
    return Patient(
        environ=said,
        settings=ServerSettings(**settings),
        reach=options.pop("reach", None) or reach_from(said),
        places=places(store, options.pop("outputs", None)),
        timeout=options.pop("timeout", 10.0),
        **options,
    )


def told(check: Check, examined: Patient) -> list[Finding]:
    """What a check finds; it leaves the environment as it is."""
    before = dict(os.environ)
    found = list(check(examined))
    assert dict(os.environ) == before
    for finding in found:
        assert bool(finding.remedy) == (finding.level != "ok"), "what is not in order has a remedy, and nothing else"
    return found


def messages(found: Iterable[Finding], level: str) -> list[str]:
    """What is said at this level."""
    return [f"{finding.about}: {finding.message}" for finding in found if finding.level == level]
