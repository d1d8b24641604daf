"""A server is looked at as its callers meet it."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import jwt
import pytest

from connector_server.app import serve
from connector_server.settings import ServerSettings
from connectors.echo import EchoConnector
from connectory.connector.registry import BrokenConnector
from connectory_cli.doctor.clocks import clocks
from connectory_cli.doctor.findings import Finding
from connectory_cli.doctor.reachability import reachability
from connectory_cli.reaching import reach_from
from tests.cli.doctor.patients import messages, patient, told
from tests.connector_server.certificates import Authority
from tests.connector_server.harness import registry_of, serving

TOKEN = "a-token-of-the-doctor"


async def looked(folder: Path, address: str, **options: Any) -> list[Finding]:
    """What is found while the server answers in this loop."""
    examined = patient(folder, address=address, **options)
    return await asyncio.to_thread(told, reachability, examined)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_a_healthy_server_on_a_socket(tmp_path: Path) -> None:
    async with serving(EchoConnector()) as peer:
        found = await looked(tmp_path, peer.server.addresses[0])
    assert {one.level for one in found} == {"ok"}
    assert [one.message.partition(":")[0] for one in found] == [
        "somebody answers",
        "health",
        "reflection",
        "it lists 1 connectors",
    ]


async def test_nobody_there(tmp_path: Path) -> None:
    (finding,) = await looked(tmp_path, f"unix:{tmp_path}/no.sock")
    assert finding.level == "fail"
    assert "nobody answers" in finding.message
    (finding,) = await looked(tmp_path, "somewhere")
    assert "neither HOST:PORT nor unix:/PATH" in finding.message
    own = patient(tmp_path, settings={"uds": [tmp_path / "own.sock"]})
    (finding,) = await asyncio.to_thread(told, reachability, own)
    assert finding.level == "warn", "a server of one's own need not run"


class _Ill(EchoConnector):
    name = "Ill"
    task_type = "ill"

    def check(self) -> None:
        raise RuntimeError("the system is away")


async def test_connectors_that_cannot_work_or_are_broken(tmp_path: Path) -> None:
    registry = registry_of([EchoConnector(), _Ill()])
    registry.add_broken(BrokenConnector(name="torn", source="module torn", reason="ModuleNotFoundError: no torn"))
    async with serving(registry=registry) as peer:
        failed = messages(await looked(tmp_path, peer.server.addresses[0]), "fail")
    assert any("connector torn is broken: ModuleNotFoundError" in said for said in failed)
    assert any("health of connector/ill@0: NOT_SERVING" in said for said in failed)
    assert len(failed) == 2


@pytest.fixture
async def secured(tmp_path: Path, authority: Authority) -> AsyncIterator[str]:
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text(f'callers: [{{name: doctor, scopes: ["*:*"], token: {TOKEN}}}]')
    key, cert = authority.issue("server")
    settings = ServerSettings(addresses=["127.0.0.1:0"], tls_cert=cert, tls_key=key, tokens=tokens)
    async with serve(settings, registry=registry_of([EchoConnector()])) as server:
        yield server.addresses[0]


async def test_tls_and_a_token(tmp_path: Path, authority: Authority, secured: str) -> None:
    reach = reach_from({"CONNECTORY_CLIENT_CA": str(authority.cert), "CONNECTORY_TOKEN": TOKEN})
    found = await looked(tmp_path, secured, reach=reach)
    assert {one.level for one in found} == {"ok"}
    said = messages(found, "ok")
    assert any("TLS: TLSv1.3, for 127.0.0.1" in message for message in said)
    assert any("it lists 1 connectors with our token" in message for message in said)
    assert TOKEN not in str(found)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "it wants a token"),
        ({"CONNECTORY_TOKEN": "another-token-of-ours"}, "it does not take our token"),
        ({"CONNECTORY_CLIENT_SERVER_NAME": "elsewhere.example"}, "its certificate is refused: Hostname mismatch"),
    ],
)
async def test_why_a_server_lets_us_not_in(
    tmp_path: Path, authority: Authority, secured: str, environ: dict[str, str], said: str
) -> None:
    reach = reach_from({"CONNECTORY_CLIENT_CA": str(authority.cert), **environ})
    assert any(said in message for message in messages(await looked(tmp_path, secured, reach=reach), "fail"))


async def test_certificates_that_nobody_signed_whom_we_trust(tmp_path: Path, secured: str) -> None:
    reach = reach_from({"CONNECTORY_CLIENT_CA": str(Authority(tmp_path, "stranger").cert)})
    (said,) = messages(await looked(tmp_path, secured, reach=reach), "fail")
    assert "its certificate is refused" in said


async def test_plain_text_and_tls_are_told_apart(tmp_path: Path, authority: Authority, secured: str) -> None:
    (finding,) = [one for one in await looked(tmp_path, secured) if one.level == "fail"]
    assert "say whom to trust: --tls-ca" in finding.remedy
    reach = reach_from({"CONNECTORY_CLIENT_CA": str(authority.cert)})
    async with serving(EchoConnector(), addresses=["127.0.0.1:0"]) as peer:
        (said,) = messages(await looked(tmp_path, peer.server.addresses[0], reach=reach), "fail")
    assert "it speaks no TLS" in said


async def http_answer(date: str, body: str = '{"keys": []}') -> tuple[asyncio.Server, str]:
    """A server that answers everything alike, with this date."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(f"{head}{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"


def stamp(moment: float) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(moment))


@pytest.mark.parametrize(("off", "level"), [(0.0, "ok"), (-10.0, "warn"), (3600.0, "fail")])
async def test_clocks_are_compared_with_the_issuer_of_tokens(tmp_path: Path, off: float, level: str) -> None:
    server, url = await http_answer(stamp(time.time() + off))
    settings = {"jwt_jwks": url, "jwt_issuer": "i", "jwt_audience": "a"}
    async with server:
        found = await asyncio.to_thread(told, clocks, patient(tmp_path, settings=settings))
    assert [(one.about, str(one.level)) for one in found] == [("jwt_jwks", "ok"), (f"clock of {url}", level)]


async def test_an_issuer_that_is_away_or_has_no_keys(tmp_path: Path) -> None:
    server, url = await http_answer(stamp(time.time()), body="<html>")
    settings = {"jwt_jwks": url, "jwt_issuer": "i", "jwt_audience": "a"}
    async with server:
        found = await asyncio.to_thread(told, clocks, patient(tmp_path, settings=settings))
    assert "gives no keys" in messages(found, "fail")[0]
    found = await asyncio.to_thread(told, clocks, patient(tmp_path, settings=settings))
    assert "cannot be fetched" in messages(found, "fail")[0]


def levels_of(folder: Path, claims: dict[str, float]) -> Iterable[str]:
    token = jwt.encode(claims, "a key that nobody looks at, long enough", algorithm="HS256")
    return [str(one.level) for one in told(clocks, patient(folder, environ={"CONNECTORY_TOKEN": token}))]


def test_a_signed_token_of_ours_is_read_for_its_times(tmp_path: Path) -> None:
    now = time.time()
    assert levels_of(tmp_path, {"exp": now + 3600, "iat": now}) == ["ok"]
    assert levels_of(tmp_path, {"exp": now - 10}) == ["fail"]
    assert levels_of(tmp_path, {"exp": now + 900, "iat": now + 600}) == ["ok", "warn"]
