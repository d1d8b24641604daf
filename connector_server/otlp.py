"""Export by OTLP, when the standard `OTEL_*` variables ask for it. Imported only then."""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from connector_server.call_spans import CallSpans
from connectory.connector.subjects import Subject
from connectory.errors import SettingsError

__all__ = ["METRICS", "TRACES", "Signal", "exporter_of", "exporting_spans", "service_resource"]


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One kind of telemetry and who exports it."""

    name: str
    """As the variables spell it: TRACES or METRICS."""
    exporters: Mapping[str, str]
    """The module of the exporter, by protocol."""
    exporter_class: str


_PROTOCOLS: Final = {
    "grpc": "opentelemetry.exporter.otlp.proto.grpc",
    "http/protobuf": "opentelemetry.exporter.otlp.proto.http",
}

TRACES: Final = Signal(
    name="TRACES",
    exporters={
        "grpc": "connector_server.otlp_spans",
        "http/protobuf": f"{_PROTOCOLS['http/protobuf']}.trace_exporter",
    },
    exporter_class="OTLPSpanExporter",
)
METRICS: Final = Signal(
    name="METRICS",
    exporters={protocol: f"{module}.metric_exporter" for protocol, module in _PROTOCOLS.items()},
    exporter_class="OTLPMetricExporter",
)


def service_resource() -> Resource:
    """Who this is, as the variables say."""
    return Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or "connectory-connector-server"})


def exporting_spans(connector_of: Callable[[Subject], str]) -> tuple[CallSpans, SpanProcessor]:
    """Spans that are exported where the variables say, and who does it: its `shutdown` must be called, it flushes."""
    provider = TracerProvider(resource=service_resource(), shutdown_on_exit=False)
    processor = BatchSpanProcessor(exporter_of(TRACES))
    return CallSpans(provider, processor, connector_of), processor


def exporter_of(signal: Signal) -> Any:
    """The signal's exporter. A protocol that is unknown or not installed is a `SettingsError`."""
    names = (f"OTEL_EXPORTER_OTLP_{signal.name}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    name, protocol = next(((name, os.environ[name]) for name in names if os.environ.get(name)), (names[1], "grpc"))
    module = signal.exporters.get(protocol)
    if module is None:
        raise SettingsError(f"{name}={protocol!r} is not offered; set it to {' or '.join(signal.exporters)}")
    try:
        return getattr(importlib.import_module(module), signal.exporter_class)()
    except ImportError as error:
        raise SettingsError(
            f"OTEL_* variables ask for OTLP by {protocol}, but {error.name} is not installed; install connectory[otlp],"
            f" or set OTEL_{signal.name}_EXPORTER=none"
        ) from None
