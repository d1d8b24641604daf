"""The clients of the SDK against servers that demand tokens."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from connectory.client.channel import ClientTls
from connectory.client.connector import ConnectorClient
from connectory.client.jobs import JobClient
from connectory.client.tokens import BearerToken
from connectory.errors import SettingsError, UnauthenticatedError
from connectory.v1 import connector_pb2 as pb
from connectory_cli.reaching import reach_from
from tests.connector_server.certificates import Authority
from tests.connector_server.fakes import TrivialConnector, TrivialSyncConnector
from tests.connector_server.harness import create_request, serving, template

FIRST = "the-first-token-of-good-length"
SECOND = "another-token-of-good-length"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "callers": [
                    {"name": "first", "scopes": ["*:*"], "token": FIRST},
                    {"name": "second", "scopes": ["trivial:*"], "token": SECOND},
                ]
            }
        )
    )
    return path


@pytest.fixture
def brought(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "token"
    path.write_text(f"{FIRST}\n")
    return path


async def test_every_kind_of_call_brings_the_token(tokens: Path, brought: Path) -> None:
    token = BearerToken.in_file(brought)
    async with serving(TrivialConnector(), TrivialSyncConnector(), tokens=tokens) as peer:
        target = peer.server.addresses[0]
        async with ConnectorClient(target, token=token) as client, JobClient(target, token=token) as jobs:
            handle = (await client.create(create_request("trivial", key="one"))).resource_meta
            about = pb.GetTaskRequest(task_category=pb.TaskCategory(name="trivial"), resource_meta=handle)
            assert (await client.get(about)).resource.phase
            assert (await client.execute(pb.CreateRequestHeader(template=template("trivial_sync")))).phase
            assert await client.connectors()
            assert (await jobs.job("one")).key == "one"


async def test_a_token_that_is_exchanged_is_used_for_the_next_call(tokens: Path, brought: Path) -> None:
    async with (
        serving(TrivialConnector(), tokens=tokens) as peer,
        ConnectorClient(peer.server.addresses[0], token=BearerToken.in_file(brought)) as client,
    ):
        await client.create(create_request("trivial"))
        write(brought, "a-token-that-nobody-knows-here")
        with pytest.raises(UnauthenticatedError, match=r"not known here.*CONNECTORY_TOKEN_FILE") as caught:
            await client.create(create_request("trivial"))
        assert caught.value.reason == "TOKEN_REFUSED"
        write(brought, SECOND)
        await client.create(create_request("trivial"))
        write(brought, "")
        await client.create(create_request("trivial"))
        os.remove(brought)
        await client.create(create_request("trivial"))


async def test_without_a_token_the_remedy_is_named(tokens: Path) -> None:
    async with (
        serving(TrivialConnector(), tokens=tokens) as peer,
        ConnectorClient(peer.server.addresses[0]) as client,
    ):
        with pytest.raises(UnauthenticatedError, match=r"brings no token.*CONNECTORY_TOKEN_FILE") as caught:
            await client.create(create_request("trivial"))
        assert caught.value.reason == "NO_TOKEN"


async def test_over_tls_with_what_the_environment_says(tokens: Path, brought: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    key, cert = authority.issue("server")
    own_key, own_cert = authority.issue("client")
    options = {"tls_cert": cert, "tls_key": key, "tls_client_ca": authority.cert, "tokens": tokens}
    environ = {
        "CONNECTORY_TOKEN_FILE": str(brought),
        "CONNECTORY_CLIENT_CA": str(authority.cert),
        "CONNECTORY_CLIENT_CERT": str(own_cert),
        "CONNECTORY_CLIENT_KEY": str(own_key),
    }
    async with (
        serving(TrivialConnector(), addresses=["127.0.0.1:0"], **options) as peer,
        reach_from(environ).connectors(peer.server.addresses[0]) as client,
    ):
        assert await client.connectors()


@pytest.mark.parametrize("target", ["db.example:8000", "10.0.0.7:8000", "dns:///connectory.flows.svc:8000", "nonsense"])
def test_no_token_goes_to_another_machine_in_plain_text_unless_told_so(target: str) -> None:
    with pytest.raises(SettingsError, match=f"{target}.*plain text.*CONNECTORY_TOKEN_PLAIN_TEXT=true"):
        ConnectorClient(target, token=BearerToken.of(FIRST))
    ConnectorClient(target, token=BearerToken.of(FIRST), tls=ClientTls())
    ConnectorClient(target, token=BearerToken.of(FIRST, plain_text=True))
    reach_from({"CONNECTORY_TOKEN": FIRST, "CONNECTORY_TOKEN_PLAIN_TEXT": "true"}).control(target)


@pytest.mark.parametrize("target", ["127.0.0.1:8000", "localhost:8000", "unix:/run/c.sock", "ipv6:[::1]:8000"])
def test_what_stays_on_this_machine_needs_no_tls(target: str) -> None:
    JobClient(target, token=BearerToken.of(FIRST))


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"CONNECTORY_TOKEN_FILE": "no/such/file"}, "'no/such/file' cannot be read"),
        ({"CONNECTORY_TOKEN": "two words"}, "holds no token"),
        ({"CONNECTORY_CLIENT_CA": "none.pem"}, "none.pem cannot be read"),
        ({"CONNECTORY_CLIENT_CERT": "cert.pem"}, "belong together"),
    ],
)
def test_what_the_environment_says_and_cannot_be_used_is_named(environ: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        reach_from(environ)


def test_a_token_is_not_shown() -> None:
    assert FIRST not in repr(BearerToken.of(FIRST))


def write(path: Path, text: str) -> None:
    path.write_text(text)
