"""What holds for every place that objects can be in."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectory.errors import StorageError
from connectory.storage import ObjectExistsError, ObjectNotFoundError, Storage


def test_what_is_written_is_read(storage: Storage, prefix: str) -> None:
    url = storage.join(prefix, "deep/er", "a b+ü%41.bin")
    assert not storage.exists(url)
    storage.write(url, b"one")
    storage.write(url, b"three")
    assert storage.read(url) == b"three"
    info = storage.head(url)
    assert info is not None
    assert (info.url, info.size) == (url, 5)
    assert info.modified is not None
    assert abs(info.modified - datetime.now(UTC)) < timedelta(minutes=5)
    storage.write(url, b"other")
    changed = storage.head(url)
    assert changed is not None
    assert changed.etag != info.etag


def test_parts_are_read(storage: Storage, prefix: str) -> None:
    url = storage.join(prefix, "parts")
    storage.write(url, b"0123456789")
    assert storage.read_range(url, 2, 3) == b"234"
    assert storage.read_range(url, 8, 5) == b"89"
    assert storage.read_range(url, 4, 0) == b""
    with pytest.raises(ObjectNotFoundError, match="nothing"):
        storage.read_range(storage.join(prefix, "nothing"), 0, 1)


def test_what_is_not_there_is_named(storage: Storage, prefix: str, tmp_path: Path) -> None:
    url = storage.join(prefix, "nothing")
    assert storage.head(url) is None
    with pytest.raises(ObjectNotFoundError, match="nothing"):
        storage.read(url)
    with pytest.raises(ObjectNotFoundError, match="nothing"):
        storage.download(url, tmp_path / "copy")
    assert not list(tmp_path.glob("**/*copy*"))
    assert list(storage.list(prefix)) == []
    with pytest.raises(ObjectNotFoundError, match="no file at"):
        storage.upload(tmp_path / "absent", url)


def test_of_many_writers_that_want_to_be_first_one_succeeds(storage: Storage, prefix: str) -> None:
    url = storage.join(prefix, "first")
    together = threading.Barrier(8)

    def write(number: int) -> bytes | None:
        data = b"%d" % number * 1000
        together.wait()
        try:
            storage.write(url, data, if_absent=True)
        except ObjectExistsError:
            return None
        return data

    with ThreadPoolExecutor(8) as pool:
        written = [data for data in pool.map(write, range(8)) if data is not None]
    assert written == [storage.read(url)]
    with pytest.raises(ObjectExistsError, match=r"there is an object at .*first already"):
        storage.write(url, b"late", if_absent=True)


def test_files_are_copied_both_ways(storage: Storage, prefix: str, tmp_path: Path) -> None:
    content = os.urandom(6_000_000)  # more than one piece of an upload in parts
    source = tmp_path / "source"
    source.write_bytes(content)
    url = storage.join(prefix, "big")
    storage.upload(source, url)
    copy = storage.download(url, tmp_path / "new" / "copy")
    assert copy == tmp_path / "new" / "copy"
    assert copy.read_bytes() == content
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_lists_what_is_below_a_prefix_at_any_depth(storage: Storage, prefix: str) -> None:
    for key in ("a/1", "a/b/2", "ab/3", "a!"):
        storage.write(storage.join(prefix, key), key.encode())
    wanted = {storage.join(prefix, "a/1"), storage.join(prefix, "a/b/2")}
    for spelling in (storage.join(prefix, "a"), storage.join(prefix, "a") + "/"):
        assert {info.url for info in storage.list(spelling)} == wanted
    sizes = {info.url: info.size for info in storage.list(prefix)}
    assert len(sizes) == 4
    assert sizes[storage.join(prefix, "a/b/2")] == 5
    assert list(storage.list(storage.join(prefix, "a/1"))) == []


def test_trees_are_copied_both_ways(storage: Storage, prefix: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "one").write_text("1")
    (source / "inner" / "two").write_text("2")
    storage.upload_tree(source, prefix)
    copy = storage.download_tree(prefix, tmp_path / "copy")
    assert {path.relative_to(copy).as_posix(): path.read_text() for path in copy.rglob("*") if path.is_file()} == {
        "one": "1",
        "inner/two": "2",
    }


def test_delete_is_idempotent(storage: Storage, prefix: str) -> None:
    url = storage.join(prefix, "x")
    storage.write(url, b"x")
    storage.delete(url)
    assert not storage.exists(url)
    storage.delete(url)
    storage.delete(storage.join(url, "below"))


def test_an_object_may_be_empty(storage: Storage, prefix: str) -> None:
    url = storage.join(prefix, "empty")
    storage.write(url, b"")
    assert storage.exists(url)
    assert storage.read(url) == b""


def test_two_storages_share_the_memory() -> None:
    Storage().write("memory://shared/x", b"x")
    assert Storage().read("memory://shared/x") == b"x"


@pytest.mark.parametrize("url", ["ftp://host/x", "s3:///x", "file://host/x", "", "a\0b"])
def test_a_url_that_cannot_be_used_is_named(storage: Storage, url: str) -> None:
    with pytest.raises(StorageError) as caught:
        storage.read(url)
    assert url in str(caught.value) or repr(url) in str(caught.value)


def test_a_cloud_without_settings_says_what_is_missing(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StorageError, match=r"az://container/key cannot be used: .*Account must be specified"):
        storage.read("az://container/key")


@pytest.mark.parametrize(
    ("prefix", "parts", "expected"),
    [
        ("s3://b", ("x",), "s3://b/x"),
        ("s3://b/p/", ("/x/", "y"), "s3://b/p/x/y"),
        ("s3://b/p", (), "s3://b/p"),
        ("s3://b/p", ("", "x"), "s3://b/p/x"),
        ("memory://", ("x",), "memory://x"),
        ("file:///", ("x",), "file:///x"),
        ("/", ("x",), "/x"),
        ("relative", ("x",), "relative/x"),
        ("", ("x", "y"), "x/y"),
    ],
)
def test_join_makes_one_slash_of_each_joint(prefix: str, parts: tuple[str, ...], expected: str) -> None:
    assert Storage.join(prefix, *parts) == expected
