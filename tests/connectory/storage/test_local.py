"""What holds for local files."""

from pathlib import Path

import pytest

from connectory.errors import StorageError
from connectory.storage import Storage


def test_paths_are_taken_as_they_are_written(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    storage.write("~/$HOME/x", b"x")
    assert (tmp_path / "~" / "$HOME" / "x").read_bytes() == b"x"
    assert storage.read("~/$HOME/x") == b"x"
    storage.write((tmp_path / "a%20b c").as_uri(), b"y")
    assert (tmp_path / "a%20b c").read_bytes() == b"y"


def test_a_folder_is_no_object(storage: Storage, tmp_path: Path) -> None:
    assert storage.head(str(tmp_path)) is None
    with pytest.raises(StorageError, match=str(tmp_path)):
        storage.read(str(tmp_path))
    with pytest.raises(StorageError, match=str(tmp_path)):
        storage.write(str(tmp_path), b"x")
    with pytest.raises(StorageError, match=str(tmp_path)):
        storage.delete(str(tmp_path))


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(storage: Storage, tmp_path: Path) -> None:
    target = tmp_path / "x"
    storage.write(str(target), b"old")
    with pytest.raises(TypeError):
        storage.write(str(target), "text")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_reader_sees_one_whole_content(storage: Storage, tmp_path: Path) -> None:
    target = str(tmp_path / "x")
    storage.write(target, b"old")
    with open(target, "rb") as reader:
        storage.write(target, b"new content")
        assert reader.read() == b"old"
    assert storage.read(target) == b"new content"


def test_what_the_file_system_refuses_is_named(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"xxx cannot be used: .*File name too long"):
        storage.write(str(tmp_path / ("x" * 300)), b"x")
