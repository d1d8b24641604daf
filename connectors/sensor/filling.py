"""Filling a sensor's templates with the job's inputs and secrets, at each look anew."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from connectory.templating import render

from connectors.sensor.job import SensorJob
from connectory.connector.contract import JobContext
from connectory.types import ConversionContext, TypeRegistry
from connectory.v1 import interface_pb2, literals_pb2

__all__ = ["Filling"]

MASK: Final = "***"


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

    def text(self, template: str) -> str:
        """The template filled in."""
        return render(template, inputs=self.inputs, output_prefix=self._job.prefix, secrets=self._ctx.secrets).strip()

    def shown(self, template: str) -> str:
        """The same for people: stars in the place of secrets."""
        return render(template, inputs=self.inputs, output_prefix=self._job.prefix, secrets=_Masking()).strip()


class _Masking:
    """Secrets that are all stars."""

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        return MASK
