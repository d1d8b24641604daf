"""Secrets by key: where they come from, and what is said when one is in none of those places.

Every source answers the same question, so sources are chained as values. A secret is looked up at the moment it is used
and never kept.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from connectory.errors import MissingSecretError, SettingsError
from connectory.v1 import security_pb2

__all__ = [
    "ChainedSecrets",
    "ConnectionSecrets",
    "EnvironmentSecrets",
    "FileSecrets",
    "Secrets",
    "default_secrets",
    "missing_secret",
    "variable_prefixes",
]

DEFAULT_ENV_PREFIX: Final = "CONNECTORY_SECRET_"
DEFAULT_DIR: Final = "/etc/secrets"
FLYTE_ENV_PREFIX: Final = "_FSEC_"


class Secrets(Protocol):
    """A place, or several, where secrets are found by key, and optionally by group and version."""

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        """The secret's text.

        Obligations: raise `MissingSecretError` naming the key and every place that was looked at when there is none;
        never put a secret's text into an error or a log; never answer another group's or version's secret.
        """
        ...


class EnvironmentSecrets:
    """Secrets in environment variables named PREFIX[GROUP_][VERSION_]KEY, in the case asked for or in upper case."""

    def __init__(self, prefix: str = DEFAULT_ENV_PREFIX, environ: Mapping[str, str] | None = None) -> None:
        self._prefix = prefix
        self._environ = os.environ if environ is None else environ

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        name = self._prefix + "_".join(part for part in (group, version, key) if part)
        names = [name] if name == name.upper() else [name, name.upper()]
        for candidate in names:
            if candidate in self._environ:
                return self._environ[candidate]
        raise missing_secret(key, group, version, [f"environment variable {candidate}" for candidate in names])


class FileSecrets:
    """Secrets in files ROOT/[GROUP/][VERSION/]KEY, in the case that was asked for or in lower case.

    One trailing line break is no part of the secret.
    """

    def __init__(self, root: str | Path = DEFAULT_DIR) -> None:
        self._root = Path(root)

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        parts = [part for part in (group, version, key) if part]
        looked = []
        for path in dict.fromkeys((self._root.joinpath(*parts), self._root.joinpath(*map(str.lower, parts)))):
            looked.append(f"file {path}")
            if not parts or not self._is_inside(parts) or not path.is_file():
                continue
            try:
                return path.read_bytes().decode().removesuffix("\n").removesuffix("\r")
            except OSError as error:
                looked[-1] += f" (cannot be read: {error.strerror})"
            except UnicodeDecodeError:
                looked[-1] += " (not UTF-8 text)"
        raise missing_secret(key, group, version, looked)

    @staticmethod
    def _is_inside(parts: Sequence[str]) -> bool:
        return not any(part in (".", "..") or "/" in part or "\\" in part for part in parts)


class ConnectionSecrets:
    """Secrets that came with a request's connection; they have neither group nor version."""

    def __init__(self, connection: security_pb2.Connection) -> None:
        self._connection = connection

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        if not group and not version and key in self._connection.secrets:
            return self._connection.secrets[key]
        raise missing_secret(key, group, version, ["the request's connection"])


class ChainedSecrets:
    """Several places, asked in order; the first that has the secret answers."""

    def __init__(self, sources: Sequence[Secrets]) -> None:
        self._sources = tuple(sources)

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        looked: list[str] = []
        for source in self._sources:
            try:
                return source.get(key, group=group, version=version)
            except MissingSecretError as error:
                looked.extend(_places(error))
        raise missing_secret(key, group, version, looked)


def default_secrets(environ: Mapping[str, str] | None = None) -> Secrets:
    """The environment, then files, then Kubernetes, as `environ` says (None: this process's environment).

    CONNECTORY_SECRETS_ENV_PREFIX and CONNECTORY_SECRETS_DIR name the variables' prefix and the files' folder; the
    same settings under Flyte's names, and Flyte's own variables, are read after them. CONNECTORY_SECRETS_KUBERNETES
    names a namespace whose Secrets are read; without it none are. SettingsError when there is no cluster then.
    """
    settings = os.environ if environ is None else environ
    folders = [settings.get("CONNECTORY_SECRETS_DIR", DEFAULT_DIR)]
    folders.extend(settings[name] for name in ("FLYTE_SECRETS_DEFAULT_DIR",) if name in settings)
    sources: list[Secrets] = [EnvironmentSecrets(prefix, settings) for prefix in variable_prefixes(settings)]
    sources.extend(FileSecrets(folder) for folder in dict.fromkeys(folders))
    if namespace := settings.get("CONNECTORY_SECRETS_KUBERNETES", ""):
        sources.append(_of_kubernetes(namespace))
    return ChainedSecrets(sources)


def _of_kubernetes(namespace: str) -> Secrets:
    try:
        # Optional: the library for Kubernetes is an extra, and takes its time to load.
        from connectory.kubernetes_secrets import open_namespace  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "CONNECTORY_SECRETS_KUBERNETES is set, and the library for Kubernetes is not installed here; install it:"
            " pip install 'connectory[kubernetes]'"
        ) from error
    return open_namespace(namespace)


def variable_prefixes(settings: Mapping[str, str]) -> Sequence[str]:
    """How the variables begin that hold secrets, as these settings say."""
    prefixes = (
        settings.get("CONNECTORY_SECRETS_ENV_PREFIX", DEFAULT_ENV_PREFIX),
        settings.get("FLYTE_SECRETS_ENV_PREFIX", FLYTE_ENV_PREFIX),
    )
    return tuple(dict.fromkeys(prefixes))


class _Missing(MissingSecretError):
    def __init__(self, message: str, looked: Sequence[str]) -> None:
        super().__init__(message)
        self.looked = tuple(looked)


def missing_secret(key: str, group: str | None, version: str | None, looked: Sequence[str]) -> MissingSecretError:
    """What a source raises that looked at these places in vain."""
    of = "".join(f", {name} {value!r}" for name, value in (("group", group), ("version", version)) if value)
    return _Missing(f"no secret with key {key!r}{of}; looked at: {'; '.join(looked) or 'no place at all'}", looked)


def _places(error: MissingSecretError) -> Iterator[str]:
    if isinstance(error, _Missing):
        yield from error.looked
    else:
        yield str(error)
