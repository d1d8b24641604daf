"""A token bucket: so many per second in the long run, and some at once after a pause."""

from typing import Self

__all__ = ["TokenBucket"]

_WHOLE = 1.0 - 1e-9


class TokenBucket:
    """Full at first. Times are seconds of a clock that never goes back; the caller reads it."""

    __slots__ = ("_at", "_burst", "_tokens", "rate")

    def __init__(self, rate: float, burst: int | None = None) -> None:
        self.rate = rate
        self._burst = max(1.0, rate) if burst is None else float(burst)
        self._tokens = self._burst
        self._at = 0.0

    @classmethod
    def empty(cls, rate: float, burst: int | None, now: float) -> Self:
        """One for whom was not limited until now: what it did before is not known, so nothing may come at once."""
        bucket = cls(rate, burst)
        bucket._tokens, bucket._at = 0.0, now
        return bucket

    def change(self, rate: float, burst: int | None, now: float) -> None:
        """Fill at another rate from now on. What was taken stays taken: a change never lets more through at once."""
        self._fill(now)
        self.rate = rate
        self._burst = max(1.0, rate) if burst is None else float(burst)
        self._tokens = min(self._tokens, self._burst)

    def delay(self, now: float) -> float:
        """Seconds until there is a token; 0: there is one."""
        self._fill(now)
        return 0.0 if self._tokens >= _WHOLE else (1.0 - self._tokens) / self.rate

    def take(self, now: float) -> None:
        """Take a token. There must be one."""
        self._fill(now)
        self._tokens -= 1.0

    def is_full(self, now: float) -> bool:
        """Whether it is as it was at first."""
        self._fill(now)
        return self._tokens >= self._burst

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self.rate)
            self._at = now
