"""Objects over HTTP, from a real server."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from connectory.errors import StorageError
from connectory.storage import ObjectNotFoundError, Storage


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = {"/there?part=1": 200, "/moved": 302, "/broken": 500}.get(self.path, 404)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/there?part=1")
        body = b"content" if status == 200 else b""
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Thu, 29 Feb 2024 12:30:00 GMT")
        self.send_header("ETag", '"1"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_objects_are_read_with_their_query_and_through_redirects(storage: Storage, server: str, tmp_path: Path) -> None:
    assert storage.read(f"{server}/there?part=1") == b"content"
    assert storage.read(f"{server}/moved") == b"content"
    assert storage.download(f"{server}/moved", tmp_path / "copy").read_bytes() == b"content"
    assert storage.read_range(f"{server}/moved", 1, 3) == b"ont"
    info = storage.head(f"{server}/there?part=1")
    assert info is not None
    assert (info.size, info.etag) == (7, '"1"')
    assert info.modified is not None
    assert info.modified.isoformat() == "2024-02-29T12:30:00+00:00"


def test_what_cannot_be_read_is_named(storage: Storage, server: str) -> None:
    assert not storage.exists(f"{server}/nothing")
    with pytest.raises(ObjectNotFoundError, match=f"{server}/nothing"):
        storage.read(f"{server}/nothing")
    with pytest.raises(StorageError, match=f"{server}/broken answers with HTTP status 500"):
        storage.read(f"{server}/broken")
    with pytest.raises(StorageError, match=r"http://127\.0\.0\.1:1/x cannot be read"):
        storage.read("http://127.0.0.1:1/x")


def test_nothing_is_written_over_http(storage: Storage, server: str, tmp_path: Path) -> None:
    source = tmp_path / "x"
    source.write_text("x")
    url = f"{server}/x"
    for attempt in (
        lambda: storage.write(url, b"x"),
        lambda: storage.upload(source, url),
        lambda: storage.delete(url),
        lambda: list(storage.list(url)),
    ):
        with pytest.raises(StorageError, match="can only be read"):
            attempt()
