"""Checksums of what is stored, so that whoever reads it later knows that it is the same."""

import hashlib
from pathlib import Path
from typing import Final

__all__ = ["CHECKSUM", "file_checksum", "tree_checksum"]

CHECKSUM: Final = "sha256"
"""The key in a literal's metadata."""


def file_checksum(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, CHECKSUM).hexdigest()


def tree_checksum(path: Path) -> str:
    """The SHA-256 of the list of a folder's files, each with its relative path and the checksum of its content."""
    whole = hashlib.new(CHECKSUM)
    paths = {part.relative_to(path).as_posix(): part for part in path.rglob("*") if part.is_file()}
    for name in sorted(paths):
        whole.update(f"{file_checksum(paths[name])} {name}\0".encode())
    return whole.hexdigest()
