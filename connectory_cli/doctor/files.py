"""Folders and files on this machine: whether they can be written, locked, and have room."""

import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from connectory_cli.doctor.findings import Finding, fail, ok, warn

__all__ = ["file_system", "folder", "sqlite_file", "versions"]

_NETWORKED: Final = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "glusterfs", "ceph", "lustre", "afs")
_PASSING: Final = ("tmpfs", "ramfs")
_LITTLE: Final = 1 << 30
_TOO_LITTLE: Final = 100 << 20
_MOUNTS: Final = Path("/proc/self/mounts")


def folder(about: str, path: Path) -> Iterator[Finding]:
    """Whether a folder, which need not exist yet, can be written to, and how much room there is."""
    existing = _existing(path)
    if not existing.is_dir():
        yield fail(about, f"{existing} is not a folder", "name another place")
        return
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        yield fail(about, f"{existing} cannot be written to: {error.strerror}", "name another place, or give the right")
        return
    free = shutil.disk_usage(existing).free
    room = f"{free / (1 << 30):.1f} GB are free in {existing}"
    if free < _TOO_LITTLE:
        yield fail(about, room, "make room, or name another place")
    elif free < _LITTLE:
        yield warn(about, room, "make room, or name another place")
    else:
        yield ok(about, f"{existing} can be written to; {room.partition(' in ')[0]}")


def file_system(about: str, path: Path, mounts: Path = _MOUNTS) -> Iterator[Finding]:
    """Whether the file system below a path keeps locks and contents, as databases need."""
    kind = _kind(_existing(path).resolve(), mounts)
    if kind.startswith(_NETWORKED):
        yield fail(
            about,
            f"{path} is on a network file system ({kind}), where locks and commits of SQLite do not hold",
            "name a file on a local disk, or a postgresql:// URL",
        )
    elif kind in _PASSING:
        yield warn(about, f"{path} is kept in memory ({kind}) and is gone after a restart", "name a file on a disk")
    try:
        with tempfile.TemporaryFile(dir=_existing(path)) as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        yield fail(about, f"files beside {path} cannot be locked: {error.strerror}", "name a file on a local disk")


def sqlite_file(about: str, path: Path) -> Iterator[Finding]:
    """An SQLite file that may not be there yet."""
    if not path.exists():
        yield ok(about, f"{path} will be made")
        return
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        yield fail(about, f"{path} cannot be read and written", "give this user the right, or name another file")
        return
    try:
        with closing(_opened(path)) as connection:
            sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        yield fail(about, f"{path} cannot be used: {error}", "name another file, or restore this one from a copy")
        return
    if sound != "ok":
        yield fail(about, f"{path} is damaged: {sound}", "restore it from a copy")
    else:
        yield ok(about, f"{path} opens and is sound")


def versions(path: Path, first: str) -> Mapping[str, int]:
    """The versions of its tables; `first` names those whose version a file had in itself, before there was a list."""
    if not path.is_file():
        return {}
    try:
        with closing(_opened(path)) as connection:
            own = connection.execute("PRAGMA user_version").fetchone()[0]
            listed = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_versions'").fetchone()
            query = "SELECT schema, max(version) FROM schema_versions GROUP BY schema"
            found = dict(connection.execute(query).fetchall()) if listed else {}
    except sqlite3.Error:
        return {}
    return {first: own, **found} if own else found


def _opened(path: Path) -> sqlite3.Connection:
    """For reading only. Without a write-ahead log nothing is made beside the file, either."""
    is_used = path.with_name(f"{path.name}-wal").exists()
    mode = "mode=ro" if is_used else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=2.0)


def _existing(path: Path) -> Path:
    """The path if it is a folder, or the innermost folder above it that exists."""
    path = path.absolute()
    return next(one for one in ((path, *path.parents) if not path.is_file() else path.parents) if one.exists())


def _kind(path: Path, mounts: Path) -> str:
    """The type of the file system that holds the path; empty: it cannot be told here."""
    if not mounts.exists():
        return ""
    best, kind = -1, ""
    for line in mounts.read_text(errors="replace").splitlines():
        _, point, found, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if path.is_relative_to(point) and len(point) >= best:
            best, kind = len(point), found
    return kind
