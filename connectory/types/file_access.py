"""What transformers written for Flyte's SDK ask of their context: places for files, and their transport."""

import contextvars
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectory.storage import is_local, local_path
from connectory.types.context import ConversionContext

__all__ = ["FileAccess", "FlyteContext", "FlyteContextManager", "using"]


class FileAccess:
    """Local and remote places of one conversion, and what moves content between them."""

    def __init__(self, conversion: ConversionContext) -> None:
        self._conversion = conversion

    @property
    def raw_output_prefix(self) -> str:
        """Below which URL new content is stored; a local folder where the context has no other place."""
        return self._conversion.raw_output_prefix or str(self._conversion.working_dir)

    def get_random_string(self) -> str:
        """Text that nobody else has."""
        return secrets.token_hex(16)

    def get_random_local_path(self, file_path_or_file_name: str | None = None) -> str:
        """A local path at which nothing is yet, in a folder that is there."""
        return str(self._conversion.new_local_path(str(file_path_or_file_name or "data")))

    def get_random_local_directory(self) -> str:
        """A new local folder."""
        folder = self._conversion.new_local_path("data")
        folder.mkdir()
        return str(folder)

    def get_random_remote_path(self, file_path_or_file_name: str | None = None) -> str:
        """A URL at which nothing is yet."""
        name = Path(str(file_path_or_file_name or "data")).name
        return self.join(self.raw_output_prefix, self.get_random_string(), name)

    def get_random_remote_directory(self) -> str:
        """A URL below which nothing is yet."""
        return self.join(self.raw_output_prefix, self.get_random_string())

    def join(self, *parts: str) -> str:
        """A URL below another."""
        return self._conversion.storage.join(parts[0], *parts[1:])

    @staticmethod
    def is_remote(path: Any) -> bool:
        """Whether it is no local path."""
        return not is_local(str(path))

    def exists(self, path: Any) -> bool:
        """Whether there is an object or a local file."""
        return self._conversion.storage.exists(str(path))

    def get_data(self, remote_path: Any, local_path: Any, is_multipart: bool = False) -> str:
        """Copy content to a local path."""
        if is_multipart:
            return str(self._conversion.storage.download_tree(str(remote_path), str(local_path)))
        return str(self._conversion.storage.download(str(remote_path), str(local_path)))

    def put_data(self, local_path: Any, remote_path: Any, is_multipart: bool = False) -> str:
        """Copy local content to a URL; answer it."""
        move = self._conversion.storage.upload_tree if is_multipart else self._conversion.storage.upload
        move(str(local_path), str(remote_path))
        return str(remote_path)

    def put_raw_data(self, lpath: Any, upload_prefix: str | None = None, file_name: str | None = None) -> str:
        """Copy a local file or folder to a new URL; answer it."""
        source = local_path(str(lpath))
        prefix = self.join(self.raw_output_prefix, upload_prefix or self.get_random_string())
        target = self.join(prefix, file_name or source.name)
        return self.put_data(source, target, is_multipart=source.is_dir())

    def download(self, remote_path: Any, local_path: Any) -> str:
        """Copy one object to a local file."""
        return self.get_data(remote_path, local_path)

    def download_directory(self, remote_path: Any, local_path: Any) -> str:
        """Copy everything below a URL into a local folder."""
        return self.get_data(remote_path, local_path, is_multipart=True)

    def upload(self, file_path: Any, to_path: Any) -> str:
        """Copy a local file to a URL."""
        return self.put_data(file_path, to_path)

    def upload_directory(self, local_path: Any, remote_path: Any) -> str:
        """Copy everything in a local folder below a URL."""
        return self.put_data(local_path, remote_path, is_multipart=True)

    async def async_get_data(self, remote_path: Any, local_path: Any, is_multipart: bool = False) -> str:
        """The same as `get_data`."""
        return self.get_data(remote_path, local_path, is_multipart)

    async def async_put_data(self, local_path: Any, remote_path: Any, is_multipart: bool = False) -> str:
        """The same as `put_data`."""
        return self.put_data(local_path, remote_path, is_multipart)

    async def async_put_raw_data(
        self, lpath: Any, upload_prefix: str | None = None, file_name: str | None = None
    ) -> str:
        """The same as `put_raw_data`."""
        return self.put_raw_data(lpath, upload_prefix, file_name)


class FlyteContext:
    """What transformers are given beside the value: `file_access`, and the conversion's own context."""

    def __init__(self, conversion: ConversionContext) -> None:
        self.conversion = conversion
        self.file_access = FileAccess(conversion)

    @staticmethod
    def current_context() -> "FlyteContext":
        """The context of the conversion that runs; outside of one, one with defaults."""
        return _current.get() or FlyteContext(ConversionContext())


class FlyteContextManager:
    """Where transformers that are not given a context find it."""

    @staticmethod
    def current_context() -> FlyteContext:
        """The context of the conversion that runs."""
        return FlyteContext.current_context()


_current: contextvars.ContextVar[FlyteContext | None] = contextvars.ContextVar("flyte_context", default=None)


@contextmanager
def using(conversion: ConversionContext) -> Iterator[FlyteContext]:
    """The context of a conversion, for whoever asks while it runs."""
    context = FlyteContext(conversion)
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
