"""Export of spans by OTLP, when the standard `OTEL_*` variables ask for it. Imported only then."""

import importlib
import os
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from connectory.errors import SettingsError

__all__ = ["exporting_provider"]

_EXPORTERS = {
    "grpc": "opentelemetry.exporter.otlp.proto.grpc.trace_exporter",
    "http/protobuf": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
}


def exporting_provider() -> TracerProvider:
    """A provider that exports where the variables say. Whoever takes it must call its `shutdown`, which flushes."""
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or "connectory-connector-server"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_exporter()))
    return provider


def _exporter() -> Any:
    names = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    name, protocol = next(((name, os.environ[name]) for name in names if os.environ.get(name)), (names[1], "grpc"))
    module = _EXPORTERS.get(protocol)
    if module is None:
        raise SettingsError(f"{name}={protocol!r} is not offered; set it to {' or '.join(_EXPORTERS)}")
    try:
        return importlib.import_module(module).OTLPSpanExporter()
    except ImportError as error:
        raise SettingsError(
            f"OTEL_* variables ask for OTLP by {protocol}, but {error.name} is not installed; install connectory[otlp],"
            " or set OTEL_TRACES_EXPORTER=none"
        ) from None
