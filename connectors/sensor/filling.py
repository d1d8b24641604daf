"""Filling a sensor's templates with the job's inputs and secrets, at each look anew."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from connectors.sensor.job import SensorJob
from connectory.connector.contract import JobContext
from connectory.secrets import Secrets
from connectory.templating import render
from connectory.types import ConversionContext, TypeRegistry
from connectory.v1 import interface_pb2, literals_pb2
from connectory.web import render_url

__all__ = ["MASK", "Filling"]

MASK: Final = "***"
"""What people see in the place of a secret."""


class Filling:
    """The inputs of one job, and its templates filled in."""

    def __init__(self, job: SensorJob, ctx: JobContext, types: TypeRegistry) -> None:
        self._job = job
        self._ctx = ctx
        self._types = types

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """The inputs as native values."""
        literals = literals_pb2.LiteralMap.FromString(self._job.inputs)
        variables = interface_pb2.VariableMap.FromString(self._job.variables)
        return self._types.map_to_python(literals, variables, ConversionContext(storage=self._ctx.storage))

    def text(self, template: str, *, masked: bool = False) -> str:
        """The template filled in; `masked`: for people, with stars in the place of secrets."""
        return self._render(template, self._secrets(masked)).strip()

    def url(self, template: str, *, masked: bool = False) -> str:
        """The same for the URL of a web server."""
        return render_url(template, inputs=self.inputs, output_prefix=self._job.prefix, secrets=self._secrets(masked))

    def uri(self, template: str, *, masked: bool = False) -> str:
        """The same for a database: a secret within it is percent-encoded, one that is all of it is not."""
        secrets = self._secrets(masked)
        return self._render(template, secrets if template.lstrip().startswith("{{") else _Encoded(secrets)).strip()

    def _render(self, template: str, secrets: Secrets) -> str:
        return render(template, inputs=self.inputs, output_prefix=self._job.prefix, secrets=secrets)

    def _secrets(self, masked: bool) -> Secrets:
        return _Masking() if masked else self._ctx.secrets


class _Encoded:
    """Secrets as they must be written inside of a URI."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        return quote(self._secrets.get(key, group=group, version=version), safe="*")


class _Masking:
    """Secrets that are all stars."""

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        return MASK
