"""Python modules taken out of the interpreter, so that importing them runs their code anew, and put back if need be.

What holds on to a module that was taken out, such as an object of one of its classes, is not disturbed. Modules that
are not taken out are not run again: neither this project's nor the libraries that connectors use.
"""

import importlib
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Final

__all__ = ["put_back", "root_of", "take_out"]

_OURS: Final = frozenset({"connectory", "connectory_cli", "connector_server", "workflow_runner", "__main__"})
_MINUTE: Final = 60.0


def root_of(name: str) -> str:
    """What is taken out together with a module: "package" and all below it, or "/FOLDER" of a module without a package.

    A namespace that several distributions share is no package here. Empty: the module is never taken out.
    """
    parts = name.split(".")
    if parts[0] in _OURS:
        return ""
    for length in range(1, len(parts) + 1):
        prefix = ".".join(parts[:length])
        module = sys.modules.get(prefix)
        if module is None or getattr(module, "__file__", None):
            break
    if length == 1 and module is not None and not hasattr(module, "__path__"):
        return _folder_of(module) or prefix
    return prefix


def take_out(root: str, others: Set[str] = frozenset()) -> Mapping[str, ModuleType]:
    """Take out the modules of a root, without those of other roots; answers them by their names."""
    if not root:
        return {}
    taken = {name: sys.modules[name] for name in list(_modules_of(root, others))}
    for name, module in taken.items():
        del sys.modules[name]
        _drop_young_bytecode(module)
    importlib.invalidate_caches()
    return taken


def put_back(root: str, taken: Mapping[str, ModuleType], others: Set[str] = frozenset()) -> None:
    """Undo `take_out`, and what was imported meanwhile."""
    if not root:
        return
    for name in list(_modules_of(root, others)):
        del sys.modules[name]
    sys.modules.update(taken)


def _modules_of(root: str, others: Iterable[str]) -> Iterator[str]:
    packages = [one for one in others if one and not one.startswith(os.sep)]
    for name, module in sys.modules.items():
        if name.partition(".")[0] in _OURS:
            continue
        if root.startswith(os.sep):
            file = getattr(module, "__file__", None)
            if file and file.startswith(root + os.sep) and not any(_is_below(name, one) for one in packages):
                yield name
        elif _is_below(name, root):
            yield name


def _is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _folder_of(module: ModuleType) -> str:
    """The folder of a module by itself, whose neighbours are taken for its helpers; empty among installed packages."""
    folder = os.path.dirname(str(module.__file__))
    installed = {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    return "" if folder in installed or not os.path.isabs(folder) else folder


def _drop_young_bytecode(module: ModuleType) -> None:
    """Bytecode counts as current when its source has the second and the size that it had, even if it was edited since.

    So that of a source which was written shortly before it is dropped. Where that is not allowed nothing is edited.
    """
    with suppress(OSError, AttributeError, TypeError, NotImplementedError):
        source = Path(str(module.__file__))
        bytecode = Path(importlib.util.cache_from_source(str(source)))
        if bytecode.stat().st_mtime - source.stat().st_mtime < _MINUTE:
            bytecode.unlink()
