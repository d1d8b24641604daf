"""TLS and mTLS with real certificates, and their rotation under a running server."""

import asyncio
import ssl
from pathlib import Path

import grpc
import pytest

from connectory.errors import SettingsError
from connectory.v1 import services_pb2_grpc
from tests.connector_server.certificates import Authority
from tests.connector_server.fakes import TrivialConnector
from tests.connector_server.harness import create_request, serving


async def create(target: str, credentials: grpc.ChannelCredentials) -> bytes:
    async with grpc.aio.secure_channel(target, credentials) as channel:
        stub = services_pb2_grpc.AsyncConnectorServiceStub(channel)
        handle: bytes = (await stub.CreateTask(create_request("trivial"), timeout=10)).resource_meta
        return handle


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_tls(authority: Authority) -> None:
    key, cert = authority.issue("server")
    async with serving(TrivialConnector(), addresses=["127.0.0.1:0"], tls_cert=cert, tls_key=key) as peer:
        assert await create(peer.server.addresses[0], grpc.ssl_channel_credentials(authority.cert.read_bytes()))
        with pytest.raises(grpc.aio.AioRpcError):
            await peer.jobs.CreateTask(create_request("trivial"), timeout=10)


async def test_mtls_admits_only_callers_with_a_certificate_of_the_ca(authority: Authority, tmp_path: Path) -> None:
    key, cert = authority.issue("server")
    client_key, client_cert = authority.issue("client")
    (tmp_path / "other").mkdir()
    stranger_key, stranger_cert = Authority(tmp_path / "other", "other").issue("stranger")
    root = authority.cert.read_bytes()
    options = {"tls_cert": cert, "tls_key": key, "tls_client_ca": authority.cert}
    async with serving(TrivialConnector(), addresses=["127.0.0.1:0"], **options) as peer:
        target = peer.server.addresses[0]
        known = grpc.ssl_channel_credentials(root, client_key.read_bytes(), client_cert.read_bytes())
        assert await create(target, known)
        stranger = grpc.ssl_channel_credentials(root, stranger_key.read_bytes(), stranger_cert.read_bytes())
        for refused in (grpc.ssl_channel_credentials(root), stranger):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await create(target, refused)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_with_client_certificates_a_public_address_is_allowed(authority: Authority) -> None:
    key, cert = authority.issue("server")
    options = {"tls_cert": cert, "tls_key": key, "tls_client_ca": authority.cert}
    async with serving(TrivialConnector(), addresses=["0.0.0.0:0"], **options) as peer:
        assert peer.server.addresses[0].startswith("0.0.0.0:")


async def test_a_rotated_certificate_serves_the_next_connection(authority: Authority) -> None:
    key, cert = authority.issue("server")
    async with serving(TrivialConnector(), addresses=["127.0.0.1:0"], tls_cert=cert, tls_key=key) as peer:
        host, _, port = peer.server.addresses[0].rpartition(":")
        root = grpc.ssl_channel_credentials(authority.cert.read_bytes())
        assert await create(peer.server.addresses[0], root)
        before = await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))
        authority.issue("server")
        after = await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))
        assert after != before
        assert after.split() == cert.read_text().split()
        assert await create(peer.server.addresses[0], root)


async def test_every_address_has_the_certificate_and_its_successor(authority: Authority) -> None:
    key, cert = authority.issue("server")
    options = {"tls_cert": cert, "tls_key": key, "tls_client_ca": authority.cert}
    async with serving(TrivialConnector(), addresses=["127.0.0.1:0", "127.0.0.1:0"], **options) as peer:
        client_key, client_cert = authority.issue("client")
        known = grpc.ssl_channel_credentials(
            authority.cert.read_bytes(), client_key.read_bytes(), client_cert.read_bytes()
        )
        assert len(set(peer.server.addresses)) == 2
        for target in peer.server.addresses:
            assert await create(target, known)
        authority.issue("server")
        for target in peer.server.addresses:
            host, _, port = target.rpartition(":")
            served = await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))
            assert served.split() == cert.read_text().split()


async def test_files_that_cannot_be_used_are_refused_by_their_names(authority: Authority, tmp_path: Path) -> None:
    key, cert = authority.issue("server")
    other, _ = authority.issue("other")
    text = tmp_path / "text"
    text.write_text("no certificate")
    for options, message in (
        ({"tls_cert": cert, "tls_key": other}, "tls_key=.*other.key.* cannot be used with .*: key values mismatch"),
        ({"tls_cert": text, "tls_key": key}, "tls_cert=.*text.* holds no certificate"),
        ({"tls_cert": cert, "tls_key": text}, "tls_key=.*text.* cannot be used"),
        ({"tls_cert": cert, "tls_key": key, "tls_client_ca": text}, "tls_client_ca=.*text.* holds no certificates"),
    ):
        with pytest.raises(SettingsError, match=message):
            async with serving(TrivialConnector(), addresses=["127.0.0.1:0"], **options):
                raise AssertionError("it must not serve")


async def test_a_rotation_in_two_steps_is_taken_up_after_the_second(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "connectory.server.tls")
    key, cert = authority.issue("server")
    async with serving(TrivialConnector(), addresses=["127.0.0.1:0"], tls_cert=cert, tls_key=key) as peer:
        target = peer.server.addresses[0]
        host, _, port = target.rpartition(":")
        root = grpc.ssl_channel_credentials(authority.cert.read_bytes())
        before = await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))
        next_key, next_cert = authority.issue("next")
        cert.write_bytes(next_cert.read_bytes())
        for _ in range(2):
            assert await asyncio.to_thread(ssl.get_server_certificate, (host, int(port))) == before
            assert await create(target, root)
        key.write_bytes(next_key.read_bytes())
        after = await asyncio.to_thread(ssl.get_server_certificate, (host, int(port)))
        assert after.split() == cert.read_text().split()
        assert await create(target, root)
    said = [one.getMessage() for one in caplog.records if one.name == "connectory.server.tls"]
    assert ["cannot be used" in one for one in said] == [True, False]


async def test_another_authority_of_clients_counts_for_the_next_connection(
    authority: Authority, tmp_path: Path
) -> None:
    key, cert = authority.issue("server")
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "other")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.cert.read_bytes())
    options = {"tls_cert": cert, "tls_key": key, "tls_client_ca": trusted}
    clients = [tuple(file.read_bytes() for file in one.issue("client")) for one in (authority, stranger)]
    root = authority.cert.read_bytes()
    old, new = (grpc.ssl_channel_credentials(root, *client) for client in clients)
    async with serving(TrivialConnector(), addresses=["127.0.0.1:0"], **options) as peer:
        target = peer.server.addresses[0]
        assert await create(target, old)
        trusted.write_bytes(stranger.cert.read_bytes())
        assert await create(target, new)
        with pytest.raises(grpc.aio.AioRpcError):
            await create(target, old)
