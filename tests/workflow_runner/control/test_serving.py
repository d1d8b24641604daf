"""The control API as a server: names, reflection, health, TLS, who may be listened to."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import message_factory
from grpc_health.v1 import health_pb2

from connectory.client.channel import ClientTls
from connectory.client.control import ControlClient
from connectory.client.uploading import upload
from connectory.errors import SettingsError
from connectory.v1 import control_pb2, launch_plan_pb2
from tests.connector_server.certificates import Authority
from tests.workflow_runner.control.harness import serving
from workflow_runner.control.descriptions import described
from workflow_runner.control.names import SERVICES
from workflow_runner.control.server import serve_control
from workflow_runner.control.settings import ControlSettings
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

LISTING = control_pb2.ResourceListRequest(id=launch_plan_pb2.NamedEntityIdentifier(project="p", domain="d"))
_SERVICES = ("AdminService", "SignalService", "DataProxyService", "AuthMetadataService")
OURS = {f"connectory.v1.{name}" for name in ("WatchService", "RecoveryService", "LogService")}
NAMES = {f"{package}.{service}" for package in ("connectory.v1", "flyteidl.service") for service in _SERVICES}
ANSWERED = (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND)


def test_every_service_answers_under_both_names() -> None:
    assert {served.name for served in SERVICES} == NAMES | OURS


@pytest.mark.parametrize("name", sorted(NAMES | OURS))
async def test_every_method_is_answered(name: str) -> None:
    """With its own words: what is empty is refused by whoever performs the method, and none is unknown."""
    async with serving() as control, grpc.aio.insecure_channel(control.server.addresses[0]) as channel:
        for method in described().FindServiceByName(name).methods:
            make = channel.unary_stream if method.server_streaming else channel.unary_unary
            call = make(
                f"/{name}/{method.name}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
            )(message_factory.GetMessageClass(method.input_type)())
            assert await call.code() in ANSWERED, method.name


async def test_health_is_told_of_every_name() -> None:
    async with serving() as control, grpc.aio.insecure_channel(control.server.addresses[0]) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        for name in ("", *NAMES):
            answer = await check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_over_tls_clients_trust_the_authority_and_uploads_are_encrypted_too(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    key, cert = authority.issue("server")
    settings = ControlSettings(addresses=("127.0.0.1:0",), tls_cert=cert, tls_key=key)
    prefix = str(tmp_path / "outputs")
    async with (
        Runner(open_store("memory://"), []) as runner,
        serve_control(settings, runner, output_prefix=prefix) as server,
    ):
        tls = ClientTls(root_certificate=authority.cert)
        async with ControlClient(server.addresses[0], tls=tls) as client:
            assert not (await client.list_executions(LISTING)).executions
            sent = await upload(client, b"secret", name="data", project="p", domain="d")
            assert await asyncio.to_thread(Path(sent).read_bytes) == b"secret"
        assert server.http_url.startswith("https://127.0.0.1:")
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=authority.cert)) as http:
            assert (await http.get(f"{server.http_url}/v1/data/x.y")).status_code == 403


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"addresses": ("0.0.0.0:8089",)}, "whoever reaches it can run code"),
        ({"http_address": "0.0.0.0:8090"}, "whoever reaches it can run code"),
        ({"addresses": ("nowhere",)}, "'nowhere' is not HOST:PORT"),
        ({"tls_cert": Path("cert.pem")}, "--tls-cert and --tls-key belong together"),
        ({"tls_client_ca": Path("ca.pem")}, "--tls-client-ca needs a server certificate"),
    ],
)
def test_settings_that_cannot_be_used_say_what_to_do(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        ControlSettings(**settings)


def test_a_public_address_is_accepted_when_the_risk_is() -> None:
    assert str(ControlSettings(addresses=("0.0.0.0:8089",), insecure_public=True).listen[0]) == "0.0.0.0:8089"
