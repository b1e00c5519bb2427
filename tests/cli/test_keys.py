"""Encryption keys are changed: nothing is lost on the way, and the old key opens nothing afterwards."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from scim_bridge.settings import Settings
from scim_bridge.store.database import Database
from scim_bridge.store.schema import cluster, metadata
from scim_bridge.store.sealed import SEALED
from scim_bridge.store.sealing import Keyring, load_keyring, load_keys
from scim_bridge.sync.sealer import Sealer
from tests.cli.bridge import Bridge
from tests.cli.test_clusters import SECRET, kubeconfig


def seal_audit(bridge: Bridge) -> None:
    database = Database(bridge.environment["SCIM_BRIDGE_DATABASE_URL"])
    sealer = Sealer(database, load_keyring(Settings(home=Path(bridge.environment["SCIM_BRIDGE_HOME"]))))
    sealer.seal()
    sealer.close()
    database.dispose()


def stored_credential(bridge: Bridge) -> str:
    database = Database(bridge.environment["SCIM_BRIDGE_DATABASE_URL"])
    with database.read() as connection:
        found = connection.execute(sa.select(cluster.c.sealed_credential)).scalar_one()
    database.dispose()
    return str(found)


def test_a_key_is_changed_step_by_step_and_the_old_one_opens_nothing_any_more(acme: Bridge, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "prod", "--kubeconfig", kubeconfig(tmp_path))
    seal_audit(acme)
    home = Path(acme.environment["SCIM_BRIDGE_HOME"])
    old = load_keys(Settings(home=home))

    made = acme.json("keys", "new")["key"]
    before = acme.json("keys", "list")
    done = acme.json("keys", "rotate", "--drop-old")

    left = load_keys(Settings(home=home))
    assert [(each["seals"], each["values"] > 0) for each in before] == [(True, False), (False, True)]
    assert (done["credentials of clusters"], done["ends of audit chains"]) == (1, 1)
    assert acme.json("keys", "list") == [{"fingerprint": made, "seals": True, "values": 2}]
    assert (len(left), set(left) & set(old)) == (1, set())
    assert SECRET in Keyring(left).open(stored_credential(acme))
    assert not Keyring(old).opens(stored_credential(acme))
    assert acme.json("audit", "verify")["holds"] is True
    [entry] = acme.json("audit", "list", "--action", "encryption_keys.rotated")["items"]
    assert (entry["actor_kind"], entry["detail"]) == ("cli", {"key": made})
    assert acme.json("keys", "rotate")["credentials of clusters"] == 0


def test_while_a_key_is_missing_nothing_is_sealed_anew(local: Bridge, tmp_path: Path) -> None:
    local.json("cluster", "add", "--name", "prod", "--kubeconfig", kubeconfig(tmp_path))
    before = stored_credential(local)
    local.environment["SCIM_BRIDGE_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()

    listed = local.run("keys", "list")
    code, said = local.refused("keys", "rotate")

    assert (listed.exit_code, "a key that is not here" in listed.stdout) == (1, True)
    assert (code, "credentials of clusters cannot be opened" in said) == (7, True)
    assert stored_credential(local) == before


@pytest.mark.parametrize("words", [("new",), ("rotate", "--drop-old")])
def test_keys_that_are_set_elsewhere_are_not_changed_here(local: Bridge, words: tuple[str, ...]) -> None:
    local.environment["SCIM_BRIDGE_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()

    code, said = local.refused("keys", *words)

    assert (code, "encryption_keys" in said) == (5, True)


def test_every_column_that_is_named_sealed_is_sealed_anew() -> None:
    named = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if column.name.startswith("sealed") and column.name != "sealed_at"
    }

    assert named - {f"{each.table.name}.{each.column.name}" for each in SEALED} == set()
