"""What a ledger promises, and the errors that every ledger answers alike."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from connectory.connector.creations import Creation
from connectory.errors import AlreadyExistsError, AmbiguousError

__all__ = ["Create", "Find", "Ledger", "already_exists", "retrieve", "unknown_outcome"]

Create = Callable[[], Awaitable[bytes]]
"""Creates the job and gives its handle. An error means that there is no job; an `AmbiguousError`, that nobody knows."""

Find = Callable[[], Awaitable[bytes | None]]
"""Looks for a job that was created under the key; None: there certainly is none."""


class Ledger(Protocol):
    """Remembers creates by key, so that each happens once."""

    async def once(self, creation: Creation, create: Create, find: Find | None = None) -> bytes:
        """The handle of the one job of this key: created now, being created by somebody else, or created earlier.

        Obligations:

        * `create` runs at most once per key at any time, however many callers wait; all of them get its outcome.
        * It runs in a task of its own: a caller that goes away does not stop it, and its handle is stored all the same.
        * The intent is stored before `create` starts; when it cannot be, `create` does not start and the caller gets an
          `UnavailableError`.
        * The same key with another content is an `AlreadyExistsError` that names the parts that differ.
        * A create that ended with an error is forgotten, and the same key may be tried again. After an `AmbiguousError`
          it is not: the key stays ambiguous until a later call brings a `find` that settles it.
        * An intent whose process is gone is settled by `find`: what it finds is the job, and None means create. Without
          `find` the key is ambiguous.
        """
        ...

    async def aclose(self) -> None:
        """Wait for the creates under way, then release what is held."""
        ...


def retrieve(flight: "asyncio.Task[bytes]") -> None:
    """Take note of a create's failure, so that one whose callers are all gone is not reported as forgotten."""
    if not flight.cancelled():
        flight.exception()


def already_exists(creation: Creation, earlier: Mapping[str, str]) -> AlreadyExistsError | None:
    """The error for a key that was used before with another content; None when the content is the same."""
    different = creation.differences(earlier)
    if not different:
        return None
    return AlreadyExistsError(
        f"the idempotency key {creation.key!r} was used before with another request; different: {', '.join(different)}",
        fields=dict.fromkeys(different, "differs from the earlier request with this key"),
    )


def unknown_outcome(key: str, sentence: str) -> AmbiguousError:
    """The error for a key of which nobody can say whether its job exists."""
    return AmbiguousError(f"whether the job of key {key!r} was created cannot be known: {sentence}")
