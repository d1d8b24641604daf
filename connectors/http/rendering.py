"""Filling a task's templates with its inputs and secrets."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from connectory.connector.contract import CreateContext
from connectory.errors import InvalidTaskError
from connectory.secrets import Secrets
from connectory.templating import render
from connectory.web import render_url

__all__ = ["Renderer"]

MASK: Final = "***"

_EXACT_INPUT: Final = re.compile(r"\s*\{\{\s*\.[iI]nputs\.(\w+)\s*\}\}\s*")


class Renderer:
    """Renders the templates of one task, and keeps apart what may be shown from what is secret."""

    def __init__(self, ctx: CreateContext[Any]) -> None:
        self._ctx = ctx
        self._secrets = _Recording(ctx.secrets)

    def text(self, template: str, *, field: str, masked: bool = False) -> str:
        """The template filled in; `masked` puts stars in the place of secrets."""
        return self._filled(render, template, field, masked)

    def url(self, template: str, *, field: str, masked: bool = False) -> str:
        """A URL: an input at its very start is taken as it is, later ones can't begin a query or a fragment."""
        return self._filled(render_url, template, field, masked)

    def structure(self, value: Any, *, field: str, masked: bool = False) -> Any:
        """A JSON structure with every text in it filled in; a text that is exactly one input keeps the input's type."""
        if isinstance(value, str):
            return self._leaf(value, field, masked)
        if isinstance(value, Mapping):
            return {
                self.text(key, field=field, masked=masked): self.structure(item, field=f"{field}.{key}", masked=masked)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.structure(item, field=f"{field}[{index}]", masked=masked) for index, item in enumerate(value)]
        return value

    def redacted(self, text: str) -> str:
        """The text with stars in the place of every secret that was used."""
        for value in sorted(self._secrets.used, key=len, reverse=True):
            text = text.replace(value, MASK)
        return text

    def _leaf(self, template: str, field: str, masked: bool) -> Any:
        exact = _EXACT_INPUT.fullmatch(template)
        if exact is None or exact[1] not in self._ctx.inputs:
            return self.text(template, field=field, masked=masked)
        return msgspec.to_builtins(self._ctx.inputs[exact[1]], enc_hook=str, str_keys=True)

    def _filled(self, how: Callable[..., str], template: str, field: str, masked: bool) -> str:
        try:
            return how(
                template,
                inputs=self._ctx.inputs,
                output_prefix=self._ctx.output_prefix,
                raw_output_prefix=self._ctx.conversion.raw_output_prefix,
                retry_key=self._ctx.idempotency_key,
                secrets=_Masking() if masked else self._secrets,
            )
        except InvalidTaskError as error:
            raise InvalidTaskError(f"{field}: {error}", fields={field: str(error)}) from error


class _Recording:
    """Secrets that remember which values they gave."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self.used: set[str] = set()

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        value = self._secrets.get(key, group=group, version=version)
        if value:
            self.used.add(value)
        return value


class _Masking:
    """Secrets that are all stars."""

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        return MASK
