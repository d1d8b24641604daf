"""Objects that are local files."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connectory.errors import StorageError
from connectory.storage.backend import Backend
from connectory.storage.errors import ObjectExistsError, ObjectNotFoundError
from connectory.storage.info import ObjectInfo
from connectory.storage.urls import local_path

__all__ = ["LocalBackend"]

_PARTIAL = ".connectory-partial-"


class LocalBackend(Backend):
    """Files by path or file:// URL. Every write is atomic: readers see the old content or the new one."""

    def head(self, url: str) -> ObjectInfo | None:
        path = local_path(url)
        with _translated(url):
            try:
                stat = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            return _info(url, stat) if path.is_file() else None

    def read(self, url: str) -> bytes:
        with _translated(url):
            return local_path(url).read_bytes()

    def read_range(self, url: str, start: int, length: int) -> bytes:
        with _translated(url), local_path(url).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def write(self, url: str, data: bytes, *, if_absent: bool) -> None:
        with _translated(url), _replacing(local_path(url), if_absent=if_absent) as partial:
            partial.write_bytes(data)

    def download(self, url: str, path: Path) -> None:
        with _translated(url), _replacing(path, if_absent=False) as partial:
            shutil.copyfile(local_path(url), partial)

    def upload(self, path: Path, url: str) -> None:
        with _translated(url), _replacing(local_path(url), if_absent=False) as partial:
            shutil.copyfile(path, partial)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        root = local_path(prefix)
        with _translated(prefix):
            for folder, folders, names in os.walk(root):
                folders.sort()
                for path in (Path(folder, name) for name in sorted(names) if _PARTIAL not in name):
                    url = f"{prefix.rstrip('/')}/{path.relative_to(root).as_posix()}"
                    try:
                        yield _info(url, path.stat())
                    except FileNotFoundError:  # gone since it was listed, or a link to nothing
                        continue

    def delete(self, url: str) -> None:
        with _translated(url):
            try:
                local_path(url).unlink(missing_ok=True)
            except NotADirectoryError:
                return


@contextmanager
def _replacing(target: Path, *, if_absent: bool) -> Iterator[Path]:
    """A path beside the target which takes the target's place when all went well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{_PARTIAL}{secrets.token_hex(8)}")
    try:
        yield partial
        if if_absent:
            os.link(partial, target)
        else:
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise ObjectExistsError(f"there is an object at {url} already") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ObjectNotFoundError(f"there is no object at {url}") from error
    except OSError as error:
        raise StorageError(f"{url} cannot be used: {error}") from error


def _info(url: str, stat: os.stat_result) -> ObjectInfo:
    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    return ObjectInfo(
        url=url, size=stat.st_size, etag=f"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}", modified=modified
    )
