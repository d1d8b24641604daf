"""What conversions need from around them: where objects are stored, and where files go."""

import atexit
import functools
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from connectory.storage import Storage, default_storage
from connectory.types.output_metadata import OutputMetadataTracker

__all__ = ["ConversionContext"]


@functools.cache
def _process_dir(pid: int) -> Path:
    return Path(tempfile.gettempdir(), f"connectory-{pid}-{secrets.token_hex(6)}")


@functools.cache
def _remove_at_exit(folder: Path, pid: int) -> None:
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == pid else None)


def _default_working_dir() -> Path:
    return _process_dir(os.getpid())


@dataclass(kw_only=True)
class ConversionContext:
    """Where conversions read, write and download. `ConversionContext()` works for everything that is local."""

    storage: Storage = field(default_factory=default_storage)
    raw_output_prefix: str = ""
    """Below which URL the content of local files is stored; empty: local files stay where they are."""
    output_metadata: OutputMetadataTracker | None = None
    """What the running task says about its outputs."""
    working_dir: Path = field(default_factory=_default_working_dir)
    """Where downloads go. The default is a folder of this process: made on first use, removed when the process ends."""

    def new_local_path(self, name: str) -> Path:
        """A local path, in a new folder of its own, at which nothing is yet."""
        pid = os.getpid()
        if self.working_dir == _process_dir(pid):
            self.working_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_at_exit(self.working_dir, pid)
        folder = self.working_dir / secrets.token_hex(8)
        folder.mkdir(parents=True)
        return folder / (Path(name).name or "data")

    def new_output_url(self, name: str) -> str:
        """A URL below `raw_output_prefix`, in a new folder of its own."""
        return self.storage.join(self.raw_output_prefix, secrets.token_hex(16), Path(name).name or "data")
