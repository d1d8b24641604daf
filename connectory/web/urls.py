"""URLs from templates."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from connectory.secrets import Secrets
from connectory.templating import render

__all__ = ["render_url"]

_LEADING: Final = re.compile(r"\s*\{\{.*?\}\}")
_SAFE: Final = "/:"


def render_url(template: str, *, inputs: Mapping[str, Any], secrets: Secrets, **prefixes: str) -> str:
    """The template filled in, as `connectory.templating.render` does.

    What stands at the very start is taken as it is, so that an input or a secret can be a whole URL. Texts and secrets
    further on are percent-encoded except for slashes and colons: they can't begin a query or a fragment.
    """
    leading = _LEADING.match(template)
    start = leading.end() if leading else 0
    head = render(template[:start], inputs=inputs, secrets=secrets, **prefixes)
    encoded = {name: quote(value, safe=_SAFE) if isinstance(value, str) else value for name, value in inputs.items()}
    return (head + render(template[start:], inputs=encoded, secrets=_Encoded(secrets), **prefixes)).strip()


class _Encoded:
    """Secrets as they must be written inside of a URL."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        return quote(self._secrets.get(key, group=group, version=version), safe=f"{_SAFE}*")
