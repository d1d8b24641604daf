"""The httpx client that connectors use. Import it on first use only: httpx takes a while to load."""

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from connectory.web.policy import HostPolicy
from connectory.web.transport import CheckedTransport

__all__ = ["open_client"]


def open_client(policy: HostPolicy) -> httpx.AsyncClient:
    """A client that serves many tasks: it keeps no cookies, follows no redirects and has no timeout of its own.

    Certificates are always verified. Under a restricted policy it connects directly; otherwise it also uses the proxy
    that the environment names.
    """
    return httpx.AsyncClient(
        transport=CheckedTransport(policy) if policy.is_restricted else None,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        timeout=None,
        follow_redirects=False,
        headers={"user-agent": "connectory"},
    )
