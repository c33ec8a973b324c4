"""Price an order, and send a trace of how that went to an OpenTelemetry collector before the answer leaves."""

from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

PRICES = {"cup": 1200, "tea": 450}

# The collector is OTEL_EXPORTER_OTLP_ENDPOINT, the name that traces bear is OTEL_SERVICE_NAME.
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("checkout")


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the price in cents, and what is not for sale."""
    try:
        with tracer.start_as_current_span("order", extract(event["headers"]), kind=trace.SpanKind.SERVER) as span:
            prices = [price(article, pieces) for article, pieces in event["order"].items()]
            span.set_attribute("order.articles", len(prices))
            unknown = [article for article, cents in zip(event["order"], prices, strict=True) if cents is None]
            return {"cents": sum(cents for cents in prices if cents), "unknown": unknown}
    finally:
        provider.force_flush()  # what is not sent now waits for the next invocation, if there is one


def price(article: str, pieces: int) -> int | None:
    """Return what the pieces cost, in a span of its own."""
    with tracer.start_as_current_span("price", attributes={"article": article, "pieces": pieces}) as span:
        try:
            return PRICES[article] * pieces
        except KeyError as error:
            span.record_exception(error)
            span.set_status(trace.StatusCode.ERROR, "not for sale")
            return None
