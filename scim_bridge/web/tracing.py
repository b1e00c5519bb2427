"""
Traces of requests for an OpenTelemetry collector, with the extra ``opentelemetry`` and `tracing_endpoint` set.

A span says which door was asked, how it answered and the request's id. It holds no address, query or body: they name
people. The library is imported only where it is wanted.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from scim_bridge.settings import Settings, SettingsError
from scim_bridge.web.context import REQUEST_ID
from scim_bridge.web.meters import METHODS, door_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

EXTENSION = "scim_bridge.tracing"
CARRIED = {"HTTP_TRACEPARENT": "traceparent", "HTTP_TRACESTATE": "tracestate"}


def trace(app: Flask, settings: Settings) -> None:
    """Send a span for each request of an application; raises SettingsError where the extra is not installed."""
    provider = _provider(settings.tracing_endpoint)
    app.extensions[EXTENSION] = provider
    tracer = provider.get_tracer("scim_bridge")
    app.wsgi_app = Traced(  # type: ignore[method-assign]
        app.wsgi_app, tracer, believes=settings.trusted_proxies > 0
    )


class Traced:
    """Spans every request; whether a client's own trace is gone on with depends on a proxy that is trusted."""

    def __init__(self, beyond: "WSGIApplication", tracer: "Tracer", *, believes: bool) -> None:
        self._beyond = beyond
        self._tracer = tracer
        self._believes = believes

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in METHODS else "other"
        door = door_of(environ.get("PATH_INFO", ""))
        sent = {name: environ[key] for key, name in CARRIED.items() if key in environ} if self._believes else {}
        with self._tracer.start_as_current_span(
            f"{method} {door}",
            extract(sent),
            SpanKind.SERVER,
            {"http.request.method": method, "scim_bridge.door": door},
            # The text of an exception may name people; the log has it, under the request's id.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            def start(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
                span.set_attribute("http.response.status_code", int(status[:3]))
                return start_response(status, headers, *rest)  # type: ignore[arg-type]

            try:
                return self._beyond(environ, start)  # type: ignore[arg-type]
            finally:
                span.set_attribute("scim_bridge.request_id", environ.get(REQUEST_ID, ""))


def _provider(endpoint: str) -> "TracerProvider":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError(
            "The setting tracing_endpoint needs an extra: `pip install 'scim-bridge[opentelemetry]'`."
        ) from None
    made = TracerProvider(resource=Resource.create({"service.name": "scim-bridge"}))
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    return made
