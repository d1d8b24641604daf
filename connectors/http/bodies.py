"""The body of an http task's request."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from connectors.http.config import HttpConfig
from connectors.http.rendering import Renderer
from connectory.connector.contract import CreateContext
from connectory.errors import InvalidTaskError

__all__ = ["body_of", "download_body", "file_url", "json_bytes", "query"]


def body_of(config: HttpConfig, renderer: Renderer) -> tuple[bytes, str]:
    """The bytes of the body and its content type; no bytes for a file, and no type when there is no body."""
    if config.json is not None:
        return json_bytes(renderer.structure(config.json, field="custom.json")), "application/json"
    if config.form is not None:
        return query(config.form, renderer, field="custom.form").encode(), "application/x-www-form-urlencoded"
    if config.text is not None:
        return renderer.text(config.text, field="custom.text").encode(), "text/plain; charset=utf-8"
    return b"", "" if config.file is None else "application/octet-stream"


def json_bytes(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def query(values: Mapping[str, Any], renderer: Renderer, *, field: str, masked: bool = False) -> str:
    """The names and values encoded as a query or a form; a None is left out."""
    filled = renderer.structure(values, field=field, masked=masked)
    pairs = []
    for name, value in filled.items():
        pairs += [
            (name, _as_text(item)) for item in (value if isinstance(value, list) else [value]) if item is not None
        ]
    return urlencode(pairs, safe="*" if masked else "")


def file_url(ctx: CreateContext[Any], name: str) -> str:
    """Where the File input of this name is stored."""
    literal = ctx.literals.literals.get(name)
    while literal is not None and literal.scalar.HasField("union"):
        literal = literal.scalar.union.value
    if literal is None or not literal.scalar.HasField("blob"):
        problem = f"there is no File input {name!r}"
        raise InvalidTaskError(f"custom.file: {problem}", fields={"custom.file": problem})
    return literal.scalar.blob.uri


def download_body(ctx: CreateContext[Any], url: str) -> Path:
    """A local copy of the body's file, in a new folder of its own."""
    return ctx.storage.download(url, ctx.conversion.new_local_path("request-body"))


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)
