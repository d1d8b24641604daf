"""Flyte's webhook tasks: its fields, its placeholders, its output."""

import json
from typing import Any

import pytest

from connectors.http import WebhookConnector
from connectory.errors import InvalidTaskError, RateLimitedError, UserError
from tests.connectors.calling import Caller
from tests.connectors.http.server import Answer, Site

CONFIG = {"method": "POST", "headers": {}, "data": {}, "show_data": False, "show_url": False, "timeout_sec": 10}


async def called(webhook: WebhookConnector, config: dict[str, Any], **task: Any) -> Any:
    return (await Caller(webhook, {**CONFIG, **config}, outputs={"info": dict}, **task).execute())["info"]


async def test_a_post_sends_its_data_as_json_and_tells_status_and_text(web: Site, webhook: WebhookConnector) -> None:
    web.answers("/hook", Answer(body=b"ok"))
    config = {
        "url": f"{web.url}/hook",
        "headers": {"X-Name": "{inputs.s}"},
        "data": {"text": "got {inputs.s} {inputs.n} times", "n": "{inputs.n}", "plain": "{not a placeholder}"},
    }

    info = await called(webhook, config, inputs={"s": (str, "it"), "n": (int, 2)})

    assert info == {"status_code": 200, "response_data": "ok"}
    asked = web.asked[-1]
    assert asked.method == "POST"
    assert asked.headers["x-name"] == "it"
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {"text": "got it 2 times", "n": 2, "plain": "{not a placeholder}"}


async def test_a_get_sends_its_data_as_query(web: Site, webhook: WebhookConnector) -> None:
    web.answers("/items/10", Answer(body=b"ok"))
    config = {"url": f"{web.url}/items/{{inputs.id}}", "method": "GET", "data": {"q": "{inputs.s}"}}

    await called(webhook, config, inputs={"id": (int, 10), "s": (str, "a&b")})

    assert (web.asked[-1].method, web.asked[-1].target) == ("GET", "/items/10?q=a%26b")


async def test_data_and_url_are_shown_on_request_without_secrets(web: Site, webhook: WebhookConnector) -> None:
    web.answers("/", Answer(body=b"ok"))
    config = {
        "url": f"{web.url}/?key={{secrets.KEY}}",
        "data": {"token": "{{ .secrets.KEY }}", "s": "{inputs.s}"},
        "show_data": True,
        "show_url": True,
    }

    info = await called(webhook, config, inputs={"s": (str, "x")}, secrets={"KEY": "k3y"})

    assert info["input_data"] == {"token": "***", "s": "x"}
    assert info["url"] == f"{web.url}/?key=***"
    assert web.asked[-1].target == "/?key=k3y"
    assert json.loads(web.asked[-1].body)["token"] == "k3y"


async def test_a_webhook_that_refuses_fails_the_task(web: Site, webhook: WebhookConnector) -> None:
    web.answers("/", Answer(400, b"no"), Answer(429))

    with pytest.raises(UserError, match="answered 400: no"):
        await called(webhook, {"url": f"{web.url}/"})
    with pytest.raises(RateLimitedError):
        await called(webhook, {"url": f"{web.url}/"})


async def test_every_field_of_the_task_is_accepted(web: Site, webhook: WebhookConnector) -> None:
    web.answers("/", Answer())
    config = {"url": f"{web.url}/", "headers": None, "timeout": 5, "timeout_sec": None, "dynamic_inputs": {"s": "str"}}

    assert (await called(webhook, config))["status_code"] == 200


@pytest.mark.parametrize(
    ("config", "field"), [({"method": "G T"}, "custom.method"), ({"timeout_sec": 0}, "custom.timeout_sec")]
)
async def test_a_field_that_can_not_be_is_refused_by_name(
    config: dict[str, Any], field: str, webhook: WebhookConnector
) -> None:
    with pytest.raises(InvalidTaskError, match=field):
        await called(webhook, {"url": "http://127.0.0.1:1/", **config})
