"""No process starts with settings that nobody should run: it says in a sentence which, and what to do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from scim_bridge.errors import StoreError
from scim_bridge.identity.readiness import require_ready
from scim_bridge.settings import Settings, SettingsError
from scim_bridge.store import file_systems, hosts
from scim_bridge.store.database import Database
from scim_bridge.store.schema import lease
from scim_bridge.sync.one_host import CLAIM, HostClaim
from tests.cli.bridge import Bridge
from tests.conftest import Lent
from tests.mail.post_office import free_port

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)

UNSAFE = [
    ("BASE_URL", "http://bridge.example.com", "in the clear"),
    ("BASE_URL", "http://10.0.0.7:8080", "in the clear"),
    ("ENCRYPTION_KEYS", "A" * 43 + "=", "anybody could guess it"),
    ("METRICS_TOKEN", "a long random text", "metrics_token is a word of an example"),
    ("METRICS_TOKEN", "aaaaaaaaaaaaaaaaaaaa", "metrics_token is a word of an example"),
    ("SMTP_PASSWORD", "change-me", "smtp_password is a word of an example"),
    ("DATABASE_URL", "postgresql://bridge:bridge@db.example.com/bridge", "the user's name"),
    ("DATABASE_URL", "postgresql://bridge:postgres@db.example.com/bridge", "a word of an example"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), UNSAFE)
def test_an_unsafe_setting_stops_the_start(local: Bridge, name: str, value: str, sentence: str) -> None:
    local.environment[f"SCIM_BRIDGE_{name}"] = value

    code, said = local.refused("scheduler")

    assert (code, sentence in said) == (9, True)
    assert "change-me" not in said
    assert "postgres@" not in said


def test_what_listens_for_others_needs_a_public_address_of_its_own(local: Bridge) -> None:
    code, said = local.refused("run", "--host", "0.0.0.0", "--port", str(free_port()))

    assert (code, "SCIM_BRIDGE_BASE_URL" in said) == (9, True)


def test_gunicorn_does_not_start_with_them_either(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIM_BRIDGE_HOME", str(tmp_path))
    monkeypatch.setenv("SCIM_BRIDGE_DATABASE_URL", f"sqlite:///{migrated_sqlite}")
    monkeypatch.setenv("SCIM_BRIDGE_BASE_URL", "http://bridge.example.com")

    with pytest.raises(SettingsError, match="in the clear"):
        import scim_bridge.wsgi  # noqa: F401


def test_sqlite_on_a_network_file_system_is_refused(
    local: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 8:1 / / rw - ext4 /dev/a rw\n23 22 0:5 / {tmp_path} rw shared:1 - cifs //nas/s rw\n")
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)

    code, said = local.refused("scheduler")

    assert (code, "network file system (cifs)" in said) == (9, True)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("23 22 0:5 / {place} rw - nfs4 nas:/x rw", "nfs4"),
        ("23 22 0:5 / {place}/deeper rw - nfs4 nas:/x rw", "ext4"),
        ("half a line", "ext4"),
    ],
)
def test_a_path_lies_where_the_innermost_mount_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, kind: str
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 8:1 / / rw - ext4 /dev/a rw\n{line.format(place=tmp_path)}\n")
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)

    assert file_systems.kind_of(tmp_path / "bridge.sqlite3") == kind


class Watch:
    """Time that passes only while somebody waits; ``meanwhile`` happens then."""

    def __init__(self) -> None:
        self.at = NOON
        self.meanwhile: list[HostClaim] = []

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        for each in self.meanwhile:
            each.renew()


@pytest.fixture
def database(local: Bridge) -> Database:
    return Database(local.environment["SCIM_BRIDGE_DATABASE_URL"])


def claim_of(database: Database, host: str, watch: Watch) -> HostClaim:
    return HostClaim(database, host, watch.now, watch.wait)


def test_a_second_host_is_refused_while_the_first_one_lives(database: Database) -> None:
    watch = Watch()
    first = claim_of(database, "k1@node-a", watch)
    first.take()
    watch.meanwhile.append(first)

    with pytest.raises(StoreError, match="in use on the host node-a"):
        claim_of(database, "k2@node-b", watch).take()


def test_another_host_takes_over_from_one_that_is_gone_as_soon_as_its_claim_ends(database: Database) -> None:
    watch = Watch()
    gone = claim_of(database, "k1@node-a", watch)
    gone.take()

    claim_of(database, "k2@node-b", watch).take()

    assert CLAIM <= watch.at - NOON <= CLAIM + timedelta(seconds=2)
    with pytest.raises(StoreError, match="node-b"):
        gone.renew()


def test_processes_and_containers_of_one_host_share_the_database(database: Database) -> None:
    watch = Watch()
    claim_of(database, "k1@node-a", watch).take()

    claim_of(database, "k1@container", watch).take()

    assert watch.at == NOON


def test_a_process_that_finds_another_host_at_its_database_is_not_ready(database: Database) -> None:
    until = datetime.now(UTC) + CLAIM
    require_ready(database)
    with database.write() as connection:
        connection.execute(sa.insert(lease).values(name=hosts.NAME, holder="k2@node-b", until=until, epoch=1))

    with pytest.raises(StoreError, match="node-b, too"):
        require_ready(database)


def test_on_postgresql_any_number_of_hosts_may_run(lent_postgresql: Lent) -> None:
    opened = Database(lent_postgresql.lend())

    HostClaim(opened, "k1@node-a").take()
    HostClaim(opened, "k2@node-b").take()
    HostClaim(opened, "k1@node-a").renew()

    with opened.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(lease)) == 0
    opened.dispose()


def test_loopback_addresses_need_no_encryption() -> None:
    from scim_bridge.identity.unsafe_settings import find_unsafe

    for address in ("http://127.0.0.1:8080", "http://localhost", "http://[::1]:80", "https://bridge.example.com"):
        assert list(find_unsafe(Settings(base_url=address))) == []
