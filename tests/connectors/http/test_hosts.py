"""A server whose operator allows some hosts sends requests to no other, by no trick."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from connectors.http import HttpConnector
from connectory.errors import PermissionDeniedError, UserError
from connectory.types import File
from connectory.web import SETTING, HostPolicy
from tests.connectors.calling import Caller
from tests.connectors.http.server import Answer, Site

CERTIFICATE = Path(__file__).parent / "untrusted.pem"


async def fetch(policy: HostPolicy, url: str, **config: object) -> dict[str, object]:
    connector = HttpConnector(policy)
    try:
        return await Caller(connector, {"url": url, **config}, outputs={"status": int}).execute()
    finally:
        await connector.close()


async def test_a_listed_internal_host_is_reached(web: Site) -> None:
    web.answers("/", Answer())

    assert await fetch(HostPolicy(["127.0.0.1"]), f"{web.url}/") == {"status": 200}
    assert await fetch(HostPolicy([f"localhost:{web.port}"]), f"http://localhost:{web.port}/") == {"status": 200}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "LOCALHOST"]
)
async def test_an_internal_host_is_refused_however_it_is_written(host: str, web: Site) -> None:
    with pytest.raises(PermissionDeniedError, match=SETTING):
        await fetch(HostPolicy(["*"]), f"http://{host}:{web.port}/")
    assert web.asked == []


async def test_a_host_that_is_not_listed_is_refused_before_its_name_is_resolved() -> None:
    with pytest.raises(PermissionDeniedError, match=r"requests to nowhere\.invalid:443 are not allowed"):
        await fetch(HostPolicy(["api.example.com"]), "https://nowhere.invalid/")


async def test_every_hop_of_a_redirect_is_checked(web: Site) -> None:
    web.answers("/", Answer(302, headers={"location": f"http://localhost:{web.port}/inside"}))

    with pytest.raises(PermissionDeniedError, match="localhost"):
        await fetch(HostPolicy(["127.0.0.1"]), f"{web.url}/", redirects=3)
    assert [asked.path for asked in web.asked] == ["/"]


async def test_a_body_is_not_read_from_a_web_server_past_the_setting(web: Site) -> None:
    web.answers("/inside", Answer(body=b"secret"))
    connector = HttpConnector(HostPolicy(["127.0.0.1"]))
    config = {"url": f"{web.url}/", "method": "PUT", "file": "data"}
    task = Caller(connector, config, inputs={"data": (File, File.stored(f"{web.url}/inside"))})

    with pytest.raises(PermissionDeniedError, match="copy the file into an object store"):
        await task.execute()
    assert web.asked == []
    await connector.close()


async def test_answers_of_all_kinds_come_through_the_checked_connection(web: Site) -> None:
    connector = HttpConnector(HostPolicy(["127.0.0.1"]))
    web.answers("/", Answer(body=b"x" * 100_000))
    web.answers("/none", Answer(204))
    for path, body in (("/", "x" * 100_000), ("/none", ""), ("/", "x" * 100_000)):
        task = Caller(connector, {"url": f"{web.url}{path}", "method": "POST", "json": {"a": 1}}, outputs={"body": str})
        assert await task.execute() == {"body": body}
    await connector.close()


@pytest.mark.parametrize("policy", [HostPolicy(), HostPolicy(["localhost"])])
async def test_a_certificate_that_nobody_trusts_is_refused(policy: HostPolicy) -> None:
    with secure_site() as port, pytest.raises(UserError, match="certificate is not trusted") as caught:
        await fetch(policy, f"https://localhost:{port}/")
    assert caught.value.reason == "UNTRUSTED_CERTIFICATE"


@pytest.mark.parametrize("policy", [HostPolicy(), HostPolicy(["localhost"])])
async def test_a_certificate_of_the_operators_own_authority_is_trusted(
    policy: HostPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    with secure_site() as port:
        assert await fetch(policy, f"https://localhost:{port}/") == {"status": 200}


@contextmanager
def secure_site() -> Iterator[int]:
    """A server with a certificate that it signed itself; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    class Server(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Callers that refuse the certificate hang up; that is what is wanted."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
