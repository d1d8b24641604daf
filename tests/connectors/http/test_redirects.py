"""Redirects are followed only when the task says so, and carry no secret to another origin."""

import pytest

from connectors.http import HttpConnector
from connectors.http.request import Request, redirected
from connectory.errors import InvalidTaskError, UserError
from tests.connectors.calling import Caller
from tests.connectors.http.server import Answer, Site


def moved(location: str, status: int = 302) -> Answer:
    return Answer(status, headers={"location": location})


async def test_a_redirect_is_an_error_unless_the_task_allows_it(web: Site, connector: HttpConnector) -> None:
    web.answers("/", moved("/there"))

    with pytest.raises(UserError, match=r"answered 302 with a redirect, and custom\.redirects does not allow"):
        await Caller(connector, {"url": f"{web.url}/"}).execute()
    assert [asked.path for asked in web.asked] == ["/"]


async def test_as_many_redirects_are_followed_as_the_task_allows(web: Site, connector: HttpConnector) -> None:
    web.answers("/", moved("/b"))
    web.answers("/b", moved("c?x=1", 307))
    web.answers("/c", Answer(body=b"arrived"))
    config = {"url": f"{web.url}/", "redirects": 2}

    assert await Caller(connector, config, outputs={"body": str}).execute() == {"body": "arrived"}
    with pytest.raises(UserError, match="answered 307 with a redirect"):
        await Caller(connector, {**config, "redirects": 1}).execute()


async def test_a_loop_of_redirects_ends(web: Site, connector: HttpConnector) -> None:
    web.answers("/", moved("/"))

    with pytest.raises(UserError, match="answered 302"):
        await Caller(connector, {"url": f"{web.url}/", "redirects": 5}).execute()
    assert len(web.asked) == 6


@pytest.mark.parametrize(
    ("status", "method", "body"), [(302, "GET", b""), (303, "GET", b""), (307, "POST", b"data"), (308, "POST", b"data")]
)
async def test_a_redirected_post(status: int, method: str, body: bytes, web: Site, connector: HttpConnector) -> None:
    web.answers("/", moved("/there", status))
    web.answers("/there", Answer())

    await Caller(connector, {"url": f"{web.url}/", "method": "POST", "text": "data", "redirects": 1}).execute()

    assert (web.asked[-1].method, web.asked[-1].body) == (method, body)


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key", "Cookie"])
async def test_secrets_stay_with_their_origin(header: str, web: Site, connector: HttpConnector) -> None:
    config = {
        "url": f"{web.url}/",
        "redirects": 1,
        "headers": {header: "{{ .secrets.KEY }}", "X-Plain": "yes"},
    }
    web.answers("/there", Answer())
    for location, has_secret in ((f"{web.url}/there", True), (f"http://localhost:{web.port}/there", False)):
        web.answers("/", moved(location))
        await Caller(connector, config, secrets={"KEY": "k3y"}).execute()
        assert (header.lower() in web.asked[-1].headers) == has_secret
        assert web.asked[-1].headers["x-plain"] == "yes"


async def test_a_body_is_not_sent_to_another_origin(web: Site, connector: HttpConnector) -> None:
    web.answers("/", moved(f"http://localhost:{web.port}/there", 307))
    config = {"url": f"{web.url}/", "method": "POST", "json": {"a": 1}, "redirects": 1}

    with pytest.raises(UserError, match="redirects to another origin, where its body is not sent"):
        await Caller(connector, config).execute()


def test_a_redirect_does_not_lead_out_of_tls_or_out_of_http() -> None:
    request = Request(method="GET", url="https://a.com/", shown="GET https://a.com/")

    with pytest.raises(UserError, match="from https to http"):
        redirected(request, 302, "http://a.com/")
    with pytest.raises(InvalidTaskError, match="does not begin with http"):
        redirected(request, 302, "file:///etc/passwd")
