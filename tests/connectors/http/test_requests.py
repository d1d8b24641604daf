"""What is sent: methods, queries, headers and bodies, filled in from inputs and secrets."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.http import HttpConnector
from connectory.errors import InvalidTaskError, MissingSecretError
from connectory.types import File
from tests.connectors.calling import Caller
from tests.connectors.http.server import Answer, Asked, Site


async def sent(web: Site, connector: HttpConnector, config: dict[str, Any], **task: Any) -> Asked:
    web.answers("/", Answer())
    await Caller(connector, {"url": f"{web.url}/", **config}, **task).execute()
    return web.asked[-1]


@pytest.mark.parametrize("method", ["GET", "head", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_any_method(method: str, web: Site, connector: HttpConnector) -> None:
    assert (await sent(web, connector, {"method": method})).method == method.upper()


async def test_a_json_body_keeps_the_types_of_inputs_and_takes_any_text_safely(
    web: Site, connector: HttpConnector
) -> None:
    @dataclass
    class Point:
        x: int

    body = {
        "n": "{{ .inputs.n }}",
        "list": ["{{ .inputs.items }}", 1, None, True],
        "text": 'said "{{ .inputs.text }}" {{ .inputs.n }} times',
        "when": "{{ .inputs.when }}",
        "point": "{{ .inputs.point }}",
    }
    inputs = {
        "n": (int, 3),
        "items": (list[float], [0.5]),
        "text": (str, '", "admin": true, "x": "\n'),
        "when": (datetime, datetime(2030, 1, 2, tzinfo=UTC)),
        "point": (Point, Point(x=1)),
    }

    asked = await sent(web, connector, {"method": "POST", "json": body}, inputs=inputs)

    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {
        "n": 3,
        "list": [[0.5], 1, None, True],
        "text": 'said "", "admin": true, "x": "\n" 3 times',
        "when": "2030-01-02T00:00:00Z",
        "point": {"x": 1},
    }


@given(text=st.text())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_text_breaks_out_of_a_body_or_a_query(text: str, web: Site, connector: HttpConnector) -> None:
    config = {"method": "POST", "json": {"a": "<{{ .inputs.x }}>"}, "params": {"q": "{{ .inputs.x }}"}}

    asked = await sent(web, connector, config, inputs={"x": (str, text)})

    assert json.loads(asked.body) == {"a": f"<{text}>"}
    assert asked.query == {"q": [text]}


async def test_a_form_body(web: Site, connector: HttpConnector) -> None:
    form = {"name": "{{ .inputs.x }}", "tags": ["a", "b"], "on": True, "none": None}

    asked = await sent(web, connector, {"method": "POST", "form": form}, inputs={"x": (str, "a&b=c")})

    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.body == b"name=a%26b%3Dc&tags=a&tags=b&on=true"


async def test_a_text_body_and_a_type_of_its_own(web: Site, connector: HttpConnector) -> None:
    config = {"method": "PUT", "text": "<x>{{ .inputs.x }}</x>", "headers": {"Content-Type": "application/xml"}}

    asked = await sent(web, connector, config, inputs={"x": (str, "ü")})

    assert (asked.headers["content-type"], asked.body) == ("application/xml", "<x>ü</x>".encode())


async def test_a_file_body_comes_from_its_store_and_leaves_no_copy(
    web: Site, connector: HttpConnector, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 4096
    task_inputs = {"data": (File | None, File.stored("memory://uploads/data.bin"))}
    task = Caller(
        connector, {"url": f"{web.url}/", "method": "PUT", "file": "data"}, inputs=task_inputs, folder=tmp_path
    )
    task.storage.write("memory://uploads/data.bin", content)
    web.answers("/", Answer())

    await task.execute()

    asked = web.asked[-1]
    assert asked.body == content
    assert asked.headers["content-type"] == "application/octet-stream"
    assert "transfer-encoding" not in asked.headers
    assert list(task.storage.list(str(tmp_path))) == []


async def test_a_query_is_added_to_the_one_that_the_url_has(web: Site, connector: HttpConnector) -> None:
    config = {"url": f"{web.url}/?a=1#top", "params": {"b": ["x y", 2], "c": None}}

    assert (await sent(web, connector, config)).target == "/?a=1&b=x+y&b=2"


async def test_an_input_in_the_middle_of_a_url_begins_no_query(web: Site, connector: HttpConnector) -> None:
    web.answers("/items/a%3Fb%23c%26d/x", Answer())
    config = {"url": "{{ .inputs.base }}/items/{{ .inputs.id }}/x"}
    inputs = {"base": (str, web.url), "id": (str, "a?b#c&d")}

    await Caller(connector, config, inputs=inputs).execute()

    assert web.asked[-1].target == "/items/a%3Fb%23c%26d/x"


async def test_secrets_go_into_headers_urls_and_bodies(web: Site, connector: HttpConnector) -> None:
    config = {
        "url": f"{web.url}/?hook={{{{ .secrets.HOOK }}}}",
        "method": "POST",
        "headers": {"Authorization": "Bearer {{ .secrets.TOKEN }}"},
        "params": {"key": "{{ .secrets.KEY }}"},
        "json": {"password": "{{ .secrets.db.PASSWORD }}"},
    }
    secrets = {"TOKEN": "t0k3n", "KEY": "k&y", "HOOK": "T0/B0&c", "db_PASSWORD": 'p"w'}

    asked = await sent(web, connector, config, secrets=secrets)

    assert asked.headers["authorization"] == "Bearer t0k3n"
    assert asked.target == "/?hook=T0/B0%26c&key=k%26y"
    assert json.loads(asked.body) == {"password": 'p"w'}


async def test_an_input_that_looks_like_a_secret_reference_stays_text(web: Site, connector: HttpConnector) -> None:
    config = {"method": "POST", "json": {"a": "{{ .inputs.x }}", "b": "<{{ .inputs.x }}>"}}
    text = "{{ .secrets.TOKEN }}"

    asked = await sent(web, connector, config, inputs={"x": (str, text)}, secrets={"TOKEN": "t0k3n"})

    assert json.loads(asked.body) == {"a": text, "b": f"<{text}>"}


async def test_a_secret_that_is_missing_is_named(web: Site, connector: HttpConnector) -> None:
    with pytest.raises(MissingSecretError, match="TOKEN"):
        await sent(web, connector, {"headers": {"authorization": "{{ .secrets.TOKEN }}"}})
    assert web.asked == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"url": "ftp://example.com/x"}, "does not begin with http:// or https://"),
        ({"url": "/x"}, "does not begin with http"),
        ({"url": "http:///x"}, "names no host"),
        ({"url": "http://user:pass@example.com/"}, "holds credentials"),
        ({"url": "http://example.com:port/"}, "is not a URL"),
        ({"url": "{{ .inputs.nothing }}"}, "custom.url: .*inputs.nothing"),
        ({"method": "GET /x"}, "custom.method"),
        ({"json": {}, "text": ""}, r"custom.text: there is one body at most, and custom.json is given too"),
        ({"file": "data"}, "custom.file: there is no File input 'data'"),
        ({"timeout": 0}, "custom.timeout"),
        ({"redirects": -1}, "custom.redirects"),
        ({"max_response_bytes": -1}, "custom.max_response_bytes"),
        ({"expect": ["ok"]}, r"custom.expect\[0\]: 'ok' is neither a status"),
        ({"retry": [99]}, r"custom.retry\[0\]: 99 is neither a status"),
        ({"headers": {"a b": "x"}}, "custom.headers.a b is no HTTP header"),
        ({"headers": {"x": "a\r\nHost: evil"}}, "custom.headers.x is no HTTP header"),
    ],
)
async def test_what_can_not_be_sent_is_refused_by_field(
    config: dict[str, Any], message: str, web: Site, connector: HttpConnector
) -> None:
    with pytest.raises(InvalidTaskError, match=message):
        await sent(web, connector, config)
    assert web.asked == []


async def test_two_tasks_share_no_cookies(web: Site, connector: HttpConnector) -> None:
    web.answers("/login", Answer(headers={"set-cookie": "session=1; Path=/"}))
    await Caller(connector, {"url": f"{web.url}/login"}).execute()

    assert "cookie" not in (await sent(web, connector, {})).headers
