"""Ledger, store, storage, ports and containers: what can be used, what cannot, and that looking leaves nothing."""

import asyncio
import os
import socket
import sqlite3
import stat
import urllib.request
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from connectory.connector.ledger.postgres import PostgresLedger
from connectory.connector.ledger.sqlite import SqliteLedger
from connectory.errors import SettingsError
from connectory_cli.doctor.clocks import clocks
from connectory_cli.doctor.containers import containers
from connectory_cli.doctor.databases import ledger, store
from connectory_cli.doctor.files import file_system
from connectory_cli.doctor.ports import ports
from connectory_cli.doctor.postgres import database_facts
from connectory_cli.doctor.storage import storage
from tests.cli.doctor.patients import messages, patient, told
from tests.postgres import PostgresServer
from workflow_runner.store.opening import open_store


async def made_ledger(path: str) -> None:
    made = SqliteLedger(path)
    await made.count()
    await made.aclose()


def test_what_is_not_there_yet_can_be_made(tmp_path: Path) -> None:
    examined = patient(tmp_path, settings={"ledger": str(tmp_path / "deep" / "ledger.sqlite")})
    for check in (ledger, store, storage):
        assert {one.level for one in told(check, examined)} <= {"ok", "warn"}
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_in_memory_forgets(tmp_path: Path) -> None:
    (said,) = messages(told(ledger, patient(tmp_path)), "warn")
    assert "is memory: a server that is started again knows none of its creates" in said


def test_an_sqlite_file_opens_and_its_tables_are_compared(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    asyncio.run(made_ledger(str(path)))
    before = sorted(tmp_path.iterdir())
    examined = patient(tmp_path, settings={"ledger": str(path)})
    said = messages(told(ledger, examined), "ok")
    assert f"ledger: {path} opens and is sound" in said
    assert "ledger: its tables are those of this release" in said
    assert sorted(tmp_path.iterdir()) == before


async def test_tables_of_a_newer_release_are_told(tmp_path: Path) -> None:
    path = tmp_path / "runner.db"
    async with open_store(f"sqlite:///{path}"):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE schema_versions SET version = version + 100 WHERE schema = 'executions'")
        connection.commit()
    (said,) = messages(told(store, patient(tmp_path)), "fail")
    assert "made by a newer release" in said


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "runner.db").write_bytes(b"SQLite format 3\0" + b"x" * 4096)
    assert any(
        "cannot be used" in said or "damaged" in said for said in messages(told(store, patient(tmp_path)), "fail")
    )
    assert [one.level for one in told(store, patient(tmp_path, store="mysql://x"))] == ["fail"]
    assert [one.level for one in told(store, patient(tmp_path, store="memory://"))] == ["warn"]


def test_a_network_file_system_is_no_place_for_sqlite(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"disk / ext4 rw 0 0\nserver:/home {tmp_path}/home nfs4 rw 0 0\ntmp {tmp_path}/run tmpfs rw 0 0\n"
    )
    (tmp_path / "home").mkdir()
    (tmp_path / "run").mkdir()
    assert "network file system (nfs4)" in next(file_system("ledger", tmp_path / "home" / "l", mounts)).message
    assert "kept in memory (tmpfs)" in next(file_system("ledger", tmp_path / "run" / "l", mounts)).message
    assert list(file_system("ledger", tmp_path / "l", mounts)) == []


def test_postgresql_that_answers(tmp_path: Path, postgres_server: PostgresServer) -> None:
    examined = patient(tmp_path, settings={"ledger": postgres_server.uri})
    found = told(ledger, examined)
    assert {one.level for one in found} == {"ok"}
    assert "answers (PostgreSQL" in found[0].message
    assert postgres_server.password not in str(found)
    (clock,) = told(clocks, examined)
    assert clock.about == "clock of the ledger's database"
    assert clock.level == "ok"


