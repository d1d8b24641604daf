"""A stored object as a file of which only the parts that are read are transferred."""

import io

from connectory.errors import StorageError
from connectory.storage import ObjectInfo, Storage

__all__ = ["RangedFile"]


class RangedFile(io.RawIOBase):
    """An object that is read in ranges, each with one request."""

    def __init__(self, storage: Storage, info: ObjectInfo) -> None:
        super().__init__()
        self._storage = storage
        self._info = info
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._info.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        rest = max(0, self._info.size - self._position)
        length = rest if size < 0 else min(size, rest)
        data = self._storage.read_range(self._info.url, self._position, length) if length else b""
        if len(data) != length:
            raise StorageError(f"{self._info.url} changed while it was read: it was {self._info.size} bytes long")
        self._position += length
        return data

    def readall(self) -> bytes:
        return self.read()
