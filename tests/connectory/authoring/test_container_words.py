"""Folders of a container in the words of its command."""

from pathlib import PurePosixPath

import pytest

from connectory.authoring.container_words import with_folders

FOLDERS = [("/in", PurePosixPath("/tmp/a")), ("/in/deep/", PurePosixPath("/tmp/b")), ("", PurePosixPath("/tmp/c"))]


@pytest.mark.parametrize(
    ("word", "replaced"),
    [
        ("/in", "/tmp/a"),
        ("/in/x", "/tmp/a/x"),
        ("--from=/in/x", "--from=/tmp/a/x"),
        ("cat /in/x > '/in/y'; ls /in", "cat /tmp/a/x > '/tmp/a/y'; ls /tmp/a"),
        ("file:///in/x", "file:///tmp/a/x"),
        ("/in/deep/x /in/deeper", "/tmp/b/x /tmp/a/deeper"),
        ("/info /usr/in /in.txt ./in /in-2", "/info /usr/in /in.txt ./in /in-2"),
        ("", ""),
    ],
)
def test_a_folder_is_replaced_where_it_is_named_as_a_whole(word: str, replaced: str) -> None:
    assert with_folders(word, FOLDERS) == replaced


def test_without_folders_nothing_changes() -> None:
    assert with_folders("/in and /out", [("", PurePosixPath("/tmp"))]) == "/in and /out"
