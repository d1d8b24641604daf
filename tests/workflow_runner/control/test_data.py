"""Uploads and downloads at signed addresses."""

import base64
import hashlib
from pathlib import Path

import httpx
import pytest
from google.protobuf.duration_pb2 import Duration

from connectory.errors import InvalidTaskError, PermissionDeniedError
from connectory.v1 import control_pb2
from tests.workflow_runner.control.harness import Control, serving

CONTENT = b"some bytes" * 10_000
MD5 = hashlib.md5(CONTENT).digest()


async def location(control: Control, **fields: object) -> control_pb2.CreateUploadLocationResponse:
    values = {"project": "p", "domain": "d", "filename": "data.bin", "content_md5": MD5, **fields}
    return await control.client.create_upload_location(control_pb2.CreateUploadLocationRequest(**values))  # type: ignore[arg-type]


def content_of(place: control_pb2.CreateUploadLocationResponse) -> bytes | None:
    path = Path(place.native_url)
    return path.read_bytes() if path.exists() else None


async def download(control: Control, url: str) -> str:
    request = control_pb2.CreateDownloadLocationRequest(native_url=url)
    return (await control.client.create_download_location(request)).signed_url


async def test_what_is_sent_can_be_fetched(tmp_path: Path) -> None:
    async with serving(output_prefix=str(tmp_path)) as control, httpx.AsyncClient() as http:
        place = await location(control)
        assert place.native_url.startswith(f"{tmp_path}/uploads/p/d/")
        headers = {"Content-MD5": base64.b64encode(MD5).decode()}
        assert (await http.put(place.signed_url, content=CONTENT, headers=headers)).status_code == 200
        assert content_of(place) == CONTENT
        assert (await http.put(place.signed_url, content=CONTENT)).status_code == 200  # the same again
        assert (await http.get(await download(control, place.native_url))).content == CONTENT
        assert (await location(control)).native_url == place.native_url


@pytest.mark.parametrize(
    ("fields", "content", "headers", "status", "reason"),
    [
        ({}, b"other bytes", {}, 400, "MD5 the upload was asked for with"),
        ({"content_md5": b""}, b"x", {"Content-MD5": base64.b64encode(MD5).decode()}, 400, "MD5 Content-MD5 has"),
        ({"content_md5": b""}, b"x", {"Content-MD5": "?"}, 400, "not in base64"),
        ({"content_md5": b""}, b"x" * 2000, {}, 413, "more than the 1000 bytes"),
    ],
)
async def test_other_content_than_was_announced_is_refused(
    tmp_path: Path, fields: dict[str, object], content: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    async with serving(output_prefix=str(tmp_path), max_upload_bytes=1000) as control, httpx.AsyncClient() as http:
        place = await location(control, **fields)
        answer = await http.put(place.signed_url, content=content, headers=headers)
        assert answer.status_code == status
        assert reason in answer.text
        assert content_of(place) is None


async def test_what_somebody_else_has_sent_is_not_replaced(tmp_path: Path) -> None:
    async with serving(output_prefix=str(tmp_path)) as control, httpx.AsyncClient() as http:
        fields = {"content_md5": b"", "filename_root": "shared"}
        first, second = [await location(control, **fields) for _ in range(2)]
        assert first.native_url == second.native_url
        assert (await http.put(first.signed_url, content=b"mine")).status_code == 200
        assert (await http.put(second.signed_url, content=b"yours")).status_code == 409
        assert content_of(first) == b"mine"


async def test_an_address_is_good_for_one_thing_and_for_a_while(tmp_path: Path) -> None:
    now = 1_000_000.0
    async with (
        serving(output_prefix=str(tmp_path), clock=lambda: now) as control,
        httpx.AsyncClient() as http,
    ):
        place = await location(control)
        assert (await http.get(place.signed_url)).status_code == 403
        assert (await http.put(place.signed_url[:-4] + "AAAA", content=CONTENT)).status_code == 403
        assert (await http.put(place.signed_url.rpartition("/")[0], content=CONTENT)).status_code == 403
        now += 901
        expired = await http.put(place.signed_url, content=CONTENT)
        assert expired.status_code == 403
        assert "has expired" in expired.text
        assert place.expires_at.seconds == 1_000_900


@pytest.mark.parametrize("url", ["/etc/passwd", "{prefix}/../secret", "{prefix}x/file", "s3://bucket/key"])
async def test_only_what_the_runner_has_put_somewhere_is_given_away(tmp_path: Path, url: str) -> None:
    async with serving(output_prefix=str(tmp_path / "outputs")) as control:
        with pytest.raises(PermissionDeniedError, match="is not below the outputs of this runner"):
            await download(control, url.format(prefix=tmp_path / "outputs"))


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a//b", "a/./b"])
async def test_a_file_cannot_be_sent_elsewhere(tmp_path: Path, name: str) -> None:
    async with serving(output_prefix=str(tmp_path)) as control:
        with pytest.raises(InvalidTaskError, match="cannot be part of a path"):
            await location(control, filename=name)
        with pytest.raises(InvalidTaskError, match="cannot be part of a path"):
            await location(control, filename_root=name)


@pytest.mark.parametrize("way", ["%2e%2e/secret", ".%2E/secret", "%2e%2e%2fsecret", ".\t./secret", "..\n/secret"])
async def test_no_spelling_of_the_way_up_leads_out_of_the_outputs(tmp_path: Path, way: str) -> None:
    (tmp_path / "secret").write_bytes(b"hidden")
    prefix = (tmp_path / "outputs").as_uri()
    async with serving(output_prefix=prefix) as control:
        with pytest.raises(PermissionDeniedError, match="is not below the outputs of this runner"):
            await download(control, f"{prefix}/{way}")
        with pytest.raises(InvalidTaskError, match="cannot be part of a path"):
            await location(control, filename=way)


async def test_an_address_that_shall_work_for_ever_works_for_a_day(tmp_path: Path) -> None:
    async with serving(output_prefix=str(tmp_path), clock=lambda: 1_000_000.0) as control:
        place = await location(control, expires_in=Duration(seconds=2**62))
        assert place.expires_at.seconds == 1_086_400


async def test_several_requests_come_over_one_connection(tmp_path: Path) -> None:
    async with serving(output_prefix=str(tmp_path)) as control, httpx.AsyncClient() as http:
        for number in range(5):
            content = bytes([number]) * 100_000
            place = await location(control, content_md5=hashlib.md5(content).digest())
            assert (await http.put(place.signed_url, content=content)).status_code == 200
        missing = await http.get(await download(control, f"{tmp_path}/uploads/nothing"))
        assert missing.status_code == 404


async def test_without_a_place_for_files_none_can_be_sent() -> None:
    async with serving() as control:
        with pytest.raises(InvalidTaskError, match="has no place for files"):
            await location(control)


@pytest.mark.parametrize(
    "url", ["flyte://[", "flyte://v1/p/d", f"flyte://v1/p/d/e/n/{'9' * 20}/o", "flyte://v1/p/d/e/n/x"]
)
async def test_what_is_no_address_of_data_is_told_so(url: str) -> None:
    async with serving() as control:
        with pytest.raises(InvalidTaskError, match="cannot be read; it looks like"):
            await control.client.get_data(control_pb2.GetDataRequest(flyte_url=url))
