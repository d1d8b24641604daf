"""Which telemetry the standard `OTEL_*` variables ask for, and what makes the spans of calls."""

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from connector_server.methods import CallTracer
from connectory.connector.registry import Registry

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

__all__ = ["call_tracer", "otlp_is_wanted"]


def call_tracer(registry: Registry, provider: "TracerProvider | None", stack: AsyncExitStack) -> CallTracer | None:
    """What makes spans with the provider, or with one that the variables ask for; None: nothing does.

    What is opened for it is closed with the stack.
    """
    if provider is None and otlp_is_wanted("TRACES"):
        # Optional: without OTEL_* variables the SDK is never loaded.
        from connector_server.otlp import exporting_spans  # noqa: PLC0415

        spans, processor = exporting_spans(registry.name_of)
        stack.push_async_callback(asyncio.to_thread, processor.shutdown)
        stack.callback(spans.hand_over)
        return spans
    if provider is None:
        return None
    # Optional: without a provider no span object is ever made.
    from connector_server.tracing import SpanTracer  # noqa: PLC0415

    return SpanTracer(provider, registry.name_of)


def otlp_is_wanted(signal: str) -> bool:
    """Whether the standard variables ask for the export of TRACES or METRICS."""
    environ = os.environ
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environ.get(f"OTEL_{signal}_EXPORTER")
    if exporter:
        return exporter == "otlp"
    return bool(environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))
