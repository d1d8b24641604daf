"""A real PostgreSQL server for tests, started and stopped by them, in a folder of its own."""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["PostgresServer", "postgres_server", "postgres_when_installed"]

PASSWORD = "open-sesame"
_START_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A running server with the superuser `tester`, who needs a password over TCP and none over the socket."""

    folder: Path
    """Where its unix socket is."""
    port: int
    bin: Path
    password: str = PASSWORD

    @property
    def uri(self) -> str:
        """Over TCP, with the password."""
        return f"postgresql://tester:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def uri_without_password(self) -> str:
        """Over TCP, without the password, which it asks for."""
        return f"postgresql://tester@127.0.0.1:{self.port}/postgres"

    @property
    def socket_uri(self) -> str:
        """Over the unix socket, where no password is asked for."""
        return f"postgresql://tester@/postgres?host={self.folder}&port={self.port}"

    def query(self, sql: str) -> str:
        """What psql answers, unaligned and without headers."""
        command = [str(self.bin / "psql"), "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", self.socket_uri, "-c", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def postgres_when_installed() -> Iterator[PostgresServer]:
    """A server for as long as the block lasts; without PostgreSQL's programs the test is skipped and says why."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's programs are not here; install them (Debian: apt-get install postgresql)")
    with _running(binaries) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of the run; a test keeps to tables of its own."""
    with postgres_when_installed() as server:
        yield server


def _binaries() -> Path | None:
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]), reverse=True)
    found = shutil.which("initdb")
    folders += [os.path.dirname(found)] if found else []
    wanted = ("initdb", "postgres", "psql")
    return next((Path(path) for path in folders if all(os.path.exists(f"{path}/{name}") for name in wanted)), None)


@contextmanager
def _running(binaries: Path) -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="connectory-pg-"))
    user = _user()
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        _initialise(binaries, folder, user)
        server = PostgresServer(folder=folder, port=_free_port(), bin=binaries)
        process = _start(server, user)
        try:
            _wait_until_ready(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> pwd.struct_passwd | None:
    """Whom to run the server as: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _popen(command: list[str], user: pwd.struct_passwd | None, log: Path) -> subprocess.Popen[bytes]:
    identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, cwd=log.parent, **identity)


def _initialise(binaries: Path, folder: Path, user: pwd.struct_passwd | None) -> None:
    password = folder / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    options = ["--username=tester", f"--pwfile={password}", "--auth-local=trust", "--auth-host=scram-sha-256"]
    options += ["--no-sync", "--encoding=UTF8", "--locale=C"]
    process = _popen([str(binaries / "initdb"), "-D", str(folder / "data"), *options], user, folder / "log")
    assert process.wait() == 0, (folder / "log").read_text()


def _start(server: PostgresServer, user: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    settings = {
        "port": server.port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": server.folder,
        "fsync": "off",
        "shared_buffers": "16MB",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [str(server.bin / "postgres"), "-D", str(server.folder / "data"), *options]
    return _popen(command, user, server.folder / "log")


def _wait_until_ready(server: PostgresServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.query("select 1")
        except subprocess.CalledProcessError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"PostgreSQL did not start: {(server.folder / 'log').read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
