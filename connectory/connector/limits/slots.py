"""The jobs that are open, of which there may be so many."""

from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Slots"]


class Slots:
    """Counts the jobs of one credential that were created here and are not known to be over.

    One that nobody asked about for `lease` seconds is counted no more, and told to `lapsed`; 0: it counts until it
    ends.
    """

    __slots__ = ("_being_created", "_lapsed", "_lease", "_seen", "limit")

    def __init__(self, limit: int, lease: float = 0.0, lapsed: Callable[[bytes], object] = bytes) -> None:
        self.limit = limit
        self._lease = lease
        self._lapsed = lapsed
        self._being_created = 0
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    @property
    def taken(self) -> int:
        """How many there are, those that are being created included."""
        return self._being_created + len(self._seen)

    def has_room(self, now: float) -> bool:
        """Whether there may be one more."""
        while self._lease and self._seen and next(iter(self._seen.values())) + self._lease < now:
            self._lapsed(self._seen.popitem(last=False)[0])
        return self.taken < self.limit

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
