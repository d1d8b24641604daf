"""The SDK's exporter of spans by gRPC, for batches of which most spans are alike. Imported only to export."""

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as _Exporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan

from connector_server.call_spans import CallSpan

__all__ = ["OTLPSpanExporter"]


class OTLPSpanExporter(_Exporter):
    """Encodes attributes that spans share once. All spans of a batch must have one resource and one scope."""

    def _translate_data(self, data: Sequence[ReadableSpan]) -> ExportTraceServiceRequest:
        request = encode_spans(data[:1])
        if data:
            spans = request.resource_spans[0].scope_spans[0].spans
            del spans[:]
            for span in data:
                _encode(span, spans.add())
        return request


def _encode(span: ReadableSpan, message: Span) -> None:
    shared, parent = span.shared if isinstance(span, CallSpan) else None, span.parent
    if shared is None or (parent is not None and parent.trace_state):
        message.CopyFrom(_by_the_sdk(span))
        return
    alike = shared.encoded.get(parent is not None)
    if alike is None:
        example = _by_the_sdk(span)
        for name in ("trace_id", "span_id", "parent_span_id", "start_time_unix_nano", "end_time_unix_nano"):
            example.ClearField(name)
        alike = shared.encoded[parent is not None] = example.SerializeToString()
    message.MergeFromString(alike)
    own = span.context
    message.trace_id, message.span_id = own.trace_id.to_bytes(16, "big"), own.span_id.to_bytes(8, "big")
    message.start_time_unix_nano, message.end_time_unix_nano = span.start_time or 0, span.end_time or 0
    if parent is not None:
        message.parent_span_id = parent.span_id.to_bytes(8, "big")


def _by_the_sdk(span: ReadableSpan) -> Span:
    message: Span = encode_spans([span]).resource_spans[0].scope_spans[0].spans[0]
    return message
