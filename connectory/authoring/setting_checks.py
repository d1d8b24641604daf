"""That the settings of a task are what they should be, said where they are written and not where they are used."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from connectory.authoring.location import authoring_error

__all__ = ["require", "require_count", "require_each", "require_texts"]

_MOST: Final = 2**32 - 1


def require(owner: str, name: str, value: Any, *kinds: type) -> Any:
    """The value, which is None or of one of these kinds."""
    if value is not None and not isinstance(value, kinds):
        raise _wrong(owner, name, value, kinds)
    _require_characters(owner, name, value)
    return value


def require_count(owner: str, name: str, value: Any, *, least: int = 0) -> Any:
    """The value, which is None or a whole number that a message can hold."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST):
        return value
    raise authoring_error(f"{name} of '{owner}' is {value!r}; give a whole number from {least} to {_MOST}")


def require_each(owner: str, name: str, values: Any, *kinds: type) -> tuple[Any, ...]:
    """The values, each of one of these kinds; None stands for none of them."""
    if values is None:
        return ()
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise authoring_error(f"{name} of '{owner}' is {values!r}; it is a list")
    found = tuple(values)
    for value in found:
        if not isinstance(value, kinds):
            raise _wrong(owner, f"a member of {name}", value, kinds)
        _require_characters(owner, f"a member of {name}", value)
    return found


def require_texts(owner: str, name: str, values: Any) -> dict[str, str]:
    """The mapping, of texts to texts; None stands for an empty one."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise authoring_error(f"{name} of '{owner}' is {values!r}; it is a dict of texts")
    for key, value in values.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise authoring_error(f"{name} of '{owner}' has {key!r}: {value!r}; keys and values are texts")
        for word in (key, value):
            _require_characters(owner, name, word)
    return dict(values)


def _require_characters(owner: str, name: str, value: Any) -> None:
    if not isinstance(value, str):
        return
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise authoring_error(
            f"{name} of '{owner}' is {value!r}, which is no text of Unicode: {error.reason}"
        ) from error


def _wrong(owner: str, name: str, value: Any, kinds: tuple[type, ...]) -> Exception:
    wanted = " or ".join("a text" if kind is str else f"a {kind.__name__}" for kind in kinds)
    return authoring_error(f"{name} of '{owner}' is {value!r}; give {wanted}")
