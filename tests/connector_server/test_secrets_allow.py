"""Which secrets a connector may read, and for which projects."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector_server.settings import ServerSettings
from connectory.client.connector import ConnectorClient
from connectory.connector.contract import (
    AsyncConnector,
    CreateContext,
    JobContext,
    LogLine,
    LogPage,
    LogRequest,
    MetricSeries,
    MetricsRequest,
    Phase,
    Resource,
)
from connectory.connector.handle_projects import project_of
from connectory.errors import PermissionDeniedError, SettingsError, UnauthenticatedError
from connectory.v1 import connector_pb2 as pb
from tests.connector_server.harness import create_request, serving

VALUES = {
    "CONNECTORY_SECRET_WAREHOUSE_PASSWORD": "the-password-of-the-warehouse",
    "CONNECTORY_SECRET_ADMIN_PASSWORD": "the-password-of-the-administrator",
    "CONNECTORY_SECRET_SHARED": "what-everybody-may-know",
}


@dataclass(frozen=True)
class Config:
    secret: str


@dataclass(frozen=True)
class Job:
    secret: str


class ReadingConnector(AsyncConnector[Config, Job]):
    """Reads the secret that its task names, when it creates and when it is asked."""

    name = "reading"
    task_type = "reading"

    def create(self, ctx: CreateContext[Config]) -> Job:
        _read(ctx.secrets, ctx.config.secret)
        return Job(ctx.config.secret)

    def get(self, job: Job, ctx: JobContext) -> Resource:
        _read(ctx.secrets, job.secret)
        return Resource(phase=Phase.SUCCEEDED)

    def delete(self, job: Job, ctx: JobContext) -> None:
        _read(ctx.secrets, job.secret)

    def logs(self, job: Job, request: LogRequest, ctx: JobContext) -> list[LogPage]:  # type: ignore[override]
        _read(ctx.secrets, job.secret)
        return [LogPage(lines=[LogLine(message="read")], token="1")]

    def metrics(self, job: Job, request: MetricsRequest, ctx: JobContext) -> list[MetricSeries]:
        _read(ctx.secrets, job.secret)
        return [MetricSeries(metric="reads")]


def _read(secrets: Any, wanted: str) -> None:
    group, _, key = wanted.rpartition("/")
    secrets.get(key, group=group or None)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VALUES.items():
        monkeypatch.setenv(name, value)


def request(secret: str, project: str = "") -> pb.CreateTaskRequest:
    asked = create_request("reading", {"secret": secret})
    asked.task_execution_metadata.task_execution_id.node_execution_id.execution_id.project = project
    return asked


async def refused(client: ConnectorClient, secret: str, project: str = "") -> str:
    with pytest.raises(PermissionDeniedError) as caught:
        await client.create(request(secret, project))
    assert caught.value.reason == "SECRET_NOT_ALLOWED"
    assert not any(value in str(caught.value) for value in VALUES.values())
    return caught.value.message


async def test_without_a_list_every_secret_may_be_read() -> None:
    async with serving(ReadingConnector()) as peer, ConnectorClient(peer.server.addresses[0]) as client:
        for secret in ("warehouse/password", "admin/password", "shared"):
            assert (await client.create(request(secret))).resource_meta


@pytest.mark.parametrize("name", ["reading", "*"])
async def test_only_what_is_listed_may_be_read(name: str) -> None:
    allowed = {name: ["warehouse/*", "sha*"]}
    async with (
        serving(ReadingConnector(), secrets_allow=allowed) as peer,
        ConnectorClient(peer.server.addresses[0]) as client,
    ):
        for secret in ("warehouse/password", "shared"):
            assert (await client.create(request(secret))).resource_meta
        said = await refused(client, "admin/password")
        assert said == (
            "connector reading may not read the secret 'admin/password'; whoever runs the server can allow it with"
            " secrets_allow, under reading"
        )
        await refused(client, "never-heard-of")


async def test_a_project_has_secrets_of_its_own() -> None:
    allowed = {"reading": ["shared", "ml:admin/password"]}
    async with (
        serving(ReadingConnector(), secrets_allow=allowed) as peer,
        ConnectorClient(peer.server.addresses[0]) as client,
    ):
        handle = (await client.create(request("admin/password", "ml"))).resource_meta
        assert "for project 'web'" in await refused(client, "admin/password", "web")
        await refused(client, "admin/password")
        category = pb.TaskCategory(name="reading")
        asked = pb.GetTaskRequest(task_category=category, resource_meta=handle)
        assert (await client.get(asked)).resource.phase == Phase.SUCCEEDED
        theirs = (await client.create(request("shared", "web"))).resource_meta
        assert project_of(theirs) == "web"
        made_up = {**json.loads(theirs), "job": {"secret": "admin/password"}}
        del made_up["check"]
        for without in ("nothing", "project"):
            made_up.pop(without, None)
            asked.resource_meta = json.dumps(made_up).encode()
            with pytest.raises(PermissionDeniedError, match="may not read the secret 'admin/password'"):
                await client.get(asked)


@pytest.mark.parametrize("signed", [False, True])
async def test_every_call_about_a_job_may_read_what_its_project_may(tmp_path: Path, signed: bool) -> None:
    keys = tmp_path / "keys"
    keys.write_text("k1 " + "a5" * 32 + "\n")
    keys.chmod(0o600)
    settings = {"handle_keys": keys} if signed else {}
    async with (
        serving(ReadingConnector(), secrets_allow={"reading": ["ml:admin/password"]}, **settings) as peer,
        ConnectorClient(peer.server.addresses[0]) as client,
    ):
        handle = (await client.create(request("admin/password", "ml"))).resource_meta
        about: dict[str, Any] = {"task_category": pb.TaskCategory(name="reading"), "resource_meta": handle}
        answers = [answer async for answer in client.logs(pb.GetTaskLogsRequest(**about, tail=5))]
        assert [line for answer in answers for line in answer.body.results] == ["read"]
        assert (await client.metrics(pb.GetTaskMetricsRequest(**about))).results[0].metric == "reads"
        assert (await client.get(pb.GetTaskRequest(**about))).resource.phase == Phase.SUCCEEDED
        await client.delete(pb.DeleteTaskRequest(**about))


async def test_a_connector_that_nobody_names_may_read_all_unless_there_is_a_rule_for_the_rest() -> None:
    async with (
        serving(ReadingConnector(), secrets_allow={"sql": []}) as peer,
        ConnectorClient(peer.server.addresses[0]) as client,
    ):
        assert (await client.create(request("shared"))).resource_meta


async def test_secrets_that_the_caller_sent_along_are_its_own() -> None:
    asked = request("password")
    asked.connection.secrets["password"] = "brought-by-the-caller"
    async with (
        serving(ReadingConnector(), secrets_allow={"*": []}) as peer,
        ConnectorClient(peer.server.addresses[0]) as client,
    ):
        assert (await client.create(asked)).resource_meta
        await refused(client, "shared")


def test_the_list_may_come_from_environment_file_or_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"sql": ("warehouse/*", "ml:admin/password"), "*": ()}
    assert ServerSettings(secrets_allow="sql=warehouse/*,sql=ml:admin/password,*=").secrets_allow == wanted
    monkeypatch.setenv("CONNECTORY_SECRETS_ALLOW", "sql=warehouse/*,sql=ml:admin/password,*=")
    assert ServerSettings().secrets_allow == wanted
    monkeypatch.delenv("CONNECTORY_SECRETS_ALLOW")
    (tmp_path / "server.yaml").write_text('secrets_allow: {sql: ["warehouse/*", "ml:admin/password"], "*": []}')
    settings = ServerSettings(config=tmp_path / "server.yaml")
    assert settings.secrets_allow == wanted
    assert ServerSettings(**settings.as_builtins()).secrets_allow == wanted


@pytest.mark.parametrize("entry", ["", "group/", ":key", "/key"])
async def test_an_entry_that_names_no_secret_is_refused_at_the_start(entry: str) -> None:
    with pytest.raises(SettingsError, match="which is no secret"):
        async with serving(ReadingConnector(), secrets_allow={"*": [entry]}):
            raise UnauthenticatedError("it must not serve")
