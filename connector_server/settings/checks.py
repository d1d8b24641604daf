"""Whether settings that are each fine fit together. Each check raises a `SettingsError` that names the remedy."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Meta

from connector_server.settings.access import Access
from connector_server.settings.listening import Listening
from connector_server.settings.refusals import unusable
from connectory.connector.secret_rules import SecretRules
from connectory.errors import SettingsError
from connectory.rpc.access.wanted import demands_tokens
from connectory.rpc.addresses import Address, parse_address

__all__ = ["check_addresses", "check_metrics", "check_reach", "check_secrets", "check_sockets", "check_tls"]


_HIGHEST_PORT: Final = 65535
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})


def check_addresses(settings: Listening, meanings: Mapping[str, Meta]) -> None:
    """Every address can be read."""
    given = [("addresses", address) for address in settings.addresses]
    given += [("metrics_address", settings.metrics_address)] if settings.metrics_address is not None else []
    for name, address in given:
        try:
            parse_address(address)
        except ValueError as error:
            raise unusable(f"{error} - at `$.{name}`", {name: address}, meanings) from None


def check_metrics(settings: Listening, addresses: Sequence[Address]) -> None:
    """Every worker has a port of its own for its metrics, which exists and is no port of calls."""
    first = None if settings.metrics_address is None else parse_address(settings.metrics_address)
    if first is None or not first.port:
        return
    last = first.port + settings.workers - 1
    many = (
        f"metrics_address={str(first)!r} cannot be used with workers={settings.workers}: " if last > first.port else ""
    )
    if last > _HIGHEST_PORT:
        raise SettingsError(
            f"{many}port {last} of the last one does not exist; use {first.port - last + _HIGHEST_PORT}"
        )
    for address in addresses:
        if first.port <= address.port <= last and _share_ports(first.host, address.host):
            told = many or f"metrics_address={str(first)!r} cannot be used: "
            raise SettingsError(f"{told}addresses={str(address)!r} has port {address.port} already; choose another one")


def _share_ports(one: str, other: str) -> bool:
    return one == other or not _EVERYWHERE.isdisjoint((one, other))


def check_secrets(settings: Access) -> None:
    """What is said about secrets can be read."""
    SecretRules(settings.secrets_allow)


def check_sockets(settings: Listening) -> None:
    """A unix socket has one process."""
    if settings.uds and settings.workers > 1:
        raise SettingsError(
            f"uds={str(settings.uds[0])!r} cannot be used with workers={settings.workers}: a unix socket belongs to one"
            " process; leave uds out and use addresses, or set workers to 1"
        )


def check_tls(settings: Access) -> None:
    """A certificate comes with its key, and the files can be read."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        missing, given = ("tls_key", "tls_cert") if settings.tls_key is None else ("tls_cert", "tls_key")
        raise SettingsError(f"{given}={str(getattr(settings, given))!r} needs {missing} beside it; set {missing} too")
    if settings.tls_client_ca and not settings.tls_cert:
        raise SettingsError(
            f"tls_client_ca={str(settings.tls_client_ca)!r} needs a server certificate; set tls_cert and tls_key too"
        )
    for name in ("tls_cert", "tls_key", "tls_client_ca"):
        path = getattr(settings, name)
        if path is not None and not os.access(path, os.R_OK):
            raise SettingsError(f"{name}={str(path)!r} cannot be read; name a PEM file that this user may read")


def check_reach(settings: Access, addresses: Sequence[Address]) -> None:
    """Whoever can reach the server from elsewhere is asked who they are."""
    if settings.insecure_public or settings.tls_client_ca:
        return
    by_token = demands_tokens(settings)
    if by_token and settings.tls_cert:
        return
    for address in addresses:
        if not address.is_loopback:
            remedy = (
                "set tls_cert and tls_key, because tokens in plain text can be read on the way"
                if by_token
                else "set tls_cert and tls_key with tls_client_ca, tokens or jwt_jwks"
            )
            raise SettingsError(
                f"addresses={str(address)!r} can be reached from other machines without"
                f" {'encryption' if by_token else 'credentials'}; {remedy}, listen on 127.0.0.1, or accept the risk"
                " with insecure_public"
            )
