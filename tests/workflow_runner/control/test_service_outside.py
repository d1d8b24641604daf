"""What a runner's service does outside itself, as a real process: messages to people, and jobs that outlive it."""

import asyncio
import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from tests.workflow_runner.control.service import Service, command, running_service, wait_for_end

FLOWS = """
from connectory import Email, LaunchPlan, PagerDuty, ProcessTask, WorkflowExecutionPhase, kwtypes, task, workflow

SCRIPT = 'echo begun >> "$1/log"; echo $$ > "$1/begun"; while [ ! -e "$1/gate" ]; do sleep 0.05; done; echo 7'
waits = ProcessTask(
    "waits",
    command=["/bin/sh", "-c", SCRIPT, "waits", "{{ .inputs.folder }}"],
    inputs=kwtypes(folder=str),
    outputs=kwtypes(stdout=str),
)


@task
def divide(x: int) -> int:
    return 12 // x


@workflow
def divided(x: int) -> int:
    return divide(x=x)


@workflow
def waiting(folder: str) -> str:
    return waits(folder=folder)


FAILED, SUCCEEDED = WorkflowExecutionPhase.FAILED, WorkflowExecutionPhase.SUCCEEDED
told = LaunchPlan.get_or_create(
    divided,
    "told",
    notifications=[
        Email(phases=[SUCCEEDED], recipients_email=["anna@example.com"]),
        PagerDuty(phases=[FAILED], recipients_email=["pager@example.com"]),
    ],
)
"""


class Mailbox:
    """Takes every message."""

    def __init__(self) -> None:
        self.messages: queue.Queue[tuple[list[str], str]] = queue.Queue()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.messages.put((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


@contextmanager
def mail_server(mailbox: Mailbox) -> Iterator[int]:
    """A real SMTP server in a thread; gives its port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(server.wait_closed())
        loop.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows.py").write_text(FLOWS)
    return tmp_path


def ask(service: Service, *words: object) -> str:
    done = command(service.folder, *words, "--endpoint", service.endpoint)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_people_are_told_of_the_phases_that_a_launch_plan_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        monkeypatch.setenv("CONNECTORY_SMTP_URL", f"smtp://127.0.0.1:{port}?from=connectory@example.com")
        with running_service(folder) as service:
            ask(service, "register", "flows.py")
            ask(service, "launch", "told", "-i", "x=0", "--name", "bad")
            wait_for_end(service, "bad")
            recipients, text = mailbox.messages.get(timeout=60)
            assert recipients == ["pager@example.com"]
            assert "Subject: FAILED: told (bad)" in text
            assert "ZeroDivisionError" in text
            ask(service, "launch", "told", "-i", "x=3", "--name", "good")
            recipients, text = mailbox.messages.get(timeout=60)
            assert recipients == ["anna@example.com"]
            assert "has ended: SUCCEEDED" in text


def test_messages_are_left_to_a_runner_that_serves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts something by a command need not have set up how people are told."""
    assert command(folder, "register", "flows.py").returncode == 0
    for name, x, code in (("bad", 0, 1), ("good", 3, 0), ("better", 4, 0)):
        assert command(folder, "launch", "told", "-i", f"x={x}", "--name", name).returncode == code
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        monkeypatch.setenv("CONNECTORY_SMTP_URL", f"smtp://127.0.0.1:{port}?from=connectory@example.com")
        with running_service(folder):
            texts = [mailbox.messages.get(timeout=60)[1] for _ in range(3)]
    for subject in ("FAILED: told (bad)", "SUCCEEDED: told (good)", "SUCCEEDED: told (better)"):
        assert sum(f"Subject: {subject}" in text for text in texts) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_a_job_goes_on_while_its_service_is_away_and_is_found_again(folder: Path, number: signal.Signals) -> None:
    os.mkfifo(folder / "begun")
    with running_service(folder) as first:
        ask(first, "register", "flows.py")
        ask(first, "launch", "waiting", "-i", f"folder={folder}", "--name", "outside")
        process = int((folder / "begun").read_text())
        first.stop(number)
        assert _runs(process)
    with running_service(folder) as second:
        (folder / "gate").touch()
        wait_for_end(second, "outside")
        assert "o0 = 7" in ask(second, "executions", "show", "outside")
    assert (folder / "log").read_text() == "begun\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_job_whose_service_was_away_is_gone_once_its_execution_is_aborted(
    folder: Path, number: signal.Signals
) -> None:
    os.mkfifo(folder / "begun")
    with running_service(folder) as first:
        ask(first, "register", "flows.py")
        ask(first, "launch", "waiting", "-i", f"folder={folder}", "--name", "outside")
        process = int((folder / "begun").read_text())
        first.stop(number)
    with running_service(folder) as second:
        assert ask(second, "executions", "abort", "outside") == "outside ABORTED\n"
        assert not _runs(process)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
