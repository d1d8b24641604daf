"""Signed bearer tokens (JWT), checked against an issuer's public keys (JWKS). Imported only when they are wanted."""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

import jwt

from connectory.connector.pools import BoundedPool
from connectory.errors import SettingsError, UnauthenticatedError, UnavailableError
from connectory.rpc.access.reasons import TOKEN_REFUSED
from connectory.rpc.access.scopes import Caller, Scope, parse_scope

__all__ = ["JwtTokens", "KeySource", "keys_at"]

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a public key only: a shared secret would let every server make tokens."""
_REMEMBERED: Final = 10_000
_THREADS: Final = 4
"""So many tokens are checked at once, in threads of their own: an issuer who does not answer holds up nobody else."""
_LINE: Final = 256
"""So many tokens at most wait to be checked."""


class KeySource(Protocol):
    """Where the public keys of tokens come from."""

    def get_signing_key_from_jwt(self, token: str) -> Any:
        """The key that a token names; raises `jwt.PyJWTError` when there is none."""
        ...


class _Settled:
    __slots__ = ("caller", "until")

    def __init__(self, caller: Caller, until: float) -> None:
        self.caller = caller
        self.until = until


class JwtTokens:
    """Callers by signed token: the name is its `sub`, the scopes are those of its `scope` or `scp` that are ours.

    `leeway` is by how many seconds the clocks of issuer and server may differ. A token that was found good is not
    checked again before it expires, or for five minutes at most.
    """

    def __init__(self, keys: KeySource, *, issuer: str, audience: str, leeway: float) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway
        self._settled: dict[str, _Settled] = {}
        self._threads = BoundedPool("jwt", _THREADS)
        self._checking: dict[str, asyncio.Task[Caller]] = {}

    async def caller(self, token: str) -> Caller:
        """Who has signed in with this token, or an `UnauthenticatedError` that says what is wrong with it."""
        settled = self._settled.get(token)
        if settled is not None and time.time() < settled.until:
            return settled.caller
        checking = self._checking.get(token)
        if checking is None:
            if len(self._checking) >= _LINE:
                raise UnavailableError("too many new tokens wait for the issuer's keys now; try again")
            checking = self._checking[token] = asyncio.create_task(self._settle(token))
            checking.add_done_callback(lambda ended: self._forget(token, ended))
        return await asyncio.shield(checking)

    def _forget(self, token: str, ended: "asyncio.Task[Caller]") -> None:
        del self._checking[token]
        if not ended.cancelled():
            ended.exception()  # which was told to whoever still waited

    async def _settle(self, token: str) -> Caller:
        claims = await self._threads.run(self._checked, token)
        caller = Caller(str(claims["sub"]), frozenset(_scopes(claims)))
        if len(self._settled) >= _REMEMBERED:
            self._settled.clear()
        self._settled[token] = _Settled(caller, min(float(claims["exp"]) + self._leeway, time.time() + 300))
        return caller

    def _checked(self, token: str) -> Mapping[str, Any]:
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(_ALGORITHMS),
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError:
            raise UnavailableError("the issuer's keys cannot be fetched now; try again") from None
        except (json.JSONDecodeError, jwt.PyJWKSetError) as error:
            raise UnavailableError(f"what is at the place of the issuer's keys cannot be used: {error}") from None
        except jwt.PyJWTError as error:
            raise UnauthenticatedError(f"the bearer token is refused: {error}", reason=TOKEN_REFUSED) from None
        return claims


def keys_at(place: str) -> KeySource:
    """The keys at a URL, fetched when a token names one that is not known, or in a file."""
    if place.startswith(("http://", "https://")):
        return jwt.PyJWKClient(place, cache_keys=True, lifespan=300, timeout=10)
    return _KeyFile(place)


class _KeyFile:
    """The keys of a JWKS file, read for each token that is not known yet: they can be exchanged at any time."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._keys()
        except (OSError, ValueError, jwt.PyJWTError) as error:
            raise SettingsError(f"jwt_jwks={path!r} cannot be used: {error}; name a URL or a JWKS file") from None

    def _keys(self) -> jwt.PyJWKSet:
        with open(self._path, encoding="utf-8") as file:
            keys = json.load(file)
        if not isinstance(keys, dict):
            raise ValueError(f"it holds a {type(keys).__name__}, not an object")
        return jwt.PyJWKSet.from_dict(keys)

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        wanted = jwt.get_unverified_header(token).get("kid")
        try:
            known = self._keys().keys
        except (OSError, ValueError, jwt.PyJWTError) as error:
            raise UnavailableError(f"the issuer's keys cannot be read now: {error}") from None
        for key in known:
            if wanted is None or key.key_id == wanted:
                return key
        raise jwt.PyJWKClientError(f"no key {wanted!r} is known")


def _scopes(claims: Mapping[str, Any]) -> list[Scope]:
    said = claims.get("scope") or claims.get("scp") or ()
    words = said.split() if isinstance(said, str) else said
    return [parse_scope(word) for word in words if isinstance(word, str) and word.count(":") == 1 and _is_ours(word)]


def _is_ours(word: str) -> bool:
    """Tokens carry other programs' scopes, too; they are passed over."""
    try:
        parse_scope(word)
    except ValueError:
        return False
    return True
