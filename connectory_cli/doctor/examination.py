"""Which checks there are, and a run of them: side by side, each for a bounded time."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from connectory_cli.doctor.certificates import certificates
from connectory_cli.doctor.clocks import clocks
from connectory_cli.doctor.configuration import configuration
from connectory_cli.doctor.connectors import connectors
from connectory_cli.doctor.containers import containers
from connectory_cli.doctor.databases import ledger, store
from connectory_cli.doctor.findings import Finding, fail
from connectory_cli.doctor.limits import limits
from connectory_cli.doctor.patient import Patient
from connectory_cli.doctor.permissions import permissions
from connectory_cli.doctor.ports import ports
from connectory_cli.doctor.reachability import reachability
from connectory_cli.doctor.storage import storage

__all__ = ["CHECKS", "Check", "Examined", "examine"]

Check = Callable[[Patient], Iterable[Finding]]

CHECKS: Final[dict[str, Check]] = {
    "configuration": configuration,
    "permissions": permissions,
    "limits": limits,
    "ports": ports,
    "certificates": certificates,
    "reachability": reachability,
    "clocks": clocks,
    "ledger": ledger,
    "connectors": connectors,
    "store": store,
    "storage": storage,
    "containers": containers,
}
"""In the order in which they are shown."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What one check found."""

    check: str
    findings: tuple[Finding, ...]


def examine(patient: Patient, checks: dict[str, Check]) -> Iterator[Examined]:
    """Every check's findings, in order. One that does not end in time is a finding itself, and is left to itself."""
    running = {name: _begun(check, patient) for name, check in checks.items()}
    for name, result in running.items():
        try:
            findings = result.get(timeout=patient.timeout)
        except queue.Empty:
            remedy = "see what it waits for; --timeout gives it longer"
            findings = (fail(name, f"was not done within {patient.timeout:g} seconds", remedy),)
        yield Examined(check=name, findings=findings)


def _begun(check: Check, patient: Patient) -> "queue.SimpleQueue[tuple[Finding, ...]]":
    """The check on a thread that holds up nobody's end."""
    result: queue.SimpleQueue[tuple[Finding, ...]] = queue.SimpleQueue()

    def run() -> None:
        try:
            result.put(tuple(check(patient)))
        except Exception as error:  # whatever a check meets is told, and the others go on
            result.put((fail("doctor", f"the check itself failed: {type(error).__name__}: {error}", "report this"),))

    threading.Thread(target=run, daemon=True).start()
    return result
