"""The audit reaches syslog in its order, over UDP, TCP and TLS, and whole where the server was away."""

import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from scim_bridge.errors import SyslogUndelivered
from scim_bridge.identity import organizations
from scim_bridge.identity.runtime import Runtime
from scim_bridge.outbound.syslog import LONGEST_DATAGRAM, Line, open_syslog
from scim_bridge.settings import Settings, SettingsError, load_settings
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import Keyring
from scim_bridge.sync.streamer import Streamer
from tests.fakes.kube_tls import Authority
from tests.identity.people import HANDS
from tests.identity.provider import rows
from tests.mail.post_office import free_port
from tests.outbound.carrying import seal

KEYRING = Keyring(("2G8sWYJ0mYz8nCk2j9mB3nJ5yqv8xv0mX3o1n4n2q0E=",))
# RFC 5424 §6: PRI, VERSION, TIMESTAMP, HOSTNAME, APP-NAME, PROCID, MSGID, STRUCTURED-DATA, MSG with its BOM.
TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
LINE = re.compile(rb"<109>1 " + TIME + rb" (\S+) scim-bridge - (\S+) - \xef\xbb\xbf(.*)", re.DOTALL)


@contextmanager
def collector(context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[tuple[int, "Queue[bytes]"]]:
    """Listen as collectors do: each line is as long as the number before it says."""
    lines: Queue[bytes] = Queue()
    with socket.create_server(("127.0.0.1", port)) as listening:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                    with context.wrap_socket(plain, server_side=True) if context else plain as opened:
                        stream = opened.makefile("rb")
                        while (length := _length(stream)) is not None:
                            lines.put(stream.read(length))
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], lines
        listening.shutdown(socket.SHUT_RDWR)


def _length(stream: object) -> int | None:
    digits = b""
    while (letter := stream.read(1)) not in (b" ", b""):  # type: ignore[attr-defined]
        digits += letter
    return int(digits) if digits else None


def stream(database: Database, url: str) -> int:
    settings = Settings(syslog_url=url)
    seal(Runtime(settings, database, KEYRING))
    return Streamer(database, settings).send()


def told(line: bytes) -> tuple[str, dict[str, object]]:
    """Return the word by which a line is sorted, and what it tells."""
    found = LINE.fullmatch(line)
    assert found is not None, line
    return found[2].decode(), json.loads(found[3])


def test_every_entry_is_sent_once_and_in_order_over_tcp(database: Database) -> None:
    organizations.create(database, HANDS, "acme", owner="ana@acme.example")
    with collector() as (port, lines):
        first = stream(database, f"tcp://127.0.0.1:{port}")
        again = stream(database, f"tcp://127.0.0.1:{port}")
        organizations.create(database, HANDS, "evil")
        later = stream(database, f"tcp://127.0.0.1:{port}")
        found = [told(lines.get(timeout=5)) for _ in range(first + later)]

    sealed = rows(database, "audit_entry")
    assert (first, again, later) == (len(sealed) - 1, 0, 1)
    assert [document["id"] for _, document in found] == [row["id"] for row in sealed]
    assert [(kind, document["organization"]) for kind, document in found][-1] == ("organization.created", "evil")
    assert found[0][1]["hash"] == sealed[0]["hash"]


def test_a_server_that_was_away_gets_what_it_missed(database: Database) -> None:
    port = free_port()
    organizations.create(database, HANDS, "acme")
    with pytest.raises(SyslogUndelivered, match="did not take"):
        stream(database, f"tcp://127.0.0.1:{port}")

    with collector(port=port) as (_, lines):
        sent = stream(database, f"tcp://127.0.0.1:{port}")
        found = told(lines.get(timeout=5))

    assert (sent, found[0]) == (1, "organization.created")


def test_without_a_server_nothing_is_sent(database: Database) -> None:
    organizations.create(database, HANDS, "acme")

    assert stream(database, "") == 0


def test_over_tls_the_servers_certificate_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority()
    (tmp_path / "ca.pem").write_text(authority.pem)
    line = Line(now(), "host one", "thing.made", "a\nb ☂")
    with collector(authority.server()) as (port, lines):
        url = f"tls://127.0.0.1:{port}"
        with pytest.raises(SyslogUndelivered, match="certificate"), open_syslog(url) as send:
            send(line)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with open_syslog(url) as send:
            send(line)
        found = LINE.fullmatch(lines.get(timeout=5))

    assert found is not None
    assert (found[1], found[2], found[3].decode()) == (b"hostone", b"thing.made", "a\nb ☂")


def test_over_udp_a_line_is_a_datagram_and_cut_between_letters() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        with open_syslog(f"udp://127.0.0.1:{listening.getsockname()[1]}") as send:
            send(Line(now(), "host", "thing.made", "short"))
            send(Line(now(), "host", "thing.made", "☂" * 9000))
        short, long = listening.recv(65536), listening.recv(65536)

    assert short.endswith(b"short")
    assert LONGEST_DATAGRAM - 3 < len(long) <= LONGEST_DATAGRAM
    assert long.decode().endswith("☂")


@pytest.mark.parametrize("url", ["http://log.example", "tcp://", "log.example:514"])
def test_an_address_that_is_none_stops_the_start(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIM_BRIDGE_SYSLOG_URL", url)

    with pytest.raises(SettingsError, match="syslog_url"):
        load_settings()
