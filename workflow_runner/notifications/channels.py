"""How messages leave: by e-mail through an SMTP server, and into Slack through a webhook."""

import asyncio
import os
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from connectory.connector.pools import BoundedPool
from connectory.errors import SettingsError
from workflow_runner.notifications.messages import Notice, NotSentError, Send

__all__ = ["Channels", "channels_from"]

_TIMEOUT: Final = 30.0
"""How many seconds an e-mail server may be silent."""
_LONGEST: Final = 120.0
"""How many seconds an e-mail may take, however busily its server talks."""
_AT_ONCE: Final = 8


class Channels:
    """Sends by what is set up. What is meant for Slack goes by e-mail where no webhook is set, as for PagerDuty.

    Where nothing at all is set up, a message is put off: another runner of the store, or this one later, may send it.
    """

    def __init__(self, *, smtp: "Smtp | None" = None, slack: Send | None = None) -> None:
        self._smtp = smtp
        self._slack = slack
        self._threads = BoundedPool("e-mail", _AT_ONCE)  # a silent server keeps no runner from ending

    async def send(self, notice: Notice) -> None:
        """Send a message, or raise NotSentError."""
        if notice.way == "slack" and self._slack is not None:
            await self._slack(notice)
        elif self._smtp is not None:
            await self._send_email(self._smtp, notice)
        else:
            raise NotSentError(
                f"nothing is set up for {notice.way}; set CONNECTORY_SMTP_URL"
                f"{' or CONNECTORY_SLACK_WEBHOOK' if notice.way == 'slack' else ''}",
                lasting=self._slack is not None,
            )

    async def _send_email(self, smtp: "Smtp", notice: Notice) -> None:
        try:
            async with asyncio.timeout(_LONGEST):
                await self._threads.run(smtp.send, notice)
        except TimeoutError:
            raise NotSentError(f"the e-mail server took more than {_LONGEST:g} s") from None


class Smtp:
    """An SMTP server: smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS, or smtps:// for TLS from the beginning.

    With smtp:// the connection turns to TLS when the server offers it; with a password it must. The certificate
    must be one that this machine trusts.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        sender = parse_qs(parts.query).get("from", [""])[0]
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not sender:
            raise SettingsError(
                "CONNECTORY_SMTP_URL cannot be used; write it like smtp://user:password@mail.example.com:587"
                "?from=connectory@example.com"
            )
        self._parts: SplitResult = parts
        self._sender = sender

    def send(self, notice: Notice) -> None:
        """Send a message, or raise NotSentError. Blocks."""
        try:
            message = EmailMessage()
            message["Subject"], message["From"] = notice.subject, self._sender
            message["To"] = ", ".join(notice.recipients)
            message.set_content(notice.text)
        except ValueError as error:
            raise NotSentError(f"no e-mail can be made of it: {error}", lasting=True) from None
        try:
            with self._connected() as server:
                self._secure(server)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            raise NotSentError(
                f"the recipients are refused: {error.recipients}", lasting=min(codes, default=0) >= 500
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotSentError(f"the e-mail server {self._parts.hostname} refused or failed: {error}") from None

    def _connected(self) -> smtplib.SMTP:
        parts, host = self._parts, str(self._parts.hostname)
        if parts.scheme == "smtps":
            return smtplib.SMTP_SSL(host, parts.port or 465, timeout=_TIMEOUT, context=ssl.create_default_context())
        return smtplib.SMTP(host, parts.port or 587, timeout=_TIMEOUT)

    def _secure(self, server: smtplib.SMTP) -> None:
        user, password = self._parts.username, self._parts.password
        server.ehlo()
        if self._parts.scheme == "smtp" and (password or server.has_extn("starttls")):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if user and password:
            server.login(unquote(user), unquote(password))


def channels_from(environment: Mapping[str, str] = os.environ) -> Channels:
    """What CONNECTORY_SMTP_URL and CONNECTORY_SLACK_WEBHOOK set up."""
    url, webhook = environment.get("CONNECTORY_SMTP_URL", ""), environment.get("CONNECTORY_SLACK_WEBHOOK", "")
    slack: Send | None = None
    if webhook:
        # Optional: the HTTP client takes longer to load than all the rest.
        from workflow_runner.notifications.slack import SlackWebhook  # noqa: PLC0415

        slack = SlackWebhook(webhook).send
    return Channels(smtp=Smtp(url) if url else None, slack=slack)
