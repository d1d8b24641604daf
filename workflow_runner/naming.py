"""What an execution may be called."""

import re

from connectory.errors import SettingsError

__all__ = ["require_execution_id"]

_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


def require_execution_id(name: str, *, called: str = "execution id") -> None:
    """Refuse a name that cannot be part of paths and keys; `called` is what its author knows it as."""
    if not _ALLOWED.fullmatch(name):
        raise SettingsError(
            f"{called} {name!r} cannot be used: it is part of paths and keys, so write 1 to 63 letters, digits, "
            "- and _, and begin with a letter or digit"
        )
