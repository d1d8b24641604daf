"""Secrets in the Secret objects of a Kubernetes namespace: a group is a Secret, a key is a key of it."""

import base64
import binascii
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import httpx2
import msgspec
from lightkube import KubeConfig
from lightkube.config.client_adapter import Client, ConnectionParams
from lightkube.core.exceptions import ConfigError

from connectory.errors import SettingsError, UnavailableError
from connectory.secrets import missing_secret

__all__ = ["KubernetesSecrets", "open_namespace"]

_TIMEOUT: Final = httpx2.Timeout(3.0)
_KEPT: Final = 10.0
"""Seconds for which what the cluster said, also that it does not answer, is not asked again."""
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_REFUSED: Final = {
    401: "the cluster does not know this server: its credentials are missing, wrong or too old",
    403: "this server may not get it: allow that by a Role",
    404: "there is none",
}


class _Secret(msgspec.Struct):
    data: dict[str, str] = {}


class _Known:
    """What the cluster said about one Secret: its data, why there are none, or that it did not answer."""

    __slots__ = ("data", "reason", "silence", "until")

    def __init__(
        self, until: float, *, data: Mapping[str, str] | None = None, reason: str = "", silence: str = ""
    ) -> None:
        self.until = until
        self.data = data or {}
        self.reason = reason
        self.silence = silence


class KubernetesSecrets:
    """Reads Secrets of one namespace when they are used, each once in ten seconds at most, whole, and by its name only.

    Nothing is listed, so a Role that allows to get the Secrets of certain names is enough. There are no versions. A
    cluster that does not answer is an `UnavailableError`. Threads may use it at once; a call blocks for three seconds
    at most.
    """

    def __init__(
        self, client: Callable[[], httpx2.Client], namespace: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._open = client
        self._namespace = namespace
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        """The text under a key of the Secret that the group names, as it is written or in lower case."""
        looked = []
        for name in dict.fromkeys((group or "", (group or "").lower())):
            where = f"Kubernetes Secret {name} in {self._namespace}"
            if version or not _NAME.fullmatch(name):
                looked.append(f"{where} (a group that can be a Secret's name, and no version, would be needed)")
                continue
            known = self._of(name)
            if key in known.data:
                return known.data[key]
            looked.append(f"{where} ({known.reason or 'it has no such key of UTF-8 text'})")
        raise missing_secret(key, group, version, looked)

    def _of(self, name: str) -> _Known:
        with self._lock:
            known = self._known.get(name)
            if known is None or known.until <= self._clock():
                known = self._known[name] = self._asked(name)
        if known.silence:
            raise UnavailableError(f"secrets cannot be read from the cluster now: {known.silence}")
        return known

    def _asked(self, name: str) -> _Known:
        """What the cluster says now."""
        try:
            with self._open() as client:
                response = client.get(f"/api/v1/namespaces/{self._namespace}/secrets/{name}")
        except (httpx2.HTTPError, ConfigError) as error:
            return _Known(self._clock() + _KEPT, silence=f"{type(error).__name__} {error}".rstrip())
        until = self._clock() + _KEPT
        if response.status_code in _REFUSED:
            return _Known(until, reason=_REFUSED[response.status_code])
        if response.is_error:
            return _Known(until, silence=f"HTTP status {response.status_code}")
        try:
            found = msgspec.json.decode(response.content, type=_Secret)
        except msgspec.MsgspecError:
            return _Known(until, silence="its answer is no Secret")
        return _Known(until, data={key: text for key, data in found.data.items() if (text := _text(data)) is not None})


def open_namespace(namespace: str) -> KubernetesSecrets:
    """The Secrets of this namespace in the cluster around this process, or else in that of the kubeconfig file.

    SettingsError when no cluster is configured. Nothing is asked over the network.
    """
    if not _NAME.fullmatch(namespace):
        raise SettingsError(f"CONNECTORY_SECRETS_KUBERNETES is {namespace!r}, which is no namespace; name one")
    try:
        config = KubeConfig.from_env().get()
        if config is None:
            raise ConfigError("it names no current context")
    except (ConfigError, OSError, KeyError, ValueError, AssertionError) as error:
        raise SettingsError(
            f"CONNECTORY_SECRETS_KUBERNETES is set, but no cluster can be used here ({error}): run inside of a cluster,"
            " name a kubeconfig file in KUBECONFIG, or unset it"
        ) from error
    return KubernetesSecrets(lambda: Client(config, ConnectionParams(timeout=_TIMEOUT)), namespace)


def _text(data: str) -> str | None:
    """What is no text cannot be a secret here. One trailing line break is no part of it, as in a file."""
    try:
        return base64.b64decode(data, validate=True).decode().removesuffix("\n").removesuffix("\r")
    except (binascii.Error, UnicodeDecodeError):
        return None
