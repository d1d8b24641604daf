"""From settings to who is let in."""

from connectory.errors import SettingsError
from connectory.rpc.access.bearer import Access, Lookup
from connectory.rpc.access.tokens import TokenFile
from connectory.rpc.access.wanted import AccessSettings

__all__ = ["open_access"]


def open_access(settings: AccessSettings) -> Access | None:
    """Who is let in; None: everybody. A `SettingsError` names a file that cannot be used."""
    file = None if settings.tokens is None else TokenFile(settings.tokens)
    signed = _signed_tokens(settings)
    return None if file is None and signed is None else Access(file=file, signed=signed)


def _signed_tokens(settings: AccessSettings) -> Lookup | None:
    if settings.jwt_jwks is None:
        return None
    try:
        # Optional: only who lets callers in by signed tokens needs the library that checks signatures.
        from connectory.rpc.access.jwt_tokens import JwtTokens, keys_at  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            f"jwt_jwks={settings.jwt_jwks!r} needs {error.name}, which is not installed; install connectory[jwt]"
        ) from None
    tokens = JwtTokens(
        keys_at(settings.jwt_jwks),
        issuer=settings.jwt_issuer or "",
        audience=settings.jwt_audience or "",
        leeway=settings.jwt_leeway,
    )
    return tokens.caller
