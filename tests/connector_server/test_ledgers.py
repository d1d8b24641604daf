"""Which ledger the settings mean, and which of them cannot be one."""

import os
from pathlib import Path

import pytest

from connector_server.ledgers import chosen_ledger
from connectory.connector.ledger import MemoryLedger
from connectory.connector.ledger.postgres import PostgresLedger
from connectory.connector.ledger.sqlite import SqliteLedger
from connectory.errors import SettingsError, UnavailableError
from connectory.v1 import connector_pb2 as pb
from tests.connector_server.fakes import SlowConnector, TrivialConnector
from tests.connector_server.harness import create_request, serving


@pytest.mark.parametrize("setting", ["memory", "none"])
def test_words_mean_memory(setting: str) -> None:
    assert isinstance(chosen_ledger(setting), MemoryLedger)


@pytest.mark.parametrize("url", ["postgresql://me:secret@db.example/jobs", "postgres://db.example/jobs"])
def test_a_url_means_postgresql_which_may_not_be_there_yet(url: str) -> None:
    assert isinstance(chosen_ledger(url), PostgresLedger)


def test_a_url_of_something_else_is_refused_without_its_password() -> None:
    with pytest.raises(SettingsError, match=r"ledger='mysql://\.\.\.'") as refused:
        chosen_ledger("mysql://me:secret@db.example/jobs")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "rest", ["db:port/x", "me:hunter2/2@db/x", "me:12/hunter2@db/x", "me:hunter2#a@db/x", "[::1/x"]
)
def test_a_url_that_cannot_be_read_is_refused_and_not_shown(rest: str) -> None:
    with pytest.raises(SettingsError, match="cannot be read") as refused:
        chosen_ledger(f"postgresql://{rest}")
    assert "hunter2" not in str(refused.value)
    assert "%2F for /" in str(refused.value)


@pytest.mark.parametrize(
    "rest", ["db", "me:a%2Fb@[::1]:5432/x", "a:1,b:2/x", "me@%2Ftmp/x", "/x?host=/tmp", "me:a@b@db/x"]
)
def test_urls_that_postgresql_knows_are_taken(rest: str) -> None:
    assert isinstance(chosen_ledger(f"postgresql://{rest}"), PostgresLedger)


@pytest.mark.parametrize("where", ["ledger.sqlite", "not/there/yet/ledger.sqlite"])
def test_a_path_means_a_file(tmp_path: Path, where: str) -> None:
    assert isinstance(chosen_ledger(str(tmp_path / where)), SqliteLedger)


@pytest.mark.parametrize("where", [".", "notes.txt", "notes.txt/ledger.sqlite"])
async def test_what_cannot_be_a_ledger_is_refused_before_anything_is_served(tmp_path: Path, where: str) -> None:
    (tmp_path / "notes.txt").write_text("not a database at all")
    with pytest.raises(SettingsError, match="cannot be written as an SQLite file"):
        async with serving(TrivialConnector(), ledger=str(tmp_path / where)):
            raise AssertionError("it must not serve")
    assert (tmp_path / "notes.txt").read_text() == "not a database at all"


async def test_without_a_word_creates_are_remembered_in_the_folder_for_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONNECTORY_LEDGER")
    monkeypatch.setenv("CONNECTORY_HOME", str(tmp_path / "home"))
    connector = SlowConnector()
    connector.gate.set()
    for _ in range(2):
        async with serving(connector) as peer:
            await peer.jobs.CreateTask(create_request("slow", key="k"))
    assert connector.created == 1
    assert (tmp_path / "home" / "ledger.sqlite").exists()


async def test_a_create_is_remembered_over_a_restart(tmp_path: Path) -> None:
    connector = SlowConnector()
    connector.gate.set()
    handles = []
    for _ in range(2):
        async with serving(connector, ledger=str(tmp_path / "ledger.sqlite")) as peer:
            handles.append((await peer.jobs.CreateTask(create_request("slow", key="k"))).resource_meta)
    assert handles[0] == handles[1]
    assert connector.created == 1


def test_a_folder_that_may_not_be_looked_into_is_told(tmp_path: Path) -> None:
    hidden, before = tmp_path / "hidden", os.geteuid()
    hidden.mkdir(mode=0o000)
    if before == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(SettingsError, match="cannot be written as an SQLite file"):
            chosen_ledger(str(hidden / "below" / "ledger.sqlite"))
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("setting", ["memory", "none"])
async def test_a_ledger_that_ends_with_the_server_is_known_by_nothing(setting: str) -> None:
    async with serving(TrivialConnector(), ledger=setting) as peer:
        assert not (await peer.metadata.ListConnectors(pb.ListConnectorsRequest())).HasField("ledger")


async def test_callers_are_told_what_the_ledger_is_known_by(tmp_path: Path) -> None:
    told = []
    for name in ("one", "other", "one"):
        async with serving(TrivialConnector(), ledger=str(tmp_path / name)) as peer:
            told.append((await peer.metadata.ListConnectors(pb.ListConnectorsRequest())).ledger)
    first, other, again = told
    assert first == again != other
    assert first


async def test_callers_are_told_that_the_ledger_cannot_be_read_now() -> None:
    class Broken(MemoryLedger):
        async def identity(self) -> str:
            raise UnavailableError("the disk is on fire")

    async with serving(TrivialConnector(), ledger=Broken()) as peer:
        answer = await peer.metadata.ListConnectors(pb.ListConnectorsRequest())
    assert answer.HasField("ledger")
    assert answer.ledger == ""
    assert answer.connectors
