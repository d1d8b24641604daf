"""HTTP statuses as tasks write them."""

from collections.abc import Sequence

from connectory.errors import InvalidTaskError

__all__ = ["StatusSet"]


class StatusSet:
    """Numbers, and classes such as `5xx`. `field` is where the task writes them, for errors."""

    def __init__(self, entries: Sequence[int | str], *, field: str) -> None:
        self._ranges = [_range(entry, f"{field}[{index}]") for index, entry in enumerate(entries)]

    def __contains__(self, status: int) -> bool:
        return any(status in span for span in self._ranges)


def _range(entry: int | str, field: str) -> range:
    text = str(entry).lower()
    if len(text) == 3 and text[0] in "12345":
        if text.endswith("xx"):
            return range(int(text[0]) * 100, int(text[0]) * 100 + 100)
        if text.isdecimal():
            return range(int(text), int(text) + 1)
    problem = f"{entry!r} is neither a status (404) nor a class of statuses (4xx)"
    raise InvalidTaskError(f"{field}: {problem}", fields={field: problem})
