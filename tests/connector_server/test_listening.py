"""What the server listens on: taken addresses, stale and live sockets, several at once."""

import socket
import stat
from pathlib import Path

import grpc
import pytest

from connectory.errors import SettingsError
from connectory.v1 import services_pb2_grpc
from tests.connector_server.fakes import TrivialConnector
from tests.connector_server.harness import create_request, serving


async def create(target: str) -> bytes:
    async with grpc.aio.insecure_channel(target) as channel:
        stub = services_pb2_grpc.AsyncConnectorServiceStub(channel)
        handle: bytes = (await stub.CreateTask(create_request("trivial"))).resource_meta
        return handle


async def test_several_addresses_and_sockets_answer(tmp_path: Path) -> None:
    sockets = [tmp_path / "one.sock", tmp_path / "two.sock"]
    async with serving(TrivialConnector(), addresses=["127.0.0.1:0", "localhost:0"], uds=sockets) as peer:
        assert len(peer.server.addresses) == 4
        for target in peer.server.addresses:
            assert not target.endswith(":0")
            assert await create(target)


async def test_a_taken_port_is_refused() -> None:
    async with serving(TrivialConnector(), addresses=["127.0.0.1:0"]) as peer:
        with pytest.raises(SettingsError, match="choose a free port"):
            async with serving(TrivialConnector(), addresses=[peer.server.addresses[0]]):
                raise AssertionError("it must not serve")


async def test_a_socket_is_for_its_owner_only_and_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    async with serving(TrivialConnector(), uds=[path]):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_the_socket_of_a_dead_server_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert path.exists()
    async with serving(TrivialConnector(), uds=[path]) as peer:
        assert await create(peer.server.addresses[0])


async def test_the_socket_of_a_live_server_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "server.sock"
    async with serving(TrivialConnector(), uds=[path]) as peer:
        with pytest.raises(SettingsError, match="in use by a running server"):
            async with serving(TrivialConnector(), uds=[path]):
                raise AssertionError("it must not serve")
        assert await create(peer.server.addresses[0])


async def test_a_path_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(SettingsError, match="not a socket"):
        async with serving(TrivialConnector(), uds=[path]):
            raise AssertionError("it must not serve")
    assert path.read_text() == "mine"


@pytest.mark.parametrize("path", [Path("missing") / "server.sock", Path("x" * 120)])
async def test_a_path_that_cannot_be_a_socket_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="uds="):
        async with serving(TrivialConnector(), uds=[tmp_path / path]):
            raise AssertionError("it must not serve")