def test_tables_in_postgresql_are_compared(tmp_path: Path, postgres_server: PostgresServer) -> None:
    postgres_server.query("CREATE SCHEMA doctor")
    url = f"{postgres_server.uri}?search_path=doctor"
    (missing,) = [one for one in told(ledger, patient(tmp_path, settings={"ledger": url})) if "missing" in one.message]
    assert missing.level == "ok"

    async def opened() -> None:
        made = PostgresLedger(url, lease=timedelta(seconds=15))
        await made.count()
        await made.aclose()
        async with open_store(url):
            pass

    asyncio.run(opened())
    database_facts.cache_clear()
    examined = patient(tmp_path, settings={"ledger": url}, store=url)
    assert "ledger: its tables are those of this release" in messages(told(ledger, examined), "ok")
    assert "store: its tables are those of this release" in messages(told(store, examined), "ok")
    postgres_server.query("UPDATE doctor.connectory_ledger_schema SET version = version + 100")
    database_facts.cache_clear()
    (said,) = messages(told(ledger, examined), "fail")
    assert "made by a newer release" in said


def test_postgresql_that_does_not(tmp_path: Path, postgres_server: PostgresServer) -> None:
    wrong = postgres_server.uri.replace(postgres_server.password, "wrong-password")
    (said,) = messages(told(ledger, patient(tmp_path, settings={"ledger": wrong})), "fail")
    assert "password authentication failed" in said
    assert "wrong-password" not in said
    absent = postgres_server.uri.replace("/postgres", "/absent")
    (said,) = messages(told(store, patient(tmp_path, store=absent)), "fail")
    assert 'database "absent" does not exist' in said
    silent = f"postgresql://u:pass-word@127.0.0.1:{free_port()}/d"
    (finding,) = told(store, patient(tmp_path, store=silent))
    assert finding.level == "fail"
    assert "pass-word" not in finding.message


def test_storage_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert [one.level for one in told(storage, patient(tmp_path, outputs="memory://x"))] == ["warn"]
    with pytest.raises(SettingsError, match="--output-prefix"):
        patient(tmp_path, outputs="ftp://x/y")
    assert [one.level for one in told(storage, patient(tmp_path, outputs=str(tmp_path / "file")))] == ["ok"]


def test_storage_in_an_object_store_is_tried_and_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  a web framework that one test needs

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2]))
    server.start()
    try:
        bucket = urllib.request.Request(f"{os.environ['AWS_ENDPOINT_URL']}/results", method="PUT")
        urllib.request.urlopen(bucket, timeout=10).close()
        (finding,) = told(storage, patient(tmp_path, outputs="s3://results/run"))
        assert finding.message == "s3://results/run can be written to"
        listed = urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/results", timeout=10).read()
        assert b"<Key>" not in listed
        assert [one.level for one in told(storage, patient(tmp_path, outputs="s3://absent/run"))] == ["fail"]
    finally:
        server.stop()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_ports_that_are_taken_or_impossible(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = {"addresses": [f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}"]}
        found = told(ports, patient(tmp_path, settings=settings))
    assert [str(one.level) for one in found] == ["warn", "ok"]
    assert "is in use" in found[0].message
    settings = {"addresses": ["192.0.2.1:8000"], "insecure_public": True}
    assert "cannot be listened on" in told(ports, patient(tmp_path, settings=settings))[0].message


def test_sockets_that_are_free_taken_or_impossible(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with socket.socket(socket.AF_UNIX) as taken, socket.socket(socket.AF_UNIX) as dead:
        taken.bind(str(tmp_path / "taken.sock"))
        taken.listen()
        dead.bind(str(tmp_path / "dead.sock"))
        names = ("free.sock", "taken.sock", "dead.sock", "file", "absent/a.sock", "x" * 120)
        found = told(ports, patient(tmp_path, settings={"uds": [tmp_path / name for name in names]}))
    assert [str(one.level) for one in found] == ["ok", "warn", "ok", "fail", "fail", "fail"]


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_container_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (said,) = messages(told(containers, patient(tmp_path)), "warn")
    assert "docker is not installed, podman is not installed" in said
    program(tmp_path, "docker", "exit 1")
    program(tmp_path, "podman", "exit 0")
    assert messages(told(containers, patient(tmp_path)), "ok") == ["containers: podman answers"]
    named = {"CONNECTORY_CONTAINER_RUNTIME": "docker"}
    (said,) = messages(told(containers, patient(tmp_path, environ=named)), "fail")
    assert "docker is installed, and its server does not answer" in said
    named = {"CONNECTORY_CONTAINER_RUNTIME": "process"}
    assert [one.level for one in told(containers, patient(tmp_path, environ=named))] == ["ok"]
