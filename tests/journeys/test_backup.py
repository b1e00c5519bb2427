"""Back up, wipe, restore: the identity provider, the auditor and the clusters find everything as it was."""

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from scim_bridge.store.dumping import table_columns
from scim_bridge.sync.sealer import Sealer
from scim_bridge.web.context import runtime_of
from tests.cli.bridge import Bridge
from tests.scim.doors import Directory, World, document, open_world

RULES = """
version = 1
[[rules]]
name = "Platform"
directory = "okta"
group = "platform"
scope = "unit:europe/prod"
kubernetes_role = "edit"
"""


@dataclass
class Known:
    """What those outside hold on to: addresses and ETags, whoever is bound, and the end of the audit chain."""

    resources: dict[str, Any]
    etags: dict[str, str]
    bindings: dict[str, bytes]
    chain: tuple[int, str]


@dataclass
class Place:
    """An installation: its terminal, its database and the directory's token."""

    bridge: Bridge
    url: str
    home: Path
    token: str = ""

    def look(self, addresses: list[str], folder: Path) -> Known:
        """Ask everybody what they see."""
        with open_world(self.url, self.home) as world:
            directory = Directory(world.app.test_client(), self.token, "okta")
            answers = {each: directory.get(each) for each in addresses}
        audit = self.bridge.json("audit", "verify")
        assert audit["holds"] is True
        return Known(
            {each: document(answer) for each, answer in answers.items()},
            {each: answer.headers["ETag"] for each, answer in answers.items()},
            {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("scimb-*.yaml")},
            (audit["last"], audit["hash"]),
        )


def place_at(url: str, home: Path) -> Place:
    return Place(Bridge({"SCIM_BRIDGE_DATABASE_URL": url, "SCIM_BRIDGE_HOME": str(home)}), url, home)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "manifests"


@pytest.fixture
def old(migrated_url: str, tmp_path: Path) -> Place:
    return place_at(migrated_url, tmp_path / "old")


