"""What an attempt of a task leaves for the next one, so that work is not done twice."""

import io
import secrets
import tempfile
from pathlib import Path

from connectory.storage import Storage

__all__ = ["Checkpoint", "local_checkpoint"]

_SINGLE = "checkpoint"


class Checkpoint:
    """Writes what this attempt has reached, and reads what the attempt before it had.

    `destination` and `previous` are prefixes in an object store; an empty `previous` says that there was no attempt
    before. What is written is in the store when the call returns. Blocks; used by one thread at a time.
    """

    def __init__(self, destination: str, previous: str = "", *, storage: Storage) -> None:
        self._destination = destination
        self._previous = previous
        self._storage = storage
        self._restored: Path | None = None

    def prev_exists(self) -> bool:
        """Whether an attempt before this one left anything."""
        return bool(self._previous) and next(iter(self._storage.list(self._previous)), None) is not None

    def restore(self, path: str | Path | None = None) -> Path | None:
        """A local folder with everything that the previous attempt left; None when it left nothing.

        Downloads once: asked again, the answer is the same folder. A `path` that is no folder is a ValueError.
        """
        if self._restored is not None or not self.prev_exists():
            return self._restored
        folder = Path(tempfile.mkdtemp(prefix="connectory-checkpoint-") if path is None else path)
        if not folder.is_dir():
            raise ValueError(f"a checkpoint is restored into a folder, and {folder} is none")
        self._restored = self._storage.download_tree(self._previous, folder)
        return self._restored

    def save(self, checkpoint: str | Path | io.IOBase) -> None:
        """Leave a file, all files of a folder, or what can be read from an open file."""
        if isinstance(checkpoint, io.IOBase):
            return self.write(checkpoint.read())
        path = Path(checkpoint)
        if path.is_dir():
            return self._storage.upload_tree(path, self._destination)
        return self._storage.upload(path, self._storage.join(self._destination, path.name))

    def read(self) -> bytes | None:
        """The one thing that the previous attempt left; None when it left nothing, a ValueError for several."""
        if not self._previous:
            return None
        found = list(self._storage.list(self._previous))
        if len(found) > 1:
            raise ValueError(f"the previous attempt left {len(found)} files, not one; take them with restore()")
        return self._storage.read(found[0].url) if found else None

    def write(self, data: bytes) -> None:
        """Leave one thing; the one that was left before is replaced."""
        self._storage.write(self._storage.join(self._destination, _SINGLE), data)


def local_checkpoint(storage: Storage) -> Checkpoint:
    """For a task that is not tried again: a folder that nobody reads."""
    folder = Path(tempfile.gettempdir(), f"connectory-checkpoints-{secrets.token_hex(8)}")
    return Checkpoint(str(folder), storage=storage)
