"""The settings: whether each can be used, and whether the environment has names that nobody knows."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Final

from connector_server.settings import ENVIRONMENT_PREFIX, ServerSettings
from connectory.errors import SettingsError
from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.patient import Patient

__all__ = ["KNOWN_VARIABLES", "configuration", "read_settings"]

KNOWN_VARIABLES: Final = frozenset(
    f"CONNECTORY_{name}"
    for name in (
        "CLIENT_CA",
        "CLIENT_CERT",
        "CLIENT_KEY",
        "CLIENT_SERVER_NAME",
        "CODE",
        "COMPILE_SETTINGS",
        "CONNECTORS",
        "CONTAINER_RUNTIME",
        "DOMAIN",
        "ENDPOINT",
        "FAIL_ON_ERROR",
        "HOME",
        "HTTP_ALLOW_HOSTS",
        "K8S_ACCELERATOR_LABEL",
        "K8S_ALLOW",
        "K8S_CONTEXT",
        "K8S_IMAGE",
        "K8S_LOG_URL",
        "K8S_NAMESPACE",
        "K8S_PARTITION_LABEL",
        "K8S_POD_TEMPLATE",
        "K8S_STORAGE_SECRETS",
        "PROCESS_ALLOW",
        "PROCESS_DIR",
        "PROCESS_JOB",
        "PROCESS_KEEP_HOURS",
        "PROJECT",
        "SECRETS_DIR",
        "SECRETS_ENV_PREFIX",
        "SECRETS_KUBERNETES",
        "SLACK_WEBHOOK",
        "SMTP_URL",
        "SQL_ALLOW",
        "SQL_DIR",
        "SQL_THREADS",
        "STATSD",
        "STORE",
        "TOKEN",
        "TOKEN_FILE",
        "TOKEN_PLAIN_TEXT",
    )
)
"""The variables of the environment that are no settings of the connector server."""
_FREE_NAMES: Final = ("CONNECTORY_SECRET_", "CONNECTORY_FUZZ_")
_NAMED: Final = re.compile(r"(\w+)=")
_SINGULAR: Final = ("ADDRESS", "MODULE")


def read_settings(config: Path | None) -> tuple[ServerSettings | None, tuple[Finding, ...]]:
    """The settings of a server that is started here, and what is wrong with them.

    A setting that cannot be used is left out and the rest is looked at, as far as that can be done.
    """
    given: dict[str, Any] = {} if config is None else {"config": config}
    complaints: list[Finding] = []
    while True:
        try:
            settings = ServerSettings(**given)
        except SettingsError as error:
            name = named[1] if (named := _NAMED.match(str(error))) else "settings"
            complaints.append(fail(name, str(error), "correct it where it is set: option, environment or file"))
            default = _default(name)
            if name in given or default is None:
                return None, tuple(complaints)
            given[name] = default
        else:
            return (None if complaints else settings), tuple(complaints)


def configuration(patient: Patient) -> Iterator[Finding]:
    """The settings of the server, and the names in the environment."""
    yield from patient.complaints
    yield from _unknown_names(patient.environ)
    settings = patient.settings
    if settings is None:
        return
    said = f"{settings.config} and the environment" if settings.config else "the environment"
    yield ok("settings", f"every setting of {said} can be used")
    if settings.insecure_public:
        yield warn(
            "insecure_public",
            "anybody who reaches the address may start jobs",
            "set tls_cert and tls_key with tls_client_ca or tokens, and leave insecure_public out",
        )
    if settings.workers > 1 and settings.ledger == "memory":
        yield warn(
            "ledger",
            f"each of the {settings.workers} workers remembers only its own creates",
            "name an SQLite file or a postgresql:// URL, which workers share",
        )
    if settings.workers > (os.cpu_count() or 1):
        yield warn(
            "workers",
            f"{settings.workers} workers share {os.cpu_count()} processors",
            "use no more workers than there are processors",
        )


def _unknown_names(environ: Mapping[str, str]) -> Iterator[Finding]:
    known = {*KNOWN_VARIABLES, *_variables(one.name for one in fields(ServerSettings))}
    known |= {f"{ENVIRONMENT_PREFIX}{name}" for name in _SINGULAR}
    for name in sorted(environ):
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known and not name.startswith(_FREE_NAMES):
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"perhaps it is {near[0]}" if near else "take it away; `connectory serve --help` lists the names"
            yield warn(name, "is set in the environment, and nobody knows it", remedy)


def _variables(names: Iterable[str]) -> Iterator[str]:
    return (f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in names)


def _default(name: str) -> Any:
    found: Field[Any] | None = next((one for one in fields(ServerSettings) if one.name == name), None)
    if found is None:
        return None
    if found.default_factory is not MISSING:
        return found.default_factory()
    return None if found.default is MISSING else found.default
