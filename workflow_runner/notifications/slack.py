"""Messages into Slack through a webhook. Imported only when one is set."""

from typing import Final

import httpx

from workflow_runner.notifications.messages import Notice, NotSentError

__all__ = ["SlackWebhook"]

_TIMEOUT: Final = 30.0


class SlackWebhook:
    """An incoming webhook; its URL is a secret."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, notice: Notice) -> None:
        """Post a message, or raise NotSentError."""
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
                answer = await client.post(self._url, json={"text": f"*{notice.subject}*\n{notice.text}"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotSentError(f"Slack's webhook cannot be reached: {type(error).__name__}") from None
        if answer.is_error:
            lasting = answer.is_client_error and answer.status_code not in (408, 429)
            raise NotSentError(f"Slack's webhook answered {answer.status_code}: {answer.text[:200]}", lasting=lasting)
