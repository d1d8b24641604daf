"""Who calls where nobody needs a token: the name in the client's certificate."""

from typing import Final

from connectory.rpc.access.scopes import Caller
from connectory.rpc.handlers import CallContext

__all__ = ["UNKNOWN", "certified"]

UNKNOWN: Final = Caller("-")


def certified(context: CallContext) -> Caller:
    """The caller by its client certificate; `UNKNOWN` when it shows none."""
    names = context.auth_context().get("x509_common_name") or ()
    return next((Caller(name.decode(errors="replace")) for name in names), UNKNOWN)
