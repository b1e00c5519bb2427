"""Whatever is moved, renamed and deleted: what was shown is what happened, and nobody else noticed."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_bridge.domain.access import Snapshot, api_roles, cluster_role
from scim_bridge.errors import BridgeError, PreviewOutdated
from scim_bridge.identity import organizations, tree, tree_drafts
from scim_bridge.identity.cluster_changes import ChangeCluster, MoveCluster
from scim_bridge.identity.project_changes import (
    ChangeProject,
    ChangeService,
    DeleteProject,
    DeleteService,
    MoveProject,
    RenameProject,
)
from scim_bridge.identity.tree import NewProject
from scim_bridge.identity.tree_drafts import TreeDraft, TreePreview
from scim_bridge.identity.unit_changes import DeleteUnit, MoveUnit, RenameUnit
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.snapshot import read_organization
from tests.identity.company import ANA, BOB, found_company, give
from tests.identity.provider import HANDS, removals, rows
from tests.identity.rows import organization_id

UNITS = st.sampled_from(["production", "staging", "production/eu", "staging/production", "lab", "eu"])
PARENTS = st.one_of(st.none(), UNITS)
CLUSTERS = st.sampled_from(["prod-eu", "stage"])
PROJECTS = st.sampled_from(["shop", "jobs", "store"])
NAMESPACES = st.lists(st.sampled_from(["shop-web", "shop-api", "jobs"]), max_size=2).map(tuple)
DRAFTS = st.one_of(
    st.builds(MoveUnit, UNITS, PARENTS),
    st.builds(RenameUnit, UNITS, st.sampled_from(["lab", "eu", "production"])),
    st.builds(DeleteUnit, UNITS),
    st.builds(MoveProject, PROJECTS, PARENTS),
    st.builds(RenameProject, PROJECTS, PROJECTS),
    st.builds(ChangeProject, PROJECTS, NAMESPACES, st.none(), st.one_of(st.none(), st.tuples(CLUSTERS))),
    st.builds(DeleteProject, PROJECTS),
    st.builds(ChangeService, PROJECTS, st.just("db"), st.sampled_from(["shop-db", "shop-web"])),
    st.builds(DeleteService, PROJECTS, st.just("db")),
    st.builds(MoveCluster, CLUSTERS, PARENTS),
    st.builds(ChangeCluster, CLUSTERS, user_template=st.sampled_from(["{user_name}", "x:{email}", "{external_id}"])),
    st.builds(ChangeCluster, CLUSTERS, allow_cluster_admin=st.booleans()),
)


def look(database: Database) -> Snapshot:
    with database.read() as connection:
        return read_organization(connection, organization_id(connection), now())


def roles(snapshot: Snapshot) -> dict[tuple[str, str], object]:
    """Return everybody's role on every cluster and at every place, as the rules of access say it."""
    found: dict[tuple[str, str], object] = {}
    for member_id, member in snapshot.members.items():
        grants = snapshot.grants_for(member_id)
        for cluster_id in snapshot.tree.clusters:
            found[member.user_name, cluster_id] = cluster_role(snapshot.tree, cluster_id, grants).role
        for place in {grant.scope for grant in grants}:
            found[member.user_name, place.id] = api_roles(snapshot.tree, place, grants)
    return found


def try_draft(database: Database, draft: TreeDraft) -> tuple[TreePreview | None, str]:
    """Preview a draft and have it done; return what it did, or why it cannot be."""
    try:
        seen = tree_drafts.preview(database, HANDS, "acme", draft)
    except BridgeError as error:
        with pytest.raises(type(error)) as caught:
            tree_drafts.carry_out(database, HANDS, "acme", draft, "0" * 64)
        return None, str(caught.value)
    done = tree_drafts.carry_out(database, HANDS, "acme", draft, seen.hash)
    assert done == seen
    return done, ""


def world(database: Database) -> None:
    found_company(database)
    organizations.create(database, HANDS, "acme", owner="owner@acme.example")
    tree.create_unit(database, HANDS, "acme", "production/eu")
    tree.create_service(database, HANDS, "acme", "shop", "db", "shop-db")
    tree.create_project(database, HANDS, "acme", NewProject("jobs", None, ("jobs",)))
    give(database, "project:shop", BOB, kubernetes="edit")
    give(database, "service:shop/db", ANA, kubernetes="view")
    give(database, "unit:production/eu", BOB, api="developer")
    give(database, "cluster:stage", ANA, kubernetes="cluster-admin")


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(drafts=st.lists(DRAFTS, min_size=3, max_size=8))
def test_what_is_shown_is_what_happens_and_nobody_else_notices(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, drafts: list[TreeDraft]
) -> None:
    file = tmp_path_factory.mktemp("laws") / "bridge.sqlite3"
    file.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{file}")
    world(database)

    for draft in drafts:
        before, asked = look(database), len(removals(database))
        written = [rows(database, table) for table in ("unit", "project", "cluster", "audit_entry", "fact")]
        done, problem = try_draft(database, draft)
        after = look(database)
        if done is None:
            # What cannot be done has left nothing behind, and says why.
            assert problem.endswith(".")
            assert [rows(database, table) for table in ("unit", "project", "cluster", "audit_entry", "fact")] == written
            continue
        told = {each.person for each in (*done.gains, *done.loses)}
        was, is_now = roles(before), roles(after)
        noticed = {
            person
            for person, place in was.keys() & is_now.keys()
            if was[person, place] != is_now[person, place]
            # What a cluster does not allow, or knows nobody by, is granted to nobody.
            and place not in before.tree.clusters
        }
        assert noticed <= told
        asked_for = {member for member, _, _ in removals(database)[asked:]}
        assert asked_for == {each.member_id for each in (*done.loses, *done.renamed)}
        assert organizations.show(database, "acme").owners == ("owner@acme.example",)
        # The same again changes nothing, or is not possible any more.
        again, _ = try_draft(database, draft)
        assert again is None or not again.alters_access
    database.dispose()


@pytest.mark.parametrize("hash_", ["0" * 64, "f" * 12])
def test_no_hash_that_nobody_was_shown_changes_anything(database: Database, hash_: str) -> None:
    world(database)
    before = rows(database, "unit")

    with pytest.raises(PreviewOutdated):
        tree_drafts.carry_out(database, HANDS, "acme", MoveUnit("production", "staging"), hash_)

    assert rows(database, "unit") == before
