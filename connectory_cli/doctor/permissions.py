"""Files that hold secrets: whether anybody else on this machine may read them."""

import stat
from collections.abc import Iterator
from pathlib import Path

from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.patient import Patient

__all__ = ["permissions"]


def permissions(patient: Patient) -> Iterator[Finding]:
    """The files with secrets that settings and the environment name."""
    for name, path in _secret_files(patient):
        try:
            mode = path.stat().st_mode
            path.open("rb").close()
        except OSError as error:
            yield fail(name, f"{path} cannot be read: {error.strerror}", "name a file that this user may read")
            continue
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            yield warn(name, f"everybody on this machine may read {path}", f"chmod o= {path}")
        elif mode & stat.S_IWGRP:
            yield warn(name, f"others of its group may change {path}", f"chmod g-w {path}")
        else:
            yield ok(name, f"{path} is kept from others")


def _secret_files(patient: Patient) -> Iterator[tuple[str, Path]]:
    settings = patient.settings
    for name in ("tls_key", "tokens", "handle_keys"):
        path = None if settings is None else getattr(settings, name)
        if path is not None:
            yield name, path
    for variable in ("CONNECTORY_TOKEN_FILE", "CONNECTORY_CLIENT_KEY"):
        if patient.environ.get(variable):
            yield variable, Path(patient.environ[variable])
