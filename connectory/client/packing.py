"""The Python code that a file of workflows consists of, as an archive."""

import gzip
import io
import sys
import tarfile
from pathlib import Path

from connectory.authoring.modules import find_root

__all__ = ["pack"]


def pack(file: Path) -> bytes:
    """An archive of the modules that were loaded from the folder that the file is imported from; the file is loaded.

    Equal modules make equal archives. What else lies in the folder is left out.
    """
    root = find_root(file.absolute())
    found = sorted({path for path in map(_path, [*sys.modules.values()]) if path is not None and _is_own(path, root)})
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path in found:
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            data = path.read_bytes()
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(content.getvalue(), mtime=0)


def _path(module: object) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if isinstance(file, str) and file.endswith(".py") else None


def _is_own(path: Path, root: Path) -> bool:
    """Whether a module belongs to the user's code, and not to an environment that lies within its folder."""
    return path.is_relative_to(root) and "site-packages" not in path.relative_to(root).parts
