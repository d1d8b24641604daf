"""What an execution may be called, and what things are called that are created for it."""

import hashlib
import re
from typing import Final

from connectory.errors import SettingsError

__all__ = ["SHORTEST_NAME", "generated_name", "require_execution_id"]

SHORTEST_NAME: Final = 8
"""So many characters a generated name needs to stay unique."""

_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_SIGNS: Final = _LETTERS + "0123456789"


def require_execution_id(name: str, *, called: str = "execution id") -> None:
    """Refuse a name that cannot be part of paths and keys; `called` is what its author knows it as."""
    if not _ALLOWED.fullmatch(name):
        raise SettingsError(
            f"{called} {name!r} cannot be used: it is part of paths and keys, so write 1 to 63 letters, digits, "
            "- and _, and begin with a letter or digit"
        )


def generated_name(key: str, limit: int | None) -> str:
    """A name for what is created for this key: always the same, and unlike that of any other key.

    It is the key where that is a name already (lower-case letters, digits and dashes, beginning with a letter and not
    ending with a dash) of at most `limit` characters, at least 8; otherwise as much of it as there is room for, and a
    fingerprint.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")
    if plain == key and plain[:1].isalpha() and (limit is None or len(plain) <= limit):
        return plain
    mark = _fingerprint(key, SHORTEST_NAME)
    room = len(plain) if limit is None else limit - SHORTEST_NAME - 1
    start = plain[: max(0, room)].strip("-")
    if start and not start[0].isalpha():
        start = f"n{start}"[: max(0, room)].strip("-") if limit is not None else f"n{start}"
    return f"{start}-{mark}" if start else mark


def _fingerprint(key: str, length: int) -> str:
    """So many letters and digits, the first one a letter, that follow from the key."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest(), "big")
    number, first = divmod(number, len(_LETTERS))
    signs = [_LETTERS[first]]
    for _ in range(length - 1):
        number, sign = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[sign])
    return "".join(signs)
