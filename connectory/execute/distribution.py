"""Code that comes as an archive instead of in the image."""

import sys
from pathlib import Path

from connectory.storage import Storage
from connectory.storage.archives import extract

__all__ = ["unpack"]


def unpack(url: str, folder: str, storage: Storage) -> Path:
    """Unpack the archive into the folder, from which modules can be imported afterwards.

    Members that would land outside of the folder are refused, and so is a file that is no archive.
    """
    target = extract(url, folder, storage)
    if str(target) not in sys.path:
        sys.path.insert(0, str(target))
    return target
