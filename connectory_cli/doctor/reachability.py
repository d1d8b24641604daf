"""A server as its callers meet it: connection, TLS, health, reflection, connectors, and whether it takes the token."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from connectory.client.channel import open_channel
from connectory.errors import ConnectoryError
from connectory.testing.wire.peer import Answer, Peer
from connectory_cli.doctor.certificates import dates
from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.patient import Patient
from connectory_cli.doctor.pem import facts_of
from connectory_cli.reaching import Reach

__all__ = ["reachability"]

Code = grpc.StatusCode
_START = "start it with `connectory serve`, or name the right one with --address"


def reachability(patient: Patient) -> Iterator[Finding]:
    """Each server that was named, or that the settings describe."""
    for target in patient.targets:
        yield from _reached(target, patient)


def _reached(target: str, patient: Patient) -> Iterator[Finding]:
    reach = patient.reach
    if reach is None:
        yield fail(
            target, "it was not called, because it cannot be told how", "correct the CONNECTORY_CLIENT_ variables"
        )
        return
    refused = _connect(target, patient.wait)
    if refused is not None:
        silent = fail if patient.address else warn
        yield silent(target, f"nobody answers: {refused}", _START)
        return
    yield ok(target, "somebody answers")
    is_tls = reach.tls is not None and not target.startswith("unix:")
    own_tls = patient.settings is not None and patient.settings.tls_cert is not None and not patient.address
    if own_tls and not is_tls and not target.startswith("unix:"):
        yield warn(
            target,
            "it speaks TLS, and nothing says whom to trust, so it is not called",
            "name its authority: --tls-ca FILE or CONNECTORY_CLIENT_CA, and a client certificate where it wants one",
        )
        return
    if is_tls:
        shaken = list(_handshake(target, reach, patient.wait))
        yield from shaken
        if any(finding.level == "fail" for finding in shaken):
            return
    yield from asyncio.run(_called(target, reach, patient.wait))


def _connect(target: str, wait: float) -> str | None:
    """Why nobody answers; None: somebody does."""
    try:
        if target.startswith("unix:"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(wait)
                client.connect(target.removeprefix("unix:").removeprefix("//"))
        else:
            socket.create_connection(_place(target), timeout=wait).close()
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _place(target: str) -> tuple[str, int]:
    host, _, port = target.removeprefix("dns:///").removeprefix("dns:").rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{target!r} is neither HOST:PORT nor unix:/PATH")
    return host.strip("[]"), int(port)


def _handshake(target: str, reach: Reach, wait: float) -> Iterator[Finding]:
    tls = reach.tls
    assert tls is not None
    context = ssl.create_default_context(cafile=tls.root_certificate)
    context.set_alpn_protocols(["h2"])
    if tls.certificate and tls.key:
        context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
    host, port = _place(target)
    try:
        with (
            socket.create_connection((host, port), timeout=wait) as plain,
            context.wrap_socket(plain, server_hostname=tls.server_name or host) as secured,
        ):
            facts = facts_of(secured.getpeercert() or {})
            version = secured.version()
    except ssl.SSLCertVerificationError as error:
        yield fail(
            target,
            f"its certificate is refused: {error.verify_message}",
            "renew it, or trust its authority (--tls-ca), or give the name in it (--tls-name)",
        )
    except ssl.SSLError as error:
        said = (error.reason or str(error)).replace("_", " ").lower()
        yield fail(target, f"it speaks no TLS: {said}", "leave --tls-ca and CONNECTORY_CLIENT_CA out for this server")
    except OSError as error:
        yield fail(target, f"the TLS handshake was broken off: {error}", "see the server's log")
    else:
        yield ok(target, f"TLS: {version}, for {', '.join(facts.names)}, signed by whom we trust")
        yield dates(target, facts)


async def _called(target: str, reach: Reach, wait: float) -> list[Finding]:
    tls = None if target.startswith("unix:") else reach.tls
    found: list[Finding] = []
    async with open_channel(target, tls=tls) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        found.append(await _health(target, health, "", wait))
        if found[0].level == "fail":
            return found
        found.append(await _reflection(target, channel, wait))
        found += await _connectors(target, reach, health, wait)
    return found


async def _health(target: str, stub: Any, service: str, wait: float) -> Finding:
    what = f"health of {service}" if service else "health"
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=wait)
    except grpc.aio.AioRpcError as error:
        if error.code() is Code.UNIMPLEMENTED:
            return warn(target, "it offers no health", "serve grpc.health.v1.Health, which probes ask")
        remedy = "if it speaks TLS, say whom to trust: --tls-ca; if it wants client certificates, give one"
        return fail(target, f"{what}: {error.code().name} ({error.details()})", remedy)
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return ok(target, f"{what}: {status}")
    return fail(target, f"{what}: {status}", "its log says why; a server that is being stopped answers so too")


async def _reflection(target: str, channel: Any, wait: float) -> Finding:
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]), timeout=wait)
    try:
        answer = await call.read()
    except grpc.aio.AioRpcError as error:
        return warn(target, f"reflection: {error.code().name}", "give generic tools the protos instead")
    names = [service.name for service in answer.list_services_response.service]
    call.cancel()
    return ok(target, f"reflection: {len(names)} services")


async def _connectors(target: str, reach: Reach, health: Any, wait: float) -> list[Finding]:
    tls = None if target.startswith("unix:") else reach.tls
    try:
        client = reach.connectors(target)
        await client.close()
        metadata = reach.token.metadata() if reach.token is not None else ()
    except ConnectoryError as error:
        return [fail(target, str(error), "correct the token or where it is sent")]
    peer = Peer(target, tls=tls, metadata=metadata)
    try:
        answer = await peer.find_family(timeout=wait)
    finally:
        await peer.close()
    if not answer.ok:
        return [_refused(target, answer, reach)]
    connectors = list(answer.message.connectors)
    token = " with our token" if reach.token is not None else ""
    found = [ok(target, f"it lists {len(connectors)} connectors{token}")]
    found += [
        fail(target, f"connector {one.name} is broken: {one.reason}", "mend or remove it; the others serve")
        for one in answer.message.broken
    ]
    categories = {(one.name, one.version) for each in connectors for one in each.supported_task_categories}
    asked = [_health(target, health, f"connector/{name}@{version}", wait) for name, version in sorted(categories)]
    found += [one for one in await asyncio.gather(*asked) if one.level == "fail" and "NOT_FOUND" not in one.message]
    return found


def _refused(target: str, answer: Answer, reach: Reach) -> Finding:
    if answer.code is Code.UNAUTHENTICATED and reach.token is None:
        return fail(target, "it wants a token", "give one: CONNECTORY_TOKEN_FILE, or CONNECTORY_TOKEN")
    if answer.code is Code.UNAUTHENTICATED:
        return fail(target, f"it does not take our token: {answer.detail}", "ask whoever runs it for a good one")
    if answer.code is Code.PERMISSION_DENIED:
        return fail(target, f"our token does not suffice: {answer.detail}", "ask for one with more scopes")
    if answer.code is Code.UNIMPLEMENTED:
        return warn(target, "it lists no connectors", "it is no connector server, or one of very old")
    return fail(target, f"it does not list its connectors: {answer}", "see the server's log")
