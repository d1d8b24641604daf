"""Header fields from a task's templates."""

import re
from collections.abc import Mapping

from connectors.http.rendering import Renderer
from connectory.errors import InvalidTaskError

__all__ = ["rendered_headers"]

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def rendered_headers(templates: Mapping[str, str], renderer: Renderer) -> tuple[dict[str, str], frozenset[str]]:
    """The headers by lower-case name, and the names of those that hold secrets."""
    headers, private = {}, set()
    for name, template in templates.items():
        field = f"custom.headers.{name}"
        value = renderer.text(template, field=field)
        if not _NAME.fullmatch(name) or any(ord(sign) < 32 and sign != "\t" for sign in value):
            problem = "no HTTP header: its name has a sign that names can't have, or its value has a line break"
            raise InvalidTaskError(f"{field} is {problem}", fields={field: problem})
        headers[name.lower()] = value
        if value != renderer.text(template, field=field, masked=True):
            private.add(name.lower())
    return headers, frozenset(private)
