"""The jobs that are open, of which there may be so many."""

from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Slots"]


class Slots:
    """Counts the jobs of one credential that were created here and are not known to be over.

    One that nobody asked about for `unseen` seconds is counted no more, and told to `lapsed`: it may have ended where
    another replica was asked.
    """

    __slots__ = ("_being_created", "_lapsed", "_seen", "_unseen", "limit")

    def __init__(self, limit: int | None, unseen: float, lapsed: Callable[[bytes], object]) -> None:
        self.limit = limit
        """None: they are only counted, so that a limit which is set later knows of them."""
        self._unseen = unseen
        self._lapsed = lapsed
        self._being_created = 0
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    @property
    def taken(self) -> int:
        """How many there are, those that are being created included."""
        return self._being_created + len(self._seen)

    def has_room(self, now: float) -> bool:
        """Whether there may be one more."""
        while self._seen and next(iter(self._seen.values())) + self._unseen < now:
            self._lapsed(self._seen.popitem(last=False)[0])
        return self.limit is None or self.taken < self.limit

    def reserve(self) -> None:
        """One is being created."""
        self._being_created += 1

    def release(self) -> None:
        """One that was being created is not there."""
        self._being_created -= 1

    def opened(self, handle: bytes, now: float) -> None:
        """One that was being created is there."""
        self._being_created -= 1
        self.seen(handle, now)

    def seen(self, handle: bytes, now: float) -> None:
        """Somebody asked about one that is counted."""
        self._seen[handle] = now
        self._seen.move_to_end(handle)

    def ended(self, handle: bytes) -> None:
        """One is over."""
        self._seen.pop(handle, None)
