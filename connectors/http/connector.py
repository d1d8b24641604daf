"""The http connector and the one for Flyte's webhook tasks."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from connectors.http import webhook
from connectors.http.answers import Answer, Limits
from connectors.http.bodies import body_of, download_body, file_url, query
from connectors.http.config import HttpConfig, WebhookConfig, check
from connectors.http.headers import rendered_headers
from connectors.http.outputs import body_output, converted, outputs_of, wants_file
from connectors.http.rendering import Renderer
from connectors.http.request import Request
from connectors.http.sending import Sender, bounded
from connectors.http.statuses import error_for
from connectory.connector.contract import CreateContext, Phase, Resource, SyncConnector
from connectory.web import HostPolicy, StatusSet

__all__ = ["HttpConnector", "WebhookConnector"]


class HttpConnector(SyncConnector[HttpConfig]):
    """Sends one request; the task succeeds when the answer's status is an expected one."""

    name: ClassVar[str] = "HTTP"
    task_type = "http"

    def __init__(self, policy: HostPolicy | None = None) -> None:
        self._sender = Sender(policy)

    async def execute(self, ctx: CreateContext[HttpConfig]) -> Resource:
        """Build the request, send it, and turn the answer into outputs or an error."""
        check(ctx.config)
        body_output(ctx.template.interface)
        renderer = Renderer(ctx)
        request = await self._request(ctx, renderer)
        into = ctx.conversion.new_local_path("response-body") if wants_file(ctx.template.interface) else None
        try:
            answer = await self._expected(ctx, renderer, request, into)
            location = await self._stored(ctx, answer)
        finally:
            await self._sender.in_thread(lambda: _discard(request.file, into if _has_prefix(ctx) else None))
        outputs = await self._sender.in_thread(lambda: outputs_of(ctx, answer, location, request.shown))
        return Resource(phase=Phase.SUCCEEDED, message=f"{request.shown} answered {answer.status}", outputs=outputs)

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.aclose()

    async def _request(self, ctx: CreateContext[HttpConfig], renderer: Renderer) -> Request:
        config = ctx.config
        content, content_type = body_of(config, renderer)
        headers, private = rendered_headers(config.headers, renderer)
        if content_type:
            headers.setdefault("content-type", content_type)
        method = config.method.upper()
        request = Request(
            method=method,
            url=_url(config, renderer, masked=False),
            shown=f"{method} {_url(config, renderer, masked=True)}",
            headers=headers,
            private_headers=private,
            content=content,
        )
        if config.file is None:
            return request
        source = file_url(ctx, config.file)
        self._sender.check_source(source)
        return replace(request, file=await self._sender.in_thread(lambda: download_body(ctx, source)))

    async def _expected(
        self, ctx: CreateContext[HttpConfig], renderer: Renderer, request: Request, into: Path | None
    ) -> Answer:
        """The answer, when its status is one that means success."""
        config = ctx.config
        expect = StatusSet(config.expect, field="custom.expect")
        retry = StatusSet(config.retry, field="custom.retry")
        limits = Limits(
            timeout=bounded(config.timeout, ctx.deadline),
            redirects=config.redirects,
            max_bytes=config.max_response_bytes,
        )
        answer = await self._sender.send(request, limits, into=into)
        if answer.status not in expect:
            text = renderer.redacted(answer.text)
            raise error_for(answer.status, answer.headers, text, shown=request.shown, retry=retry)
        return answer

    async def _stored(self, ctx: CreateContext[HttpConfig], answer: Answer) -> str:
        """Where the body is when it is a file: at the outputs' prefix, or here when there is none; empty otherwise."""
        path = answer.file
        if path is None or not _has_prefix(ctx):
            return str(path or "")
        url = ctx.conversion.new_output_url("response-body")
        await self._sender.in_thread(lambda: ctx.storage.upload(path, url))
        return url


class WebhookConnector(SyncConnector[WebhookConfig]):
    """Answers Flyte's webhook tasks: the output `info` holds the status and the text of the answer."""

    name: ClassVar[str] = "Webhook"
    task_type = "webhook"

    def __init__(self, policy: HostPolicy | None = None) -> None:
        self._sender = Sender(policy)

    async def execute(self, ctx: CreateContext[WebhookConfig]) -> Resource:
        """Send the request; a status other than 2xx is an error."""
        renderer = Renderer(ctx)
        call = webhook.call_of(ctx.config, renderer)
        limits = Limits(timeout=bounded(call.timeout, ctx.deadline), max_bytes=webhook.MAX_RESPONSE_BYTES)
        answer = await self._sender.send(call.request, limits)
        if not 200 <= answer.status < 300:
            retry = StatusSet((408, 425, 429, "5xx"), field="retry")
            text = renderer.redacted(answer.text)
            raise error_for(answer.status, answer.headers, text, shown=call.request.shown, retry=retry)
        info: dict[str, Any] = {"status_code": answer.status, "response_data": answer.text, **call.shown}
        shown = call.request.shown
        outputs = await self._sender.in_thread(lambda: converted({"info": info}, ctx, shown))
        return Resource(phase=Phase.SUCCEEDED, message=f"{shown} answered {answer.status}", outputs=outputs)

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.aclose()


def _url(config: HttpConfig, renderer: Renderer, *, masked: bool) -> str:
    url = renderer.url(config.url, field="custom.url", masked=masked)
    if not config.params:
        return url
    encoded = query(config.params, renderer, field="custom.params", masked=masked)
    base, hash_sign, fragment = url.partition("#")
    joint = "&" if urlsplit(base).query else "?"
    return f"{base}{joint}{encoded}{hash_sign}{fragment}" if encoded else url


def _has_prefix(ctx: CreateContext[HttpConfig]) -> bool:
    return bool(ctx.conversion.raw_output_prefix)


def _discard(*paths: Path | None) -> None:
    """Remove local copies, each with the folder of its own that it is in."""
    for path in paths:
        if path is not None:
            shutil.rmtree(path.parent, ignore_errors=True)
