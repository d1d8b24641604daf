"""Families of libraries that are loaded when an annotation or value of the library's own types appears."""

import importlib
import threading
import typing
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from connectory.errors import RegistryError, TypeConversionError
from connectory.types.transformer import TypeTransformer

__all__ = ["ENTRY_POINTS", "Adaptable", "LazyFamilies", "brought", "installed_transformers", "libraries_of"]

ENTRY_POINTS: Final = "connectory.types"
"""The group of entry points that offer transformers: an instance, a class, or a callable without arguments, which gives
one or an iterable of them."""


class Adaptable(Protocol):
    """Something that is no `TypeTransformer` but can be made one."""

    def adapted(self) -> TypeTransformer:
        """The transformer."""


class LazyFamilies:
    """Modules by the library that they convert. A module is loaded once, when a type of its library is looked for.

    Such a module has `TRANSFORMERS`, the transformer classes of the family. Shared by threads.
    """

    def __init__(self, homes: dict[str, str] | None = None, *, entry_points: bool = False) -> None:
        self._homes = dict(homes or {})
        self._installed = entry_points
        self._lock = threading.RLock()

    def load_for(self, annotation: Any, register: Callable[[TypeTransformer], None]) -> bool:
        """Register the families of the libraries that the annotation's class comes from; whether there were any."""
        if not self._homes:
            return False
        with self._lock:
            wanted = [name for name in libraries_of(annotation) if name in self._homes]
            for name in wanted:
                for family in _load(name, self._homes[name]):
                    register(family())
                del self._homes[name]
        return bool(wanted)

    def load_installed(self, register: Callable[[TypeTransformer], None]) -> bool:
        """Register what other distributions offer by entry point, the first time; whether this was the first time."""
        with self._lock:
            if not self._installed:
                return False
            self._installed = False
            for transformer in installed_transformers():
                register(transformer)
        return True


def _load(library: str, home: str) -> Iterable[type[TypeTransformer]]:
    try:
        return importlib.import_module(home).TRANSFORMERS  # type: ignore[no-any-return]
    except ImportError as error:
        raise TypeConversionError(
            f"types of {library} cannot be converted here: {error}; pip install 'connectory[dataframes]' has "
            "what tables and arrays need"
        ) from error


def libraries_of(annotation: Any) -> list[str]:
    """The top-level packages that define the annotation's class and its bases, the nearest first."""
    owner = typing.get_origin(annotation) or annotation
    bases = owner.__mro__ if isinstance(owner, type) else ()
    return list(dict.fromkeys(str(base.__module__).partition(".")[0] for base in bases))


def installed_transformers() -> Iterable[TypeTransformer]:
    """The transformers that the installed distributions offer. One that cannot be loaded is a `RegistryError`."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - costs much at import, and is needed seldom

    for entry in entry_points(group=ENTRY_POINTS):
        try:
            offered = entry.load()
            yield from _transformers(offered)
        except Exception as error:  # whatever foreign code raises
            raise RegistryError(
                f"the transformers of entry point {entry.name!r} ({entry.value}) cannot be loaded: "
                f"{type(error).__name__}: {error}"
            ) from error


def brought(extras: Iterable[Any]) -> TypeTransformer | None:
    """The transformer that an annotation brings with it: `Annotated[T, MyTransformer()]`."""
    for extra in extras:
        if isinstance(extra, TypeTransformer):
            return extra
        if hasattr(extra, "adapted") and not isinstance(extra, type):
            return extra.adapted()  # type: ignore[no-any-return]
    return None


def _transformers(offered: Any) -> Iterable[TypeTransformer]:
    if isinstance(offered, TypeTransformer):
        return [offered]
    if hasattr(offered, "adapted") and not isinstance(offered, type):
        return [offered.adapted()]
    if callable(offered):
        return _transformers(offered())
    if isinstance(offered, Iterable):
        return [transformer for part in offered for transformer in _transformers(part)]
    raise TypeError(f"expected a TypeTransformer, or a class, callable or iterable that gives some, got {offered!r}")
