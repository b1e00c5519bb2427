"""Seventeen installations that are broken, each in its own way: `scim-bridge doctor` names the fault and its fix."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
import time_machine
from click.testing import Result
from cryptography.fernet import Fernet

from scim_bridge.store import file_systems, hosts, migrations
from scim_bridge.store.schema import directory_token, installation, lease
from tests.cli.bridge import Bridge
from tests.cli.test_clusters import Answers, kubeconfig
from tests.cli.test_doctor import change
from tests.fakes.kube_api import FakeKubeApi
from tests.mail.post_office import free_port


@dataclass
class Site:
    """An installation in order, and what a fault may reach for."""

    bridge: Bridge
    folder: Path
    patch: pytest.MonkeyPatch
    stack: ExitStack

    def set(self, name: str, value: str) -> None:
        self.bridge.environment[f"SCIM_BRIDGE_{name}"] = value

    def add_cluster(self, server: str, token: str = "nobodys") -> None:
        file = kubeconfig(self.folder, server, token)
        self.bridge.json("cluster", "add", "--name", "prod", "--kubeconfig", file)


def database_away(at: Site) -> None:
    at.set("DATABASE_URL", f"postgresql://bridge:hunter2@127.0.0.1:{free_port()}/bridge")


def not_migrated(at: Site) -> None:
    at.set("DATABASE_URL", f"sqlite:///{at.folder / 'new.sqlite3'}")


def newer_release(at: Site) -> None:
    # The database outlives the test.
    revision, oldest = migrations.head(), migrations.OLDEST_SERVED
    at.stack.callback(_say_revision, at.bridge, revision, oldest)
    _say_revision(at.bridge, "9999", "9999")


def _say_revision(bridge: Bridge, revision: str, oldest: str) -> None:
    change(bridge, sa.update(sa.table("alembic_version", sa.column("version_num"))).values(version_num=revision))
    change(bridge, sa.update(installation).where(installation.c.name == "serves_from").values(value=oldest))


def key_lost(at: Site) -> None:
    at.add_cluster("https://127.0.0.1:1")
    at.set("ENCRYPTION_KEYS", Fernet.generate_key().decode())


def key_garbled(at: Site) -> None:
    at.set("ENCRYPTION_KEYS", "half-a-key")


def key_guessable(at: Site) -> None:
    at.set("ENCRYPTION_KEYS", "A" * 43 + "=")


def clock_behind(at: Site) -> None:
    at.stack.enter_context(time_machine.travel(datetime.now(UTC) - timedelta(minutes=10)))


def directory_silent(at: Site) -> None:
    at.bridge.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    long_ago = datetime.now(UTC) - timedelta(days=30)
    change(at.bridge, sa.update(directory_token).values(last_used_at=long_ago))


def tokens_gone(at: Site) -> None:
    at.bridge.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    change(at.bridge, sa.update(directory_token).values(revoked_at=datetime.now(UTC)))


def cluster_away(at: Site) -> None:
    at.add_cluster(f"https://127.0.0.1:{free_port()}")


def credential_refused(at: Site) -> None:
    at.add_cluster(at.stack.enter_context(FakeKubeApi()).url)


def bind_lost(at: Site) -> None:
    at.add_cluster(at.stack.enter_context(answering()))


def mail_server_away(at: Site) -> None:
    at.set("SMTP_HOST", "127.0.0.1")
    at.set("SMTP_PORT", str(free_port()))


def address_in_the_clear(at: Site) -> None:
    at.set("BASE_URL", "http://bridge.example.com")


def home_no_folder(at: Site) -> None:
    (at.folder / "file").write_text("no folder")
    at.set("HOME", str(at.folder / "file" / "home"))


def on_a_network_file_system(at: Site) -> None:
    mounts = at.folder / "mountinfo"
    mounts.write_text(f"22 1 8:1 / / rw - ext4 /dev/a rw\n23 22 0:5 / {at.folder} rw - nfs4 nas:/share rw\n")
    at.patch.setattr(file_systems, "MOUNTS", mounts)
    at.set("DATABASE_URL", f"sqlite:///{at.folder / 'bridge.sqlite3'}")


def on_two_hosts(at: Site) -> None:
    at.set("DATABASE_URL", f"sqlite:///{at.folder / 'two.sqlite3'}")
    at.bridge.json("db", "upgrade")
    until = datetime.now(UTC) + timedelta(seconds=30)
    change(at.bridge, sa.insert(lease).values(name=hosts.NAME, holder="other-kernel@node-b", until=until, epoch=1))


@contextmanager
def answering() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


FAULTS: list[tuple[Callable[[Site], None], str, str, str]] = [
    (database_away, "database", "cannot be used", "Look whether it runs"),
    (not_migrated, "database", "at revision none", "scim-bridge db upgrade"),
    (newer_release, "database", "from a newer release", "the newer one"),
    (key_lost, "encryption_keys", "the credential of acme/prod", "Put the key back"),
    (key_garbled, "encryption_keys", "not usable", "Put the key back"),
    (key_guessable, "encryption_keys", "anybody could guess it", "Fernet.generate_key()"),
    (clock_behind, "clock", "behind", "time service"),
    (directory_silent, "acme/okta", "No request with a good token since", "whether provisioning is on"),
    (tokens_gone, "acme/okta", "no token that is valid", "scim-bridge directory token create okta"),
    (cluster_away, "acme/prod", "ClusterUnreachable", "can be reached from here"),
    (credential_refused, "acme/prod", "ClusterDenied", "scim-bridge cluster update prod"),
    (bind_lost, "acme/prod", "BindDenied", "scim-bridge cluster bootstrap"),
    (mail_server_away, "mail", "did not take the mail", "smtp_host"),
    (address_in_the_clear, "base_url", "in the clear", "https address"),
    (home_no_folder, "home", "cannot be written to", "SCIM_BRIDGE_HOME"),
    (on_a_network_file_system, "database_url", "network file system (nfs4)", "use PostgreSQL"),
    (on_two_hosts, "database", "in use on the host node-b", "scim-bridge backup"),
]


BOTH_KINDS = (newer_release, clock_behind, key_lost)
"""Faults that lie in the database: what is found must be found on both kinds."""


def named(faults: list[tuple[Callable[[Site], None], str, str, str]]) -> pytest.MarkDecorator:
    ids = [each[0].__name__ for each in faults]
    return pytest.mark.parametrize(("fault", "about", "sentence", "fix"), faults, ids=ids)


@named([each for each in FAULTS if each[0] not in BOTH_KINDS])
def test_the_fault_and_its_fix_are_named(
    local: Bridge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Site], None],
    about: str,
    sentence: str,
    fix: str,
) -> None:
    with ExitStack() as stack:
        fault(Site(local, tmp_path, monkeypatch, stack))

        result = local.run("doctor", "--json")

    assert_named(result, about, sentence, fix)
    # A directory that is silent may have nothing to say.
    assert result.exit_code == (0 if fault is directory_silent else 1)


@named([each for each in FAULTS if each[0] in BOTH_KINDS])
def test_a_fault_in_the_database_and_its_fix_are_named(
    acme: Bridge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Site], None],
    about: str,
    sentence: str,
    fix: str,
) -> None:
    with ExitStack() as stack:
        fault(Site(acme, tmp_path, monkeypatch, stack))

        result = acme.run("doctor", "--json")

    assert_named(result, about, sentence, fix)
    assert result.exit_code == 1


def assert_named(result: Result, about: str, sentence: str, fix: str) -> None:
    found = [each for each in json.loads(result.stdout) if each["about"] == about and sentence in each["sentence"]]
    assert len(found) == 1, result.stdout
    assert fix in f"{found[0]['remedy']} {found[0]['sentence']}"
    assert "hunter2" not in result.stdout
