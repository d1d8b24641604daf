"""Who is let in, what they may do, and what is written down about it."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
import yaml

from connector_server.guarding import OPERATION_SCOPES
from connector_server.jobs import JOB_OPERATIONS
from connector_server.reloading.service import RELOAD
from connector_server.services import OPERATIONS
from connectory.errors import SettingsError
from connectory.rpc.access.jwt_tokens import keys_at
from connectory.rpc.access.operations import KNOWN_OPERATIONS
from connectory.rpc.access.tokens import TokenFile
from connectory.v1 import connector_pb2 as pb
from tests.connector_server.fakes import TrivialConnector, TrivialSyncConnector
from tests.connector_server.harness import Peer, create_request, error_info, execute_messages, serving, template
from tests.connector_server.issuers import ISSUER, Issuer

ENGINE = "an-engine-token-of-good-length"
READER = "a-readers-token-of-good-length"


def bearer(token: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {token}")]


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens.yaml"
    callers = [
        {"name": "engine", "scopes": ["trivial:*", "trivial_sync:execute"], "token": ENGINE},
        {"name": "reader", "scopes": ["*:get"], "sha256": hashlib.sha256(READER.encode()).hexdigest()},
    ]
    path.write_text(yaml.safe_dump({"callers": callers}))
    return path


def server(**options: Any) -> AbstractAsyncContextManager[Peer]:
    return serving(TrivialConnector(), TrivialSyncConnector(), **options)


async def created(peer: Peer, token: str = ENGINE) -> bytes:
    answer = await peer.jobs.CreateTask(create_request("trivial"), metadata=bearer(token))
    handle: bytes = answer.resource_meta
    return handle


def about(handle: bytes) -> Mapping[str, Any]:
    return {"task_category": pb.TaskCategory(name="trivial"), "resource_meta": handle}


def write(path: Path, text: str) -> None:
    path.write_text(text)


def read_lines(*paths: Path) -> list[Any]:
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details() or ""


async def test_without_a_known_token_nobody_gets_in(tokens: Path) -> None:
    async with server(tokens=tokens) as peer:
        request = create_request("trivial")
        for metadata, said in (
            (None, "brings no token"),
            ([("authorization", "Basic abc")], "no bearer token"),
            ([("authorization", "Bearer ")], "no bearer token"),
            (bearer("a-token-that-nobody-has-given-out"), "not known here"),
        ):
            code, details = await refusal(peer.jobs.CreateTask(request, metadata=metadata))
            assert code is grpc.StatusCode.UNAUTHENTICATED
            assert said in details
        stream = peer.sync.ExecuteTaskSync(iter(execute_messages(template("trivial_sync"))))
        assert (await refusal(stream.read()))[0] is grpc.StatusCode.UNAUTHENTICATED
        assert (await refusal(peer.metadata.ListConnectors(pb.ListConnectorsRequest())))[0] is (
            grpc.StatusCode.UNAUTHENTICATED
        )


async def test_a_stranger_is_not_told_whether_a_message_is_well_formed(tokens: Path) -> None:
    async with server(tokens=tokens) as peer:
        call = peer.channel.unary_unary("/connectory.v1.AsyncConnectorService/CreateTask")
        assert (await refusal(call(b"\xff\xff")))[0] is grpc.StatusCode.UNAUTHENTICATED
        assert (await refusal(call(b"\xff\xff", metadata=bearer(ENGINE))))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_scopes_say_who_may_do_what(tokens: Path) -> None:
    async with server(tokens=tokens) as peer:
        handle = await created(peer)
        got = await peer.jobs.GetTask(pb.GetTaskRequest(**about(handle)), metadata=bearer(READER))
        assert got.resource.phase
        code, details = await refusal(
            peer.jobs.DeleteTask(pb.DeleteTaskRequest(**about(handle)), metadata=bearer(READER))
        )
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert details == ("reader may not delete tasks of type 'trivial'; its scopes: *:get; it needs trivial:delete")
        await peer.jobs.DeleteTask(pb.DeleteTaskRequest(**about(handle)), metadata=bearer(ENGINE))
        answers = peer.sync.ExecuteTaskSync(iter(execute_messages(template("trivial_sync"))), metadata=bearer(ENGINE))
        assert [answer async for answer in answers]
        denied = peer.sync.ExecuteTaskSync(iter(execute_messages(template("trivial_sync"))), metadata=bearer(READER))
        assert (await refusal(denied.read()))[0] is grpc.StatusCode.PERMISSION_DENIED
        listed = await peer.metadata.ListConnectors(pb.ListConnectorsRequest(), metadata=bearer(READER))
        assert listed.connectors


async def test_health_needs_no_token(tokens: Path) -> None:
    async with server(tokens=tokens) as peer:
        check = peer.channel.unary_unary("/grpc.health.v1.Health/Check")
        assert await check(b"")


def test_a_changed_file_counts_at_once_and_a_broken_one_never(tokens: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = TokenFile(tokens, check_every=0)
    assert file.caller(ENGINE).name == "engine"
    tokens.write_text("callers: [")
    assert file.caller(ENGINE).name == "engine"
    assert "is not used" in caplog.text
    tokens.write_text(yaml.safe_dump({"callers": [{"name": "other", "scopes": [], "token": READER}]}))
    os.utime(tokens, ns=(time.time_ns(), time.time_ns()))
    assert file.caller(READER).name == "other"
    with pytest.raises(Exception, match="not known here"):
        file.caller(ENGINE)


@pytest.mark.parametrize(
    ("callers", "said"),
    [
        ([{"name": "a", "scopes": ["sql:*"]}], "needs either `token` or `sha256`"),
        ([{"name": "a", "scopes": ["sql:*"], "token": "short"}], "fewer than 16"),
        ([{"name": "a", "scopes": ["sql: get"], "token": ENGINE}], "'sql: get' is no scope"),
        ([{"name": "a", "scopes": [], "sha256": "zz"}], "64 hexadecimal digits"),
        ([{"name": "a", "scopes": [], "token": ENGINE}, {"name": "b", "scopes": [], "token": ENGINE}], "same token"),
        ([{"name": "a", "scope": [], "token": ENGINE}], "scope"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_at_the_start(callers: Any, said: str, tmp_path: Path) -> None:
    path = tmp_path / "tokens.yaml"
    path.write_text(yaml.safe_dump({"callers": callers}))
    with pytest.raises(SettingsError, match=said):
        TokenFile(path)


def test_a_scope_with_a_word_that_means_nothing_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tokens.yaml"
    scopes = ["sql:*", "sql:craete", "*:get", "http"]
    path.write_text(yaml.safe_dump({"callers": [{"name": "a", "scopes": scopes, "token": "1" * 16}]}))
    assert TokenFile(path).caller("1" * 16).name == "a"
    (told,) = [one.getMessage() for one in caplog.records]
    assert "the scope sql:craete of caller 'a' allows nothing" in told
    assert "create" in told.partition("none of")[2]


def by_jwt(issuer: Issuer) -> dict[str, Any]:
    return {"jwt_jwks": str(issuer.path), "jwt_issuer": ISSUER, "jwt_audience": "connectory", "jwt_leeway": 10}


async def test_a_signed_token_lets_in_with_the_scopes_that_are_ours(issuer: Issuer) -> None:
    async with server(**by_jwt(issuer)) as peer:
        for scopes in ({"scope": "openid profile trivial:create"}, {"scope": None, "scp": ["trivial:create", "a:b:c"]}):
            handle = await created(peer, issuer.token(**scopes))
            code, details = await refusal(
                peer.jobs.GetTask(pb.GetTaskRequest(**about(handle)), metadata=bearer(issuer.token(**scopes)))
            )
            assert (code, "anna may not get" in details) == (grpc.StatusCode.PERMISSION_DENIED, True)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example.com"},
        {"aud": "another-service"},
        {"exp": time.time() - 3600},
        {"nbf": time.time() + 3600},
        {"exp": None},
        {"sub": None},
    ],
)
async def test_a_token_that_is_not_good_is_refused(issuer: Issuer, claims: dict[str, Any]) -> None:
    async with server(**by_jwt(issuer)) as peer:
        code, details = await refusal(
            peer.jobs.CreateTask(create_request("trivial"), metadata=bearer(issuer.token(**claims)))
        )
        assert (code, "token is refused" in details) == (grpc.StatusCode.UNAUTHENTICATED, True)


async def test_clocks_may_differ_by_the_leeway(issuer: Issuer) -> None:
    async with server(**by_jwt(issuer)) as peer:
        assert await created(peer, issuer.token(exp=time.time() - 2, nbf=time.time() + 2))


async def test_forged_tokens_are_refused(issuer: Issuer, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    forger = Issuer(tmp_path / "other")
    forger.rotate("first")
    unsigned = jwt.encode({"iss": ISSUER, "aud": "connectory", "sub": "x", "exp": time.time() + 60}, None, "none")
    shared = jwt.encode(
        {"iss": ISSUER, "aud": "connectory", "sub": "x", "exp": time.time() + 60},
        "a secret that both sides share and everybody knows",
        "HS256",
    )
    async with server(**by_jwt(issuer)) as peer:
        for token in (forger.token(), unsigned, shared, "a.b.c", "nonsense"):
            call = peer.jobs.CreateTask(create_request("trivial"), metadata=bearer(token))
            assert (await refusal(call))[0] is grpc.StatusCode.UNAUTHENTICATED


async def test_keys_may_be_exchanged_while_the_server_runs(issuer: Issuer) -> None:
    async with server(**by_jwt(issuer)) as peer:
        before = issuer.token()
        assert await created(peer, before)
        issuer.rotate("second")
        assert await created(peer, issuer.token())
        assert await created(peer, before), "what was found good stays good for a while"


@pytest.fixture(params=["file", "url"])
def place(request: pytest.FixtureRequest, issuer: Issuer) -> Iterator[str]:
    """Where the issuer's keys are."""
    if request.param == "file":
        yield str(issuer.path)
        return

    with issuer.published() as url:
        yield url


