"""`connectory doctor`: reads settings, examines, prints."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connectory.errors import NotFoundError, SettingsError
from connectory_cli.doctor.configuration import read_settings
from connectory_cli.doctor.examination import CHECKS, examine
from connectory_cli.doctor.findings import fail
from connectory_cli.doctor.patient import Patient
from connectory_cli.doctor.report import print_report
from connectory_cli.home import places
from connectory_cli.options import findable
from connectory_cli.reaching import Reach, reach_from

__all__ = ["DoctorOptions", "doctor"]


@dataclass(frozen=True, kw_only=True)
class DoctorOptions:
    """What the command line says."""

    config: Path | None
    address: str
    store: str | None
    output_prefix: str | None
    modules: Sequence[str]
    only: Sequence[str]
    timeout: float
    """Seconds for each check."""
    tls_ca: Path | None
    tls_cert: Path | None
    tls_key: Path | None
    tls_name: str
    as_json: bool


def doctor(options: DoctorOptions) -> int:
    """Print what is wrong; exit code 1 when something fails."""
    unknown = [name for name in options.only if name not in CHECKS]
    if unknown:
        raise NotFoundError(f"there is no check {', '.join(unknown)}; there are: {', '.join(CHECKS)}")
    logging.getLogger("connectory").addHandler(logging.NullHandler())
    checks = {name: check for name, check in CHECKS.items() if name in options.only or not options.only}
    return print_report(examine(_patient(options), checks), options.as_json)


def _patient(options: DoctorOptions) -> Patient:
    settings, complaints = read_settings(options.config)
    findable([*(settings.modules if settings is not None else ()), *options.modules])
    reach: Reach | None = None
    try:
        reach = reach_from(
            ca=options.tls_ca, certificate=options.tls_cert, key=options.tls_key, server_name=options.tls_name
        )
    except SettingsError as error:
        complaints = (*complaints, fail("CONNECTORY_CLIENT_*", str(error), "correct it"))
    return Patient(
        environ=os.environ,
        settings=settings,
        complaints=complaints,
        address=options.address,
        reach=reach,
        places=places(options.store, options.output_prefix),
        modules=options.modules,
        timeout=options.timeout,
    )
