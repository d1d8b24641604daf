"""What a ledger promises, and the errors that every ledger answers alike."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol

from connectory.connector.creations import Creation
from connectory.connector.ledger.records import JobCount, JobQuery, JobRecord, Poll
from connectory.errors import AlreadyExistsError, AmbiguousError, InvalidTaskError, UserError

__all__ = [
    "LONGEST_KEY",
    "Create",
    "Find",
    "Ledger",
    "Undo",
    "already_exists",
    "check_key",
    "deleted_before",
    "retrieve",
    "unknown_outcome",
]

LONGEST_KEY: Final = 2000
"""In bytes."""

Create = Callable[[], Awaitable[bytes]]
"""Creates the job and gives its handle. An error means that there is no job; an `AmbiguousError`, that nobody knows."""

Find = Callable[[], Awaitable[bytes | None]]
"""Looks for a job that was created under the key; None: there certainly is none."""

Undo = Callable[[bytes], Awaitable[None]]
"""Deletes the job of a handle, with patience. An error means that it is not confirmed."""


class Ledger(Protocol):
    """Remembers creates by key, so that each happens once, and the jobs that came of them, so that none is forgotten.

    Every method that cannot read or write what is remembered raises an `UnavailableError`.
    """

    def once(
        self, creation: Creation, create: Create, find: Find | None = None, undo: Undo | None = None
    ) -> Coroutine[Any, Any, bytes]:
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
        * A job that was doomed while it was being created is ended by `undo` as soon as it is there. So is one that
          another process created too, because this one was taken for dead.
        * A key that was doomed before anything was created under it is refused with a `UserError`.
        """
        ...

    async def doom(self, key: str, category: str = "") -> JobRecord:
        """Ask for the deletion of the key's job, and answer how it stands now.

        A key that was never used is DELETED at once, so that a create of this category (empty: of any) which arrives
        late finds it closed. A job that is
        being created is ended by whoever creates it. One that has a handle is DELETING until `confirm` is called.
        """
        ...

    async def doom_handle(self, handle: bytes) -> JobRecord | None:
        """The same for a job that is known by its handle; None when it is not remembered as open."""
        ...

    async def doom_lapsed(self, key: str) -> bool:
        """The same, and True, when the job's lease has run out by now; else False and nothing changes."""
        ...

    async def confirm(self, key: str, handle: bytes) -> None:
        """Remember that the job of this key and handle is deleted."""
        ...

    async def resolve(self, record: JobRecord, find: Find | None) -> None:
        """Settle a create whose outcome nobody knows, as `once` would, but without creating anything.

        Nothing happens when its process lives. What `find` finds is the job; None forgets the key, or closes it when it
        was doomed. Without `find` it is ambiguous.
        """
        ...

    async def decide(self, key: str, handle: bytes | None) -> bool:
        """Take a person's word for an ambiguous key: its job has this handle, or there is none (None).

        None forgets the key, or closes it when it was doomed. False when the key is not ambiguous.
        """
        ...

    async def changed(self, key: str, timeout: float) -> None:
        """Return when the key's record may have changed, after `timeout` seconds at the latest."""
        ...

    async def note(self, polls: Sequence[Poll]) -> None:
        """Renew the leases of jobs that were polled, and remember which of them ended. Unknown ones are left out."""
        ...

    async def job(self, key: str) -> JobRecord | None:
        """What is known of this key; None: nothing."""
        ...

    async def jobs(self, query: JobQuery) -> Sequence[JobRecord]:
        """The jobs that fit."""
        ...

    async def count(self) -> JobCount:
        """How many jobs are open."""
        ...

    async def due(self, categories: Collection[str], *, up_for: float, limit: int) -> Sequence[JobRecord]:
        """Jobs of these categories that a reaper must look at now; no other reaper gets them for a minute.

        They are those whose lease ran out, whose deletion is not confirmed, and whose outcome nobody knows. Leases
        longer than `up_for` seconds are left out: so long there has been somebody who could have answered a poll.
        """
        ...

    async def put_off(self, key: str, seconds: float) -> bool:
        """Keep a job from reapers for a while; True when it is the first time since its lease ran out."""
        ...

    async def identity(self) -> str:
        """What this ledger is known by: the same for all that share its database, over restarts, and for no other one.

        Empty: it is one in memory, and ends with its process.
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


def deleted_before(key: str) -> UserError:
    """The error for a create that comes after the deletion of its key."""
    return UserError(
        f"the job of key {key!r} was deleted before it was created; a new attempt needs a new key", reason="DELETED"
    )


def check_key(key: str) -> None:
    """Refuse a key that cannot be stored, or would take much room for ever, with an `InvalidTaskError`."""
    sentence = ""
    if "\0" in key:
        sentence = "it holds a NUL character"
    elif len(key.encode()) > LONGEST_KEY:
        sentence = f"it has {len(key.encode())} bytes, and {LONGEST_KEY} are possible"
    if sentence:
        raise InvalidTaskError(f"the idempotency key cannot be used: {sentence}", fields={"idempotency_key": sentence})
