"""Packages whose names are loaded on first use, each from the module that defines it."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from connectory.surface import PACKAGES

__all__ = ["lazy_names"]


def lazy_names(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package that `connectory.surface` lists."""
    home_of = {name: module for homes in PACKAGES[package] for module, names in homes.items() for name in names}
    namespace = vars(sys.modules[package])

    def load(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = namespace[name] = getattr(import_module(home_of[name]), name)
        return value

    return load, lambda: sorted({*namespace, *home_of}), sorted(home_of)
