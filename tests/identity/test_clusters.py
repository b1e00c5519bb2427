"""Registering clusters: sealed before it is stored, once, in one organization, and undone whole when it fails."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa
import yaml

from scim_bridge.clusters.kubeconfig import IN_CLUSTER
from scim_bridge.clusters.manifest_files import MARKER, prepare_folder
from scim_bridge.clusters.manifests import ManifestFolder
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import CaseRule
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused, StoreError
from scim_bridge.identity import cluster_targets, clusters, directories, organizations, rules, tree
from scim_bridge.identity.cluster_targets import TargetNamed
from scim_bridge.identity.clusters import ClusterLookedOver, ClusterWanted
from scim_bridge.identity.runtime import Runtime
from scim_bridge.settings import Settings
from scim_bridge.store import cluster_registry
from scim_bridge.store.database import Database
from scim_bridge.store.schema import audit_entry, cluster, cluster_sync, fact
from scim_bridge.store.sealing import load_keyring
from scim_bridge.sync.targets import Targets
from tests.identity.rows import begin, count, directory_id, put_group

TOKEN = "s3cret-token-of-the-bridge"


@pytest.fixture
def runtime(database: Database, tmp_path: Path) -> Runtime:
    settings = Settings(home=tmp_path / "home", cluster_connect_seconds=1, cluster_read_seconds=1)
    return Runtime(settings, database, load_keyring(settings))


@pytest.fixture
def manifests(tmp_path: Path) -> TargetNamed:
    return TargetNamed(manifests=tmp_path / "manifests")


def kubeconfig(folder: Path, token: str = TOKEN, server: str = "https://127.0.0.1:1") -> TargetNamed:
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": token}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return TargetNamed(kubeconfig=file)


def everything(database: Database) -> Iterator[str]:
    """Every cell of every table."""
    with database.read() as connection:
        for table in cluster.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                yield str(tuple(row))


def add(
    runtime: Runtime, actor: Actor, target: TargetNamed, slug: str = "acme", name: str = "prod"
) -> ClusterLookedOver:
    wanted = ClusterWanted(name, None, target.kubeconfig, target.manifests, target.in_cluster)
    return clusters.add(runtime, actor, slug, wanted)


def test_a_kubeconfig_is_sealed_before_it_is_stored_and_is_in_no_other_row(
    runtime: Runtime, actor: Actor, tmp_path: Path
) -> None:
    made = add(runtime, actor, kubeconfig(tmp_path))

    with runtime.database.read() as connection:
        registered = cluster_registry.read_target(connection, made.cluster.id)
    assert registered.sealed_credential is not None
    assert TOKEN in runtime.keyring.open(registered.sealed_credential)
    assert [row for row in everything(runtime.database) if TOKEN in row] == []
    assert TOKEN not in repr((made, registered, cluster_targets.read_target(kubeconfig(tmp_path))))


def test_what_was_registered_is_what_a_pass_opens(runtime: Runtime, actor: Actor, manifests: TargetNamed) -> None:
    made = add(runtime, actor, manifests)
    targets = Targets(runtime.database, runtime.keyring, runtime.settings)

    gateway = targets.open(made.cluster.id)

    assert (gateway.describe(), gateway.list_bindings()) == (str(manifests.manifests), [])
    targets.close()


def test_a_registration_is_a_change_an_audit_row_a_fact_and_a_pass_that_is_due(
    runtime: Runtime, actor: Actor, manifests: TargetNamed
) -> None:
    changes = count(runtime.database, "change_row")

    made = add(runtime, actor, manifests)

    assert count(runtime.database, "change_row") == changes + 1
    with runtime.database.read() as connection:
        entries = connection.execute(sa.select(audit_entry).where(audit_entry.c.noun == "cluster")).all()
        facts = connection.execute(sa.select(fact.c.value).where(fact.c.object_id == made.cluster.id)).scalars().all()
        waiting = connection.execute(sa.select(cluster_sync)).one()
    [entry] = entries
    assert (entry.action, entry.object_id, entry.actor_name) == ("cluster.added", made.cluster.id, "tests")
    assert orjson.loads(entry.detail)["address"] == str(manifests.manifests)
    assert "unapproved" in facts
    assert waiting.generation > waiting.done_generation


def test_the_same_registration_again_writes_nothing(runtime: Runtime, actor: Actor, tmp_path: Path) -> None:
    first = add(runtime, actor, kubeconfig(tmp_path))
    before = list(everything(runtime.database))

    second = add(runtime, actor, kubeconfig(tmp_path))

    assert (first.changed, second.changed, second.cluster.id) == (True, False, first.cluster.id)
    assert list(everything(runtime.database)) == before


def test_the_policy_is_stored_as_it_was_given(runtime: Runtime, actor: Actor, manifests: TargetNamed) -> None:
    tree.create_unit(runtime.database, actor, "acme", "production")
    wanted = ClusterWanted(
        "prod",
        "production",
        manifests=manifests.manifests,
        user_template="oidc:{email}",
        case_rule=CaseRule.LOWER,
        allow_cluster_admin=True,
        allow_label_selectors=True,
        bridge_namespace="iam",
        approve_first_plan=True,
    )

    clusters.add(runtime, actor, "acme", wanted)

    found = clusters.show(runtime.database, "acme", "prod")
    assert (found.unit, found.user_template, found.case_rule) == ("production", "oidc:{email}", CaseRule.LOWER)
    assert (found.allow_cluster_admin, found.allow_label_selectors, found.bridge_namespace) == (True, True, "iam")
    assert found.state == "active"


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"unit": "production"}, "its unit is the organization itself, not production"),
        ({"user_template": "{email}"}, r"its user template is {user_name}, not {email}"),
        ({"allow_label_selectors": True}, "its allow-label-selectors is off, not on"),
        ({"bridge_namespace": "iam"}, "its bridge namespace is scim-bridge, not iam"),
        ({"approve_first_plan": True}, "its first plan waits"),
    ],
)
def test_another_value_for_a_name_is_a_conflict_that_says_which(
    runtime: Runtime, actor: Actor, manifests: TargetNamed, other: dict[str, object], sentence: str
) -> None:
    tree.create_unit(runtime.database, actor, "acme", "production")
    add(runtime, actor, manifests)
    before = list(everything(runtime.database))

    with pytest.raises(Conflict, match=re.escape(sentence)):
        clusters.add(runtime, actor, "acme", ClusterWanted("prod", manifests=manifests.manifests, **other))  # type: ignore[arg-type]

    assert list(everything(runtime.database)) == before


def test_two_organizations_may_use_the_same_names_and_see_only_their_own(
    runtime: Runtime, actor: Actor, tmp_path: Path
) -> None:
    organizations.create(runtime.database, actor, "globex")
    mine = add(runtime, actor, TargetNamed(manifests=tmp_path / "mine"))
    theirs = add(runtime, actor, TargetNamed(manifests=tmp_path / "theirs"), "globex")

    assert mine.cluster.id != theirs.cluster.id
    assert [each.id for each in clusters.list_all(runtime.database, "globex")] == [theirs.cluster.id]
    for reach in (clusters.show, lambda d, o, n: clusters.remove(d, actor, o, n)):
        with pytest.raises(NotFound):
            reach(runtime.database, "globex", mine.cluster.id)
    with pytest.raises(NotFound):
        clusters.update(runtime, actor, "globex", mine.cluster.id, kubeconfig(tmp_path))
    clusters.remove(runtime.database, actor, "globex", "prod")
    assert clusters.show(runtime.database, "acme", "prod").id == mine.cluster.id


def test_another_organizations_folder_is_refused_without_saying_whose_it_is(
    runtime: Runtime, actor: Actor, manifests: TargetNamed
) -> None:
    organizations.create(runtime.database, actor, "globex")
    add(runtime, actor, manifests)

    with pytest.raises(Refused) as refused:
        add(runtime, actor, manifests, "globex")

    assert "acme" not in str(refused.value)
    assert clusters.list_all(runtime.database, "globex") == []


def test_a_folder_that_cannot_be_had_leaves_nothing_registered(runtime: Runtime, actor: Actor, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    before = list(everything(runtime.database))

    with pytest.raises(Refused, match="cannot be used"):
        add(runtime, actor, TargetNamed(manifests=tmp_path / "file" / "m"))

    assert list(everything(runtime.database)) == before


def test_a_registration_that_was_cut_off_may_be_repeated(
    runtime: Runtime, actor: Actor, manifests: TargetNamed, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = prepare_folder

    def prepare_and_die(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        raise StoreError("the power went out before the commit")

    monkeypatch.setattr(clusters, "prepare_folder", prepare_and_die)
    with pytest.raises(StoreError):
        add(runtime, actor, manifests)
    monkeypatch.setattr(clusters, "prepare_folder", real)

    made = add(runtime, actor, manifests)

    assert (made.changed, made.warnings) == (True, ())


def test_a_marker_of_another_installation_is_never_taken_over(
    runtime: Runtime, actor: Actor, manifests: TargetNamed
) -> None:
    assert manifests.manifests is not None
    manifests.manifests.mkdir()
    marker = manifests.manifests / MARKER
    marker.write_bytes(orjson.dumps({"cluster": "somebody", "instance": "else"}))

    with pytest.raises(Refused, match="another cluster"):
        add(runtime, actor, manifests)

    assert b"somebody" in marker.read_bytes()


def test_the_folder_of_a_forgotten_cluster_may_be_registered_again_in_its_organization_only(
    runtime: Runtime, actor: Actor, manifests: TargetNamed
) -> None:
    organizations.create(runtime.database, actor, "globex")
    first = add(runtime, actor, manifests)
    clusters.remove(runtime.database, actor, "acme", "prod")

    with pytest.raises(Refused):
        add(runtime, actor, manifests, "globex")
    second = add(runtime, actor, manifests)

    assert manifests.manifests is not None
    assert second.cluster.id != first.cluster.id
    assert ManifestFolder(manifests.manifests, "x", second.cluster.id).list_bindings() == []


def test_a_new_credential_replaces_the_old_one_and_ends_the_waiting(
    runtime: Runtime, actor: Actor, tmp_path: Path
) -> None:
    made = add(runtime, actor, kubeconfig(tmp_path))
    with runtime.database.write() as connection:
        connection.execute(sa.update(cluster_sync).values(retry_at=datetime.now(UTC) + timedelta(hours=1)))

    done = clusters.update(runtime, actor, "acme", "prod", kubeconfig(tmp_path, "renewed"))

    with runtime.database.read() as connection:
        sealed = cluster_registry.read_target(connection, made.cluster.id).sealed_credential
        retry_at = connection.execute(sa.select(cluster_sync.c.retry_at)).scalar_one()
        audited = connection.execute(sa.select(audit_entry.c.action, audit_entry.c.detail)).all()
    assert (done.changed, retry_at) == (True, None)
    assert "renewed" in runtime.keyring.open(sealed or "")
    assert [each.action for each in audited].count("cluster.credential_replaced") == 1
    assert [each for each in audited if "renewed" in each.detail] == []


def test_a_lost_encryption_key_is_told_and_a_new_credential_is_the_way_out(
    runtime: Runtime, actor: Actor, tmp_path: Path
) -> None:
    add(runtime, actor, kubeconfig(tmp_path))
    settings = Settings(home=tmp_path / "new-home")
    keyless = Runtime(runtime.settings, runtime.database, load_keyring(settings))

    with pytest.raises(StoreError, match="cannot be opened"):
        add(keyless, actor, kubeconfig(tmp_path))
    done = clusters.update(keyless, actor, "acme", "prod", kubeconfig(tmp_path))

    assert done.changed
    assert not add(keyless, actor, kubeconfig(tmp_path)).changed


def test_a_folder_has_no_credential_to_replace(
    runtime: Runtime, actor: Actor, manifests: TargetNamed, tmp_path: Path
) -> None:
    add(runtime, actor, manifests)

    with pytest.raises(Refused, match="Only a Kubernetes API has a credential"):
        clusters.update(runtime, actor, "acme", "prod", kubeconfig(tmp_path))


def test_the_cluster_this_runs_in_needs_no_credential(
    runtime: Runtime, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_targets, "in_cluster_kubeconfig", lambda: IN_CLUSTER)

    made = add(runtime, actor, TargetNamed(in_cluster=True))

    with runtime.database.read() as connection:
        assert cluster_registry.read_target(connection, made.cluster.id).sealed_credential is None
    assert made.cluster.address == IN_CLUSTER
    assert [each.kind for each in made.warnings] == ["ClusterDenied"]
    assert not add(runtime, actor, TargetNamed(in_cluster=True)).changed


@pytest.mark.parametrize(("days", "kind"), [(-1, "CredentialExpired"), (30, "CredentialEnds")])
def test_a_token_that_ends_is_told_with_its_day(
    runtime: Runtime, actor: Actor, tmp_path: Path, days: int, kind: str
) -> None:
    ends = datetime.now(UTC) + timedelta(days=days)
    claims = orjson.dumps({"exp": int(ends.timestamp())})
    token = f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"

    made = add(runtime, actor, kubeconfig(tmp_path, token))

    assert made.warnings[0].kind == kind
    assert f"{ends:%Y-%m-%d}" in made.warnings[0].message


def test_a_rule_that_names_clusters_by_a_pattern_grants_on_one_that_is_registered_later(
    runtime: Runtime, actor: Actor, manifests: TargetNamed
) -> None:
    directories.create(runtime.database, actor, "acme", "okta", DirectoryKind.OKTA)
    with runtime.database.write() as connection:
        put_group(connection, begin(connection), "k8s-prod", directory_id(connection))
    rule = {
        "name": "admins",
        "directory": "okta",
        "group_pattern": "k8s-(?P<cluster>[a-z]+)",
        "scope": "cluster:{cluster}",
        "kubernetes_role": "view",
        "allow_privileged": True,
    }
    rules.apply(runtime.database, actor, "acme", {"rules": [rule]})
    before = count(runtime.database, "access_grant")

    add(runtime, actor, manifests)

    assert count(runtime.database, "access_grant") == before + 1


def test_a_name_that_looks_like_an_id_is_none(runtime: Runtime, actor: Actor, tmp_path: Path) -> None:
    first = add(runtime, actor, TargetNamed(manifests=tmp_path / "a"))

    with pytest.raises(Invalid, match="looks like an id"):
        add(runtime, actor, TargetNamed(manifests=tmp_path / "b"), name=first.cluster.id)

    assert clusters.show(runtime.database, "acme", first.cluster.id).name == "prod"
