"""Places that hold objects: each gives a URL prefix at which nothing is yet."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectory.storage import Storage
from tests.connectory.storage.s3_server import BUCKET, running_s3


@pytest.fixture(scope="session")
def s3_environment() -> Iterator[dict[str, str]]:
    with running_s3() as environment:
        yield environment


@pytest.fixture
def storage() -> Storage:
    return Storage()


@pytest.fixture(params=["path", "file", "memory", "s3"])
def prefix(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    match request.param:
        case "path":
            return str(tmp_path / "store")
        case "file":
            return (tmp_path / "store").as_uri()
        case "memory":
            return f"memory://{secrets.token_hex(8)}"
        case _:
            for name, value in request.getfixturevalue("s3_environment").items():
                monkeypatch.setenv(name, value)
            return f"s3://{BUCKET}/{secrets.token_hex(8)}"
