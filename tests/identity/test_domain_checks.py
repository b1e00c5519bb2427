"""Proving domains: in the DNS of a name server on the loopback, in a file, and that silence proves nothing."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
import sqlalchemy as sa

from scim_bridge.domain.domain_proofs import Found
from scim_bridge.errors import Conflict, NotFound, Unavailable
from scim_bridge.identity import domain_checks, domains, ways_in
from scim_bridge.proofs.look_up import look
from scim_bridge.settings import Settings
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.signing_in import TERMINAL

# Nothing listens there, and the name leads to nobody: its file is unknown.
DOMAIN = "acme.invalid"


class NameServer:
    """A name server that knows what a test tells it."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.is_broken = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def serve(self) -> None:
        """Answer until somebody sends an empty message."""
        while True:
            data, asker = self.socket.recvfrom(4096)
            if not data:
                return
            self.socket.sendto(self.answer(data), asker)

    def answer(self, data: bytes) -> bytes:
        """Return the answer to a question."""
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        name = question.question[0].name
        texts = self.texts.get(name.to_text(omit_final_dot=True))
        if self.is_broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            quoted = [f'"{each}"' for each in texts]
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
        return answer.to_wire()


@pytest.fixture
def server() -> Iterator[NameServer]:
    """Serve names on the loopback."""
    served = NameServer()
    thread = Thread(target=served.serve)
    thread.start()
    yield served
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"", served.socket.getsockname())
    thread.join()
    served.socket.close()


@pytest.fixture
def looked(server: NameServer, tmp_path: Path) -> domain_checks.Look:
    """Look with the name server of the test."""
    settings = Settings(home=tmp_path, dns_servers=server.address)
    return lambda domain, value: look(settings, domain, value)


def state_of(database: Database) -> str:
    return next(each.state for each in domains.list_all(database, "acme") if each.domain == DOMAIN)


def unseen_for(database: Database, by: timedelta, *, missing: timedelta | None = None) -> None:
    values = {"checked_at": now() - by} | ({} if missing is None else {"missing_since": now() - missing})
    with database.write() as connection:
        connection.execute(sa.update(schema.organization_domain).values(**values))


def publish(database: Database, server: NameServer) -> str:
    """Publish what is asked for."""
    domains.add(database, TERMINAL, "acme", DOMAIN)
    asked = domain_checks.show(database, TERMINAL, "acme", DOMAIN)
    server.texts[asked.record] = ["v=spf1 -all", asked.value]
    return asked.value


def test_a_domain_is_verified_by_its_record(database: Database, server: NameServer, looked: domain_checks.Look) -> None:
    publish(database, server)

    done = domain_checks.verify(database, looked, TERMINAL, "acme", DOMAIN)

    assert done.state == state_of(database) == "verified"
    assert done.verified_at is not None


def test_another_value_proves_nothing(database: Database, server: NameServer, looked: domain_checks.Look) -> None:
    value = publish(database, server)
    server.texts[f"_scim-bridge.{DOMAIN}"] = [value[:-1], f"{value}x", "anything"]

    with pytest.raises(Conflict):
        domain_checks.verify(database, looked, TERMINAL, "acme", DOMAIN)

    assert state_of(database) == "asserted"


def test_a_name_server_that_fails_says_nothing(
    database: Database, server: NameServer, looked: domain_checks.Look
) -> None:
    publish(database, server)
    server.is_broken = True

    with pytest.raises(Unavailable):
        domain_checks.verify(database, looked, TERMINAL, "acme", DOMAIN)


def test_a_domain_is_verified_by_a_file_too(database: Database) -> None:
    domains.add(database, TERMINAL, "acme", DOMAIN)

    done = domain_checks.verify(database, lambda *_: Found.FILE, TERMINAL, "acme", DOMAIN)

    assert done.state == "verified"
    assert done.file == f"https://{DOMAIN}/.well-known/scim-bridge-verification.txt"


def test_what_to_publish_stays_the_same_and_is_nobody_elses(database: Database) -> None:
    domains.add(database, TERMINAL, "acme", DOMAIN)
    domains.add(database, TERMINAL, "acme", "other.invalid")

    first, again = (domain_checks.show(database, TERMINAL, "acme", DOMAIN).value for _ in range(2))

    assert first == again
    assert first != domain_checks.show(database, TERMINAL, "acme", "other.invalid").value


def test_a_proof_that_is_gone_is_forgiven_for_a_week(
    database: Database, server: NameServer, looked: domain_checks.Look
) -> None:
    publish(database, server)
    domain_checks.verify(database, looked, TERMINAL, "acme", DOMAIN)
    server.texts.clear()
    unseen_for(database, timedelta(days=2))

    first = domain_checks.look_again(database, looked)
    soon = state_of(database)
    unseen_for(database, timedelta(days=2), missing=timedelta(days=8))
    later = domain_checks.look_again(database, looked)

    assert (first, soon) == (0, "verified")
    assert (later, state_of(database)) == (1, "asserted")


def test_silence_takes_no_proof_away(database: Database, server: NameServer, looked: domain_checks.Look) -> None:
    publish(database, server)
    domain_checks.verify(database, looked, TERMINAL, "acme", DOMAIN)
    server.is_broken = True
    unseen_for(database, timedelta(days=30), missing=timedelta(days=30))

    lost = domain_checks.look_again(database, looked)

    assert (lost, state_of(database)) == (0, "verified")


def test_a_proof_that_is_back_counts_again(database: Database, server: NameServer, looked: domain_checks.Look) -> None:
    publish(database, server)
    domain_checks.verify(database, looked, TERMINAL, "acme", DOMAIN)
    unseen_for(database, timedelta(days=2), missing=timedelta(days=6))

    domain_checks.look_again(database, looked)

    assert domain_checks.show(database, TERMINAL, "acme", DOMAIN).missing_since is None


def test_a_proof_that_was_looked_for_today_is_not_looked_for_again(database: Database) -> None:
    domains.add(database, TERMINAL, "acme", DOMAIN)
    domain_checks.verify(database, lambda *_: Found.DNS, TERMINAL, "acme", DOMAIN)
    unseen_for(database, timedelta(hours=20), missing=timedelta(days=30))

    lost = domain_checks.look_again(database, lambda *_: Found.NOWHERE)

    assert (lost, state_of(database)) == (0, "verified")


def test_a_domain_that_is_not_the_organizations_cannot_be_proven(database: Database) -> None:
    with pytest.raises(NotFound):
        domain_checks.show(database, TERMINAL, "acme", "beta.invalid")


def test_an_address_of_a_domain_on_somebodys_word_leads_to_no_provider(database: Database) -> None:
    domains.add(database, TERMINAL, "acme", DOMAIN)

    assert ways_in.of_address(database, f"ana@{DOMAIN}") == ()
