"""Which config and handle class a connector was written for, read from its type arguments."""

from typing import Any, Generic, TypeVar, get_args, get_origin

__all__ = ["type_argument"]


def type_argument(cls: type, base: type, index: int) -> Any:
    """What `cls` gives for the parameter `index` of its generic ancestor `base`; None when it gives nothing."""
    arguments = _arguments(cls, base)
    if arguments is None or index >= len(arguments) or isinstance(arguments[index], TypeVar):
        return None
    return arguments[index]


def _arguments(cls: type, base: type) -> tuple[Any, ...] | None:
    for parent in getattr(cls, "__orig_bases__", ()) if "__orig_bases__" in vars(cls) else cls.__bases__:
        origin = get_origin(parent) or parent
        if origin is base:
            return get_args(parent)
        if origin is Generic or not isinstance(origin, type) or not issubclass(origin, base):
            continue
        found = _arguments(origin, base)
        if found is not None:
            filled = dict(zip(getattr(origin, "__parameters__", ()), get_args(parent), strict=False))
            return tuple(filled.get(argument, argument) for argument in found)
    return None