@pytest.mark.parametrize("broken", ["<html>sign in</html>", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}'])
async def test_keys_that_cannot_be_read_are_no_fault_of_the_token(issuer: Issuer, place: str, broken: str) -> None:
    good = issuer.path.read_text()
    async with server(**{**by_jwt(issuer), "jwt_jwks": place}) as peer:
        issuer.path.write_text(broken)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await created(peer, issuer.token())
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "keys" in (refused.value.details() or "")
        issuer.path.write_text(good)
        assert await created(peer, issuer.token())


@pytest.mark.parametrize("written", ["[]", "<html>", '{"keys": []}', '"keys"'])
def test_a_file_of_keys_that_cannot_be_used_is_refused_at_the_start(issuer: Issuer, written: str) -> None:
    issuer.path.write_text(written)
    with pytest.raises(SettingsError, match=r"jwks\.json' cannot be used"):
        keys_at(str(issuer.path))


async def test_both_kinds_of_token_may_be_used_beside_each_other(issuer: Issuer, tokens: Path) -> None:
    async with server(**by_jwt(issuer), tokens=tokens) as peer:
        assert await created(peer, issuer.token())
        assert await created(peer, ENGINE)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "handle-keys"
    path.write_text("1" * 64 + "\n")
    return path


async def test_a_handle_that_somebody_made_up_is_refused(keys: Path) -> None:
    async with server(handle_keys=keys) as peer:
        handle = await created(peer)
        assert await peer.jobs.GetTask(pb.GetTaskRequest(**about(handle)))
        content = json.loads(handle)
        for forged in (
            json.dumps({**content, "job": {"job_id": "another"}}, separators=(",", ":")).encode(),
            json.dumps({name: content[name] for name in content if name != "sig"}).encode(),
            handle[:-10] + b"AAAAAAAA" + handle[-2:],
            b"",
        ):
            for call, request in (
                (peer.jobs.GetTask, pb.GetTaskRequest(**about(forged))),
                (peer.jobs.DeleteTask, pb.DeleteTaskRequest(**about(forged))),
            ):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call(request)
                assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
                assert error_info(caught.value).reason == "FOREIGN_HANDLE"


async def test_handles_signed_with_an_older_key_are_taken(keys: Path) -> None:
    async with server(handle_keys=keys) as peer:
        handle = await created(peer)
    write(keys, "2" * 64 + "\n" + "1" * 64)
    async with server(handle_keys=keys) as peer:
        assert await peer.jobs.GetTask(pb.GetTaskRequest(**about(handle)))
        newer = await created(peer)
    write(keys, "2" * 64)
    async with server(handle_keys=keys) as peer:
        assert await peer.jobs.GetTask(pb.GetTaskRequest(**about(newer)))
        assert (await refusal(peer.jobs.GetTask(pb.GetTaskRequest(**about(handle)))))[0] is (
            grpc.StatusCode.INVALID_ARGUMENT
        )


async def test_short_keys_are_refused(keys: Path) -> None:
    write(keys, "abc")
    with pytest.raises(SettingsError, match="at least 32 characters"):
        async with server(handle_keys=keys):
            raise AssertionError("it must not serve")


async def test_the_audit_log_says_who_did_what_and_who_was_refused(tokens: Path, tmp_path: Path) -> None:
    place = tmp_path / "audit.jsonl"
    async with server(tokens=tokens, audit_log=str(place)) as peer:
        request = create_request("trivial", key="key-1")
        handle = (await peer.jobs.CreateTask(request, metadata=bearer(ENGINE))).resource_meta
        await peer.jobs.GetTask(pb.GetTaskRequest(**about(handle)), metadata=bearer(ENGINE))
        await refusal(peer.jobs.DeleteTask(pb.DeleteTaskRequest(**about(handle)), metadata=bearer(READER)))
        await refusal(peer.jobs.GetTask(pb.GetTaskRequest(**about(handle))))
        os.rename(place, tmp_path / "moved.jsonl")
        await peer.jobs.DeleteTask(pb.DeleteTaskRequest(**about(handle)), metadata=bearer(ENGINE))
    lines = read_lines(tmp_path / "moved.jsonl", place)
    said = [(line["caller"], line["operation"], line["code"]) for line in lines]
    assert said == [
        ("engine", "CreateTask", "OK"),
        ("reader", "DeleteTask", "PERMISSION_DENIED"),
        ("-", "GetTask", "UNAUTHENTICATED"),
        ("engine", "DeleteTask", "OK"),
    ]
    assert lines[0]["key"] == "key-1"
    assert lines[1]["handle"] == lines[3]["handle"]
    everything = json.dumps(lines)
    assert ENGINE not in everything
    assert READER not in everything


async def test_an_audit_log_that_cannot_be_written_fails_no_call_and_loses_no_entry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "folder" / "audit.jsonl"
    log.parent.mkdir()
    async with serving(TrivialConnector(), audit_log=str(log)) as peer:
        await peer.jobs.CreateTask(create_request("trivial", key="first"))
        shutil.rmtree(log.parent)
        await peer.jobs.CreateTask(create_request("trivial", key="second"))
        log.parent.mkdir()
        await peer.jobs.CreateTask(create_request("trivial", key="third"))
        log.unlink()
        log.symlink_to("/dev/full")
        await peer.jobs.CreateTask(create_request("trivial", key="fourth"))
        log.unlink()
        await peer.jobs.CreateTask(create_request("trivial", key="fifth"))
        await peer.jobs.CreateTask(create_request("trivial", key="sixth"))
    told = [one.getMessage() for one in caplog.records if one.name == "connectory.audit"]
    assert ['"second"' in told[0], '"fourth"' in told[1], len(told)] == [True, True, 2]
    assert "No space left" in told[1]
    assert [json.loads(line)["key"] for line in log.read_text().splitlines()] == ["fifth", "sixth"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"jwt_jwks": "keys.json"}, "needs jwt_issuer and jwt_audience"),
        ({"jwt_jwks": "none.json", "jwt_issuer": ISSUER, "jwt_audience": "a"}, "jwt_jwks='none.json' cannot be used"),
        ({"audit_log": "no/such/folder/audit.jsonl"}, "audit_log='no/such/folder/audit.jsonl' cannot be written"),
        ({"tokens": Path("none.yaml")}, "tokens='none.yaml' cannot be used"),
    ],
)
async def test_settings_of_access_that_cannot_work_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        async with server(**options):
            raise AssertionError("it must not serve")


async def test_tokens_in_plain_text_do_not_make_a_public_address_safe(tokens: Path) -> None:
    with pytest.raises(SettingsError, match="tokens in plain text can be read on the way"):
        async with server(tokens=tokens, addresses=["0.0.0.0:0"]):
            raise AssertionError("it must not serve")


def test_every_operation_has_a_scope() -> None:
    asked = set(OPERATION_SCOPES) | {"GetConnector", "ListConnectors"}
    assert {*OPERATIONS, *JOB_OPERATIONS, RELOAD} == asked
    assert set(OPERATION_SCOPES.values()) <= KNOWN_OPERATIONS


async def test_jobs_of_all_types_need_a_scope_for_all_types(tokens: Path) -> None:
    async with server(tokens=tokens) as peer:
        call = peer.channel.unary_unary("/connectory.v1.JobService/ListJobs")
        assert (await refusal(call(b"")))[0] is grpc.StatusCode.UNAUTHENTICATED
        code, details = await refusal(call(b"", metadata=bearer(ENGINE)))
        assert (code, "needs *:jobs" in details) == (grpc.StatusCode.PERMISSION_DENIED, True)
