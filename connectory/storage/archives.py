"""Archives of files that an object store holds."""

import io
import tarfile
from pathlib import Path

from connectory.errors import SettingsError
from connectory.storage.storage import Storage

__all__ = ["extract"]


def extract(url: str, folder: str | Path, storage: Storage) -> Path:
    """Put the archive's content into a folder, which is made; answer its path.

    Members that would land outside of the folder are refused, and so is a file that is no archive.
    """
    target = Path(folder).resolve()
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(storage.read(url)), mode="r:*") as archive:
            archive.extractall(target, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise SettingsError(f"the archive with the code, {url}, cannot be unpacked: {error}") from error
    return target
