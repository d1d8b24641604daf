"""The stable words for why a caller was not let in; connectors have words of their own for systems behind them."""

from typing import Final

__all__ = ["NOT_LET_IN", "NO_TOKEN", "SCOPE_MISSING", "TOKEN_REFUSED"]

NO_TOKEN: Final = "NO_TOKEN"
"""The call brought no bearer token."""
TOKEN_REFUSED: Final = "TOKEN_REFUSED"
"""The call's token is not known, has expired, or was not signed by whom it must be."""
SCOPE_MISSING: Final = "SCOPE_MISSING"
"""The token is good, and does not allow this."""
NOT_LET_IN: Final = frozenset({NO_TOKEN, TOKEN_REFUSED, SCOPE_MISSING})
"""All of them: the request was not looked at."""
