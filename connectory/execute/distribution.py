"""Code that comes as an archive instead of in the image."""

import io
import sys
import tarfile
from pathlib import Path

from connectory.errors import SettingsError
from connectory.storage import Storage

__all__ = ["unpack"]


def unpack(url: str, folder: str, storage: Storage) -> Path:
    """Unpack the archive into the folder, from which modules can be imported afterwards.

    Members that would land outside of the folder are refused, and so is a file that is no archive.
    """
    target = Path(folder).resolve()
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(storage.read(url)), mode="r:*") as archive:
            archive.extractall(target, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise SettingsError(f"the archive with the code, {url}, cannot be unpacked: {error}") from error
    if str(target) not in sys.path:
        sys.path.insert(0, str(target))
    return target