@pytest.fixture
def new(migrated_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Name an empty place of the other kind: SQLite for PostgreSQL, PostgreSQL for SQLite."""
    other = "postgresql_url" if migrated_url.startswith("sqlite") else "sqlite_url"
    return place_at(request.getfixturevalue(other), tmp_path / "new")


def lived_in(place: Place, folder: Path, tmp_path: Path) -> list[str]:
    """Let an identity provider and people use it for a while, and return addresses of what they made."""
    with open_world(place.url, place.home) as world:
        okta = world.connect("acme", "okta")
        place.token = okta.token
        people = [okta.create_user(f"p{n}@acme.example", externalId=str(n), active=n != 3) for n in range(5)]
        group = okta.create_group("platform", *people)
        _work_at_the_terminal(place, folder, tmp_path)
        okta.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{people[0]}"]'})
        okta.delete(f"/Users/{people[1]}")
        _keep_in_step(world, place)
    return [f"/Groups/{group}", *(f"/Users/{each}" for each in people if each != people[1])]


def _work_at_the_terminal(place: Place, folder: Path, tmp_path: Path) -> None:
    # The child is older than the parent that it is moved below: rows have to come back in another order than they were.
    place.bridge.json("unit", "create", "prod")
    place.bridge.json("unit", "create", "europe")
    place.bridge.json("unit", "move", "prod", "--to", "europe", "--yes")
    (tmp_path / "rules.toml").write_text(RULES)
    place.bridge.json("rule", "apply", str(tmp_path / "rules.toml"), "--yes")
    words = ["--unit", "europe/prod", "--manifests", str(folder), "--approve-first-plan"]
    place.bridge.json("cluster", "add", "--name", "prod", *words)
    place.bridge.json("sync", "run")


def _keep_in_step(world: World, place: Place) -> None:
    place.bridge.json("sync", "run")
    sealer = Sealer(world.database, runtime_of(world.app).keyring)
    sealer.seal()
    sealer.close()


def test_after_a_restore_everybody_finds_everything_as_it_was_and_the_next_pass_has_nothing_to_do(
    old: Place, new: Place, folder: Path, tmp_path: Path
) -> None:
    addresses = lived_in(old, folder, tmp_path)
    before = old.look(addresses, folder)
    copied = old.bridge.json("backup", str(tmp_path / "b.tar.gz"), "--secrets-file", str(tmp_path / "keys"))

    new.token = old.token
    restored = new.bridge.json("restore", str(tmp_path / "b.tar.gz"), "--secrets-file", str(tmp_path / "keys"))

    after = new.look(addresses, folder)
    [plan] = new.bridge.json("sync", "plan")
    [passed] = new.bridge.json("sync", "run")
    assert restored == copied
    assert len(before.bindings) > 0
    assert after == before
    assert plan["document"]["gains"] == []
    assert (passed["state"], passed["result"]["created"], passed["result"]["deleted"]) == ("ok", 0, 0)
    assert new.look(addresses, folder).bindings == before.bindings


def test_a_backup_holds_no_key_and_no_credential_that_can_be_read(old: Place, tmp_path: Path) -> None:
    old.bridge.json("organization", "create", "acme")
    made = tmp_path / "b.tar.gz"

    old.bridge.json("backup", str(made))

    [key] = (old.home / "encryption.keys").read_text().split()
    with tarfile.open(made) as tar:
        texts = [stream.read().decode() for each in tar.getmembers() if (stream := tar.extractfile(each))]
    assert len(texts) == len(table_columns()) + 1
    assert [text for text in texts if key in text] == []
    assert made.stat().st_mode & 0o077 == 0


def test_what_a_restore_would_harm_is_refused_in_a_sentence(old: Place, tmp_path: Path) -> None:
    made, keys = tmp_path / "b.tar.gz", tmp_path / "keys"
    old.bridge.json("organization", "create", "acme")
    old.bridge.json("backup", str(made), "--secrets-file", str(keys))
    fresh = place_at(f"sqlite:///{tmp_path / 'fresh' / 'bridge.sqlite3'}", tmp_path / "fresh")

    filled = old.bridge.refused("restore", str(made))
    again = old.bridge.refused("backup", str(made))
    without_keys = fresh.bridge.refused("restore", str(made))
    other_revision = fresh.bridge.refused("restore", str(changed(made, tmp_path / "r.tar.gz", revision="0001")))
    damaged = fresh.bridge.refused("restore", str(changed(made, tmp_path / "d.tar.gz")), "--without-keys")
    no_backup = fresh.bridge.refused("restore", str(keys))

    assert (filled[0], "is not empty" in filled[1]) == (4, True)
    assert (again[0], "is there already" in again[1]) == (5, True)
    assert (without_keys[0], "--secrets-file" in without_keys[1]) == (6, True)
    assert (other_revision[0], "of revision 0001" in other_revision[1]) == (6, True)
    assert (damaged[0], "is not what was written" in damaged[1]) == (6, True)
    assert (no_backup[0], "is no back-up" in no_backup[1]) == (6, True)
    assert fresh.bridge.json("restore", str(made), "--secrets-file", str(keys))["rows"] > 0


def changed(file: Path, other: Path, **manifest: object) -> Path:
    """Copy a back-up with another manifest, or with one organization's name changed."""
    with tarfile.open(file) as tar, tarfile.open(other, "w:gz") as copy:
        for member in tar.getmembers():
            stream = tar.extractfile(member)
            assert stream is not None
            text = stream.read()
            if member.name == "manifest.json":
                text = orjson.dumps(orjson.loads(text) | manifest)
            elif member.name == "organization.jsonl" and not manifest:
                text = text.replace(b"acme", b"evil")
            (other.parent / "member").write_bytes(text)
            copy.add(other.parent / "member", arcname=member.name)
    return other
