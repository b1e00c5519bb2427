"""Traces of requests: what a collector gets, what it never gets, and what is said when the extra is missing."""

import shutil
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider

from scim_bridge.app import create_app
from scim_bridge.settings import Settings, SettingsError
from scim_bridge.web.tracing import EXTENSION
from tests.scim.doors import World, open_world

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent to /v1/traces."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        if self.path == "/v1/traces":
            self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[ThreadingHTTPServer]:
    Collector.bodies = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def spans(world: World) -> list[Span]:
    provider = world.app.extensions[EXTENSION]
    assert isinstance(provider, TracerProvider)
    provider.shutdown()
    read = [ExportTraceServiceRequest.FromString(body) for body in Collector.bodies]
    return [span for each in read for found in each.resource_spans for part in found.scope_spans for span in part.spans]


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_collector_gets_a_span_for_each_request_and_nobodys_name(
    migrated_sqlite: Path, tmp_path: Path, collector: ThreadingHTTPServer, proxies: int
) -> None:
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'traced.sqlite3')}"
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    with open_world(url, tmp_path, tracing_endpoint=endpoint, trusted_proxies=proxies) as world:
        okta = world.connect("acme", "okta")

        answer = okta.get('/Users?filter=userName eq "ada@acme.example"', traceparent=PARENT)
        okta.create_user("bob@acme.example")
        okta.get("/Users/nobody")
        found = spans(world)

    told = {each.name: {pair.key: pair.value for pair in each.attributes} for each in found}
    assert [each.name for each in found] == ["GET scim", "POST scim", "GET scim"]
    assert [_status(each) for each in found] == [200, 201, 404]
    assert found[0].attributes[-1].value.string_value == answer.headers["X-Request-Id"]
    assert (found[0].trace_id.hex() == PARENT.split("-")[1]) is (proxies == 1)
    assert told["POST scim"]["scim_bridge.door"].string_value == "scim"
    assert b"acme.example" not in b"".join(Collector.bodies)


def _status(span: Span) -> int:
    return next(int(pair.value.int_value) for pair in span.attributes if pair.key == "http.response.status_code")


def test_without_the_extra_the_start_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    with pytest.raises(SettingsError, match=r"scim-bridge\[opentelemetry\]"):
        create_app(Settings(home=tmp_path, tracing_endpoint="http://127.0.0.1:4318"))


def test_without_the_setting_the_library_is_not_even_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)

    create_app(Settings(home=tmp_path))

    assert [each for each in sys.modules if each.partition(".")[0] == "opentelemetry"] == []
