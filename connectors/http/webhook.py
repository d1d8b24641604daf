"""What Flyte's webhook task asks for, as a request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from connectors.http.bodies import json_bytes, query
from connectors.http.config import DEFAULT_MAX_RESPONSE_BYTES, WebhookConfig
from connectors.http.headers import rendered_headers
from connectors.http.rendering import Renderer
from connectors.http.request import Request
from connectory.errors import InvalidTaskError

__all__ = ["MAX_RESPONSE_BYTES", "Call", "call_of"]

MAX_RESPONSE_BYTES: Final = DEFAULT_MAX_RESPONSE_BYTES
DEFAULT_TIMEOUT: Final = 10.0

_PLACEHOLDER: Final = re.compile(r"(?<!\{)\{(inputs|secrets)\.([\w.]+)\}(?!\})")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A webhook's request, how long it may take, and what of it the task wants to see again."""

    request: Request
    timeout: float
    shown: Mapping[str, Any]


def call_of(config: WebhookConfig, renderer: Renderer) -> Call:
    """The call that the task's fields describe."""
    method = config.method.upper()
    if not method.isalpha():
        problem = f"{config.method!r} is not an HTTP method"
        raise InvalidTaskError(f"custom.method: {problem}", fields={"custom.method": problem})
    data = _templates(config.data)
    url = _templates(config.url)
    shown_url = renderer.url(url, field="custom.url", masked=True)
    headers, private = rendered_headers(_templates(config.headers or {}), renderer)
    request = Request(
        method=method,
        url=renderer.url(url, field="custom.url"),
        shown=f"{method} {shown_url}",
        headers=headers,
        private_headers=private,
    )
    return Call(
        request=_with_data(request, data, renderer),
        timeout=_timeout(config),
        shown={
            **({"input_data": renderer.structure(data, field="custom.data", masked=True)} if config.show_data else {}),
            **({"url": shown_url} if config.show_url else {}),
        },
    )


def _with_data(request: Request, data: Any, renderer: Renderer) -> Request:
    """The request with its data: the query of a GET, the JSON body of any other."""
    if not data:
        return request if request.method == "GET" else replace(request, content=b"{}", headers=_as_json(request))
    if request.method == "GET":
        encoded = query(data, renderer, field="custom.data")
        return replace(request, url=f"{request.url}{'&' if urlsplit(request.url).query else '?'}{encoded}")
    content = json_bytes(renderer.structure(data, field="custom.data"))
    return replace(request, content=content, headers=_as_json(request))


def _as_json(request: Request) -> dict[str, str]:
    return {"content-type": "application/json", **request.headers}


def _timeout(config: WebhookConfig) -> float:
    given = config.timeout_sec if config.timeout_sec is not None else config.timeout
    seconds = DEFAULT_TIMEOUT if given is None else given
    if not 0 < seconds < float("inf"):
        problem = f"{seconds} is not a number of seconds above 0"
        raise InvalidTaskError(f"custom.timeout_sec: {problem}", fields={"custom.timeout_sec": problem})
    return seconds


def _templates(value: Any) -> Any:
    """The structure with Flyte's `{inputs.x}` written as this project's `{{ .inputs.x }}`."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(r"{{ .\1.\2 }}", value)
    if isinstance(value, Mapping):
        return {key: _templates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_templates(item) for item in value]
    return value
