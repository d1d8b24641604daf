"""Messages through a real SMTP server and a real webhook."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from connectory.errors import SettingsError
from workflow_runner.notifications import channels
from workflow_runner.notifications.channels import channels_from
from workflow_runner.notifications.messages import Notice, NotSentError

NOTICE = Notice(
    way="email", recipients=("anna@example.com", "bob@example.com"), subject="FAILED: flow", text="It broke."
)


class Mailbox:
    """Takes every message, but for recipients that it refuses."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], EmailMessage]] = []
        self.refusing = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.refusing:
            return self.refusing
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append((envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@asynccontextmanager
async def mail_server(mailbox: Mailbox, **options: Any) -> AsyncIterator[int]:
    """A real SMTP server; gives its port."""
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox, **options), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def smtp(mailbox: Mailbox) -> AsyncIterator[int]:
    async with mail_server(mailbox) as port:
        yield port


def url_of(port: int, user: str = "") -> str:
    return f"smtp://{user}127.0.0.1:{port}?from=connectory@example.com"


async def test_an_email_reaches_its_recipients(mailbox: Mailbox, smtp: int) -> None:
    await channels_from({"CONNECTORY_SMTP_URL": url_of(smtp)}).send(NOTICE)
    ((recipients, message),) = mailbox.messages
    assert recipients == ["anna@example.com", "bob@example.com"]
    assert (message["Subject"], message["From"]) == ("FAILED: flow", "connectory@example.com")
    assert message.get_content().strip() == "It broke."


@pytest.mark.parametrize("way", ["slack", "pager_duty"])
async def test_without_a_webhook_all_ways_lead_to_email(way: Any, mailbox: Mailbox, smtp: int) -> None:
    await channels_from({"CONNECTORY_SMTP_URL": url_of(smtp)}).send(replace(NOTICE, way=way))
    assert len(mailbox.messages) == 1


async def test_refused_recipients_are_not_tried_again_and_busy_servers_are(mailbox: Mailbox, smtp: int) -> None:
    made = channels_from({"CONNECTORY_SMTP_URL": url_of(smtp)})
    for refusing, lasting in (("550 no such user", True), ("451 try again later", False)):
        mailbox.refusing = refusing
        with pytest.raises(NotSentError) as caught:
            await made.send(NOTICE)
        assert caught.value.lasting is lasting


async def test_a_server_that_does_not_answer_is_tried_again() -> None:
    with pytest.raises(NotSentError, match="refused or failed") as caught:
        await channels_from({"CONNECTORY_SMTP_URL": "smtp://127.0.0.1:1?from=a@example.com"}).send(NOTICE)
    assert not caught.value.lasting


def test_a_server_that_is_silent_keeps_no_runner_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_TIMEOUT", 3600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as open_until_then:
        thread = threading.Thread(target=lambda: asyncio.run(_give_up_once_connected(silent, open_until_then)))
        thread.daemon = True
        thread.start()
        thread.join(timeout=30)
        assert not thread.is_alive()


async def _give_up_once_connected(silent: socket.socket, connections: ExitStack) -> None:
    made = channels_from({"CONNECTORY_SMTP_URL": url_of(silent.getsockname()[1])})
    sending = asyncio.create_task(made.send(NOTICE))
    silent.setblocking(False)
    connections.enter_context((await asyncio.get_running_loop().sock_accept(silent))[0])
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_a_server_that_never_comes_to_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_LONGEST", 0.0)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(NotSentError, match="took more than") as caught,
    ):
        await channels_from({"CONNECTORY_SMTP_URL": url_of(silent.getsockname()[1])}).send(NOTICE)
    assert not caught.value.lasting


async def test_a_password_is_never_sent_in_plain_text(mailbox: Mailbox) -> None:
    seen: list[bytes] = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        seen.append(data.password)
        return AuthResult(success=True)

    async with mail_server(mailbox, authenticator=authenticate, auth_require_tls=False) as port:
        with pytest.raises(NotSentError) as caught:
            await channels_from({"CONNECTORY_SMTP_URL": url_of(port, "me:s3cret-word@")}).send(NOTICE)
    assert not seen
    assert "s3cret-word" not in str(caught.value)


async def test_a_subject_that_would_forge_headers_is_refused(mailbox: Mailbox, smtp: int) -> None:
    forged = replace(NOTICE, subject="x\nBcc: all@example.com")
    with pytest.raises(NotSentError) as caught:
        await channels_from({"CONNECTORY_SMTP_URL": url_of(smtp)}).send(forged)
    assert caught.value.lasting
    assert not mailbox.messages


class Webhook(ThreadingHTTPServer):
    """Answers with the next of `answers`, or 200, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Any] = []
        self.answers: list[int] = []


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        return


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_slack_is_told_through_its_webhook(webhook: Webhook) -> None:
    made = channels_from({"CONNECTORY_SLACK_WEBHOOK": f"http://127.0.0.1:{webhook.server_port}/secret-path"})
    await made.send(replace(NOTICE, way="slack"))
    assert webhook.received == [{"text": "*FAILED: flow*\nIt broke."}]
    for answer, lasting in ((404, True), (429, False), (500, False)):
        webhook.answers.append(answer)
        with pytest.raises(NotSentError, match=str(answer)) as caught:
            await made.send(replace(NOTICE, way="slack"))
        assert caught.value.lasting is lasting
        assert "secret-path" not in str(caught.value)


async def test_what_is_not_set_up_says_what_to_set() -> None:
    for way, remedy in (("email", "CONNECTORY_SMTP_URL"), ("slack", "CONNECTORY_SLACK_WEBHOOK")):
        with pytest.raises(NotSentError, match=remedy) as caught:
            await channels_from({}).send(replace(NOTICE, way=way))
        assert not caught.value.lasting  # somebody else may have set it up
    with pytest.raises(NotSentError, match="CONNECTORY_SMTP_URL") as caught:
        await channels_from({"CONNECTORY_SLACK_WEBHOOK": "http://127.0.0.1:1/x"}).send(replace(NOTICE, way="email"))
    assert caught.value.lasting


@pytest.mark.parametrize("url", ["mail.example.com", "smtp://mail.example.com", "http://mail.example.com?from=a@b"])
def test_an_unusable_mail_server_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="CONNECTORY_SMTP_URL cannot be used"):
        channels_from({"CONNECTORY_SMTP_URL": url})
