# /// script
# requires-python = ">=3.11"
# dependencies = ["opentelemetry-proto"]
# ///
"""A collector of traces (OTLP over HTTP), for as long as stdin is open: the spans that it was sent last."""

import json
import sys
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

received: list[ResourceSpans] = []


class Collector(BaseHTTPRequestHandler):
    """Takes what an exporter posts."""

    def do_POST(self) -> None:
        """Keep the spans of one request."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            received.extend(ExportTraceServiceRequest.FromString(body).resource_spans)
        self.send_response(200 if self.path == "/v1/traces" else 404)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def values(attributes: Iterable[KeyValue]) -> dict[str, object]:
    """Return attributes as a dictionary: each value has one field, named by its type."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def described(span: Span, names: dict[bytes, str]) -> dict[str, object]:
    """Return what is the same in every run: not the ids that are made up, and no times."""
    return {
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind),
        "trace": span.trace_id.hex(),
        "parent": names.get(span.parent_span_id, span.parent_span_id.hex()),
        "attributes": values(span.attributes),
        "status": Status.StatusCode.Name(span.status.code),
        "events": [event.name for event in span.events],
    }


def seen() -> dict[str, object]:
    """Return the services' names and their spans, in the order in which they ended."""
    spans = [span for each in received for scope in each.scope_spans for span in scope.spans]
    names = {span.span_id: span.name for span in spans}
    services = sorted({values(each.resource.attributes)["service.name"] for each in received})
    return {"services": services, "spans": [described(span, names) for span in spans]}


def main() -> None:
    """Serve until stdin ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address
        print(json.dumps({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{host}:{port}"}), flush=True)
        sys.stdin.read()
        server.shutdown()
    print(json.dumps(seen()))


if __name__ == "__main__":
    main()
