"""Write the stubs of the packages that load their names on first use, for type checkers and editors.

`stubs.py` writes them; `stubs.py check` ends with 1 when one is not what would be written.
"""

import sys
from importlib import import_module
from pathlib import Path

from connectory.surface import PACKAGES

__all__ = ["stub"]

ROOT = Path(__file__).parents[1]
HEAD = "# Written by tools/stubs.py from connectory/surface.py.\n"


def stub(package: str) -> str:
    """The text of a package's stub."""
    homes = [(module, name) for homes in PACKAGES[package] for module, names in homes.items() for name in names]
    ordered = sorted(homes, key=lambda home: (home[0], _rank(home[1]), home[1]))
    imports = "".join(f"from {module} import {name} as {name}\n" for module, name in ordered)
    return f'{HEAD}"""{import_module(package).__doc__}"""\n\n{imports}'


def _rank(name: str) -> int:
    """Constants before classes before functions, as the linter orders imports."""
    return 0 if name.isupper() else 1 if name[0].isupper() else 2


def _path(package: str) -> Path:
    return ROOT.joinpath(*package.split("."), "__init__.pyi")


def main(words: list[str]) -> int:
    texts = {_path(package): stub(package) for package in PACKAGES}
    if words != ["check"]:
        for path, text in texts.items():
            path.write_text(text)
        return 0
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        sys.stderr.write(f"{path.relative_to(ROOT)} is not what connectory/surface.py says: run make stubs\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
