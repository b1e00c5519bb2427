"""Messages reach the receiver that was named, and nobody else, within their time."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from scim_bridge.domain.webhooks import read_networks
from scim_bridge.errors import WebhookUndelivered
from scim_bridge.outbound import posting
from scim_bridge.outbound.posting import Answer, post
from tests.fakes.kube_tls import Authority
from tests.mail.post_office import free_port
from tests.outbound.receiver import open_receiver

LOOPBACK = read_networks("127.0.0.0/8")


def send(url: str, seconds: float = 5, networks: tuple[object, ...] = LOOPBACK) -> Answer:
    return post(url, b"{}", {"webhook-id": "evt_1"}, networks=networks, seconds=seconds)  # type: ignore[arg-type]


@contextmanager
def speaking(*pieces: bytes, every: float = 0.0) -> Iterator[str]:
    """Answer each connection with these pieces, so many seconds apart, whatever it says."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    opened, _ = listening.accept()
                except OSError:
                    return
                with opened:
                    opened.settimeout(every or 1)
                    for piece in pieces:
                        try:
                            opened.sendall(piece)
                            # Waits, and ends when the other side hangs up.
                            if every and opened.recv(65536) == b"":
                                break
                        except TimeoutError:
                            continue
                        except OSError:
                            break

        Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        listening.shutdown(socket.SHUT_RDWR)


def test_what_is_posted_arrives_and_what_is_answered_comes_back_on_one_line() -> None:
    with open_receiver() as receiver:
        receiver.refuse(422, b"no\r\nsuch \x00 thing" + b"!" * 9000, Retry_After="7")

        answer = send(f"{receiver.url}?a=b")

    assert (answer.status, answer.is_taken, answer.retry_after) == (422, False, 7)
    assert answer.excerpt.startswith("no such thing!!!")
    assert len(answer.excerpt) == posting.LONGEST_EXCERPT
    assert receiver.headers[0]["content-type"] == "application/json"
    assert receiver.headers[0]["host"] == receiver.url.split("/")[2]


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with open_receiver() as other, open_receiver() as receiver:
        receiver.refuse(307, Location=other.url)

        answer = send(receiver.url)

    assert (answer.status, answer.is_taken, other.events) == (307, False, [])


def test_an_address_inside_is_not_even_connected_to() -> None:
    with open_receiver() as receiver:
        port = receiver.url.split(":")[2]
        for url in (receiver.url, f"http://localhost:{port}", f"https://localhost:{port}"):
            with pytest.raises(WebhookUndelivered, match="not at a public address"):
                send(url, networks=())

    assert receiver.headers == []


def test_what_is_connected_to_is_the_very_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        # The first answer is harmless, the second one would lead inside.
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with open_receiver() as receiver, monkeypatch.context() as lying:
        lying.setattr("socket.getaddrinfo", resolve)
        lying.setattr(posting, "is_loopback", lambda host: True)
        connected = []
        real = socket.socket

        def connect(address: tuple[str, int], timeout: float) -> socket.socket:
            connected.append(address[0])
            opened = real()
            opened.settimeout(timeout)
            opened.connect(address)
            return opened

        lying.setattr("socket.create_connection", connect)

        answer = send(receiver.url.replace("127.0.0.1", "rebinding.example"))

    assert (answer.status, asked, connected) == (200, ["rebinding.example"], ["127.0.0.1"])


def test_http_leads_to_the_loopback_only_even_where_networks_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.20.0.1", port))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)

    with pytest.raises(WebhookUndelivered, match="not at a public address"):
        send("http://localhost/", networks=read_networks("10.0.0.0/8"))


def test_a_certificate_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority()
    (tmp_path / "ca.pem").write_text(authority.pem)
    with open_receiver(authority.server()) as receiver:
        posting._context.cache_clear()
        with pytest.raises(WebhookUndelivered, match="certificate is not good"):
            send(receiver.url)
        posting._context.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

        answer = send(receiver.url)

    posting._context.cache_clear()
    assert (answer.status, len(receiver.events)) == (200, 1)


def test_who_sends_a_byte_now_and_then_does_not_hold_the_sender_up() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\n", *(b"x" for _ in range(100)), every=0.05) as url:
        begun = monotonic()
        with pytest.raises(WebhookUndelivered, match="longer than"):
            send(url, seconds=0.3)

    assert monotonic() - begun < 2


@pytest.mark.parametrize("words", [b"SSH-2.0-x\r\n", b""])
def test_what_is_no_answer_in_http_is_none(words: bytes) -> None:
    with speaking(words) as url, pytest.raises(WebhookUndelivered):
        send(url, seconds=2)


def test_an_endless_answer_is_read_to_a_limit() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\n\r\n", *(b"x" * 60_000 for _ in range(50))) as url:
        answer = send(url)

    assert (answer.status, len(answer.excerpt)) == (200, posting.LONGEST_EXCERPT)


def test_nobody_at_home_is_said_in_words() -> None:
    with pytest.raises(WebhookUndelivered, match="Connection refused"):
        send(f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(WebhookUndelivered, match="leads nowhere"):
        send("https://nobody.invalid/")
