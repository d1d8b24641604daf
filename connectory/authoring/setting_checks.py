"""That the settings of a task are what they should be, said where they are written and not where they are used."""

from collections.abc import Iterable, Mapping
from typing import Any

from connectory.authoring.location import authoring_error

__all__ = ["require", "require_each", "require_texts"]


def require(owner: str, name: str, value: Any, *kinds: type) -> Any:
    """The value, which is None or of one of these kinds."""
    if value is None or isinstance(value, kinds):
        return value
    raise _wrong(owner, name, value, kinds)


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
    return dict(values)


def _wrong(owner: str, name: str, value: Any, kinds: tuple[type, ...]) -> Exception:
    wanted = " or ".join("a text" if kind is str else f"a {kind.__name__}" for kind in kinds)
    return authoring_error(f"{name} of '{owner}' is {value!r}; give {wanted}")
