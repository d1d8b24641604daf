"""Clocks: how far this machine's is from those of the services that it compares times with."""

import base64
import json
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.patient import Patient
from connectory_cli.doctor.postgres import database_facts, is_postgres

__all__ = ["clocks"]

_WORTH_KNOWING = 2.0
_EARLIEST = 1_750_000_000
_CHECK = "let both machines keep their time by NTP"


def clocks(patient: Patient) -> Iterator[Finding]:
    """Against the databases of ledger and store, the issuer of tokens, and the server's own metrics endpoint."""
    found = [*_databases(patient), *_over_http(patient), *_own_token(patient)]
    if time.time() < _EARLIEST:
        found.append(fail("clock", f"this machine's clock says {time.strftime('%Y-%m-%d %H:%M')}", "set it"))
    yield from found or [ok("clock", "there is no other clock here to compare this machine's with")]


def _databases(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    ledger = "" if settings is None else settings.ledger
    for about, url in (
        ("clock of the ledger's database", ledger),
        ("clock of the store's database", patient.places.store),
    ):
        if is_postgres(url):
            facts = database_facts(url, patient.wait)
            if facts.ahead is not None:
                # The lease of replicas is by the database's clock alone; only what people read differs.
                yield _judged(about, facts.ahead, 60.0)


def _over_http(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    if settings is None:
        return
    places = []
    if settings.jwt_jwks and settings.jwt_jwks.startswith(("http://", "https://")):
        places.append(("jwt_jwks", settings.jwt_jwks, settings.jwt_leeway))
    if settings.metrics_address and not patient.address:
        places.append(("metrics_address", f"http://{_callable(settings.metrics_address)}/metrics", 60.0))
    for about, url, bearable in places:
        try:
            begun = time.time()
            answer = httpx.get(url, timeout=patient.wait, trust_env=about == "jwt_jwks")
            middle = (begun + time.time()) / 2
        except httpx.HTTPError as error:
            if about == "jwt_jwks":
                yield fail(
                    about, f"{url} cannot be fetched: {error}", "without it no token can be checked; mend the way"
                )
            continue
        if about == "jwt_jwks":
            yield _keys(url, answer)
        if "date" in answer.headers:
            # The header counts whole seconds.
            ahead = parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5 - middle
            yield _judged(f"clock of {url}", ahead, bearable)


def _keys(url: str, answer: httpx.Response) -> Finding:
    try:
        count = len(answer.raise_for_status().json()["keys"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return fail("jwt_jwks", f"{url} gives no keys: {error}", "name the URL of a JWKS")
    return ok("jwt_jwks", f"{url} gives {count} keys")


def _own_token(patient: Patient) -> Iterator[Finding]:
    """When our own token is a signed one: whether it is good now."""
    if patient.reach is None or patient.reach.token is None:
        return
    token = patient.reach.token.metadata()[0][1].removeprefix("Bearer ")
    claims = _claims(token)
    now = time.time()
    if (ends := claims.get("exp")) is not None:
        if ends < now:
            yield fail("our token", f"it expired {now - ends:.0f} seconds ago", "get a new one, or set the clock")
        else:
            yield ok("our token", f"it is good for {ends - now:.0f} seconds")
    begins = max((float(claims[name]) for name in ("iat", "nbf") if name in claims), default=now)
    if begins > now + _WORTH_KNOWING:
        yield warn("our token", f"it was issued {begins - now:.0f} seconds in the future", _CHECK)


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return {name: value for name, value in claims.items() if isinstance(value, int | float)}


def _judged(about: str, ahead: float, bearable: float) -> Finding:
    difference = f"it is {abs(ahead):.1f} seconds {'ahead of' if ahead > 0 else 'behind'} this machine's"
    if abs(ahead) > bearable:
        return fail(about, difference, _CHECK)
    if abs(ahead) > _WORTH_KNOWING:
        return warn(about, difference, _CHECK)
    return ok(about, difference)


def _callable(address: str) -> str:
    return address.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:")
