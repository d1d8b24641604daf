"""Who calls, by the bearer token in a call's metadata."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from connectory.errors import PermissionDeniedError, UnauthenticatedError
from connectory.rpc.access.reasons import NO_TOKEN, SCOPE_MISSING
from connectory.rpc.access.scopes import Caller
from connectory.rpc.access.tokens import TokenFile
from connectory.rpc.handlers import CallContext

__all__ = ["Access", "Lookup"]

Lookup: TypeAlias = Callable[[str], Awaitable[Caller]]
"""Finds the caller of a signed token; an `UnauthenticatedError` when it is not good."""


class Access:
    """Lets in whoever brings a token that `file` lists or `signed` accepts, and no one else."""

    def __init__(self, *, file: TokenFile | None = None, signed: Lookup | None = None) -> None:
        self._file = file
        self._signed = signed

    async def caller(self, context: CallContext) -> Caller:
        """Who calls, or an `UnauthenticatedError`."""
        token = _token(context.invocation_metadata() or ())
        if self._signed is not None and (self._file is None or token.count(".") == 2):
            return await self._signed(token)
        if self._file is None:
            raise UnauthenticatedError("nobody is let in: neither a file of tokens nor an issuer is set")
        return self._file.caller(token)

    def allow(self, caller: Caller, operation: str, task_type: str) -> None:
        """Raise a `PermissionDeniedError` when no scope of the caller allows it; task type "*" means all of them."""
        if not caller.may(operation, task_type):
            raise PermissionDeniedError(
                f"{caller.name} may not {operation} tasks of type {task_type!r}; its scopes: {caller.described()};"
                f" it needs {task_type}:{operation}",
                reason=SCOPE_MISSING,
            )


def _token(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    for key, value in metadata:
        if key == "authorization":
            scheme, _, token = (value.decode(errors="replace") if isinstance(value, bytes) else value).partition(" ")
            if scheme.lower() == "bearer" and token:
                return token.strip()
            sentence = "the call's `authorization` is no bearer token; send `Bearer TOKEN`"
            raise UnauthenticatedError(sentence, reason=NO_TOKEN)
    raise UnauthenticatedError("the call brings no token; send metadata `authorization: Bearer TOKEN`", reason=NO_TOKEN)
