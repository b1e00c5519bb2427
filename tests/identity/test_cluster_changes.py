"""Clusters that are registered already: moved between environments, renamed, and under another policy, as shown."""

import pytest

from scim_bridge.domain.organizations import CaseRule
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import access, clusters, grants, rules, tree
from scim_bridge.identity.cluster_changes import ChangeCluster, MoveCluster
from scim_bridge.identity.project_changes import ChangeProject
from scim_bridge.identity.tree import NewProject
from scim_bridge.identity.tree_drafts import carry_out
from scim_bridge.store.database import Database
from tests.identity.company import ANA, BOB, do, found_company, give, look, role_on, shown
from tests.identity.provider import HANDS, Provider, removals, rows
from tests.identity.rows import count


@pytest.fixture
def okta(database: Database) -> Provider:
    """Found the company."""
    return found_company(database)


def test_a_cluster_moved_to_another_environment_follows_that_ones_grants(okta: Provider) -> None:
    seen = look(okta.database, MoveCluster("prod-eu", "staging"))

    done = do(okta.database, MoveCluster("prod-eu", "staging"), seen.hash)

    assert done == seen
    assert shown(done.loses) == {ANA: ["edit in cluster prod-eu"]}
    assert shown(done.gains) == {BOB: ["API role admin at cluster:prod-eu", "view in cluster prod-eu"]}
    assert (role_on(okta.database, ANA, "prod-eu"), role_on(okta.database, BOB, "prod-eu")) == (None, "view")
    (asked,) = removals(okta.database)
    assert asked[1] == "membership"


def test_a_moved_cluster_leaves_the_projects_of_its_unit_and_finds_others(okta: Provider) -> None:
    give(okta.database, "project:shop", BOB, kubernetes="edit")

    done = do(okta.database, MoveCluster("prod-eu", None))

    assert shown(done.loses)[BOB] == ["edit in shop-web on prod-eu"]
    assert tree.list_projects(okta.database, "acme")[0].clusters == ()


def test_a_cluster_does_not_move_to_where_two_projects_would_have_one_namespace(okta: Provider) -> None:
    tree.create_project(okta.database, HANDS, "acme", NewProject("other", "staging", ("shop-web",)))
    tree.create_project(okta.database, HANDS, "acme", NewProject("lister", None, ("shop-db",), (), ("prod-eu",)))
    tree.create_project(okta.database, HANDS, "acme", NewProject("third", "staging", ("shop-db",)))

    with pytest.raises(Conflict, match="on a cluster of both"):
        look(okta.database, MoveCluster("prod-eu", "staging"))


def test_the_move_of_a_cluster_is_kept_with_from_and_to(okta: Provider) -> None:
    do(okta.database, MoveCluster("prod-eu", "staging"))

    (cluster,) = rows(okta.database, "cluster", name="prod-eu")
    places = rows(okta.database, "fact", object_id=cluster["id"], attribute="unit")
    assert [each["valid_to"] is None for each in places] == [False, True]
    assert places[1]["value"] == cluster["unit_id"]


def test_a_renamed_cluster_keeps_everybodys_access_and_takes_rules_along(okta: Provider) -> None:
    rule = {"name": "ops", "directory": "okta", "group": "Ops", "scope": "cluster:prod-eu", "kubernetes_role": "view"}
    rules.apply(okta.database, HANDS, "acme", {"rules": [rule]})

    done = carry_out(okta.database, HANDS, "acme", ChangeCluster("prod-eu", name="prod-west"))

    assert (done.becomes, done.gains, done.loses) == ("cluster:prod-west", (), ())
    assert role_on(okta.database, ANA, "prod-west") == "edit"
    assert rules.in_force(okta.database, "acme").rules[0].scope == "cluster:prod-west"


def test_another_template_renames_people_there_and_asks_for_the_old_names_removal(okta: Provider) -> None:
    done = do(okta.database, ChangeCluster("prod-eu", user_template="oidc:{user_name}"))

    assert shown(done.renamed) == {ANA: [f"{ANA} becomes oidc:{ANA} on cluster prod-eu"]}
    assert (done.gains, done.loses) == ((), ())
    assert [(member, cause) for member, cause, _ in removals(okta.database)] == [
        (done.renamed[0].member_id, "template")
    ]
    (found,) = access.explain(okta.database, HANDS, "acme", ANA, "prod-eu").clusters
    assert found.subject == f"oidc:{ANA}"


def test_what_a_policy_was_before_it_changed_stays_readable(okta: Provider) -> None:
    (registered,) = rows(okta.database, "cluster", name="prod-eu")
    do(okta.database, ChangeCluster("prod-eu", user_template="oidc:{user_name}"))
    do(okta.database, ChangeCluster("prod-eu", user_template="{email}"))

    kept = rows(okta.database, "fact", object_id=registered["id"], attribute="user_template")

    assert [each["value"] for each in kept] == ["{user_name}", "oidc:{user_name}", "{email}"]
    assert kept[0]["valid_from"] == registered["created_at"]
    assert [each["valid_to"] for each in kept] == [kept[1]["valid_from"], kept[2]["valid_from"], None]


def test_who_would_be_nobody_under_another_template_is_shown_as_losing(okta: Provider) -> None:
    done = do(okta.database, ChangeCluster("prod-eu", user_template="{external_id}"))

    assert shown(done.loses) == {ANA: ["edit in cluster prod-eu"]}


def test_the_opt_in_to_cluster_admin_is_a_gain_and_withdrawing_it_a_loss(okta: Provider) -> None:
    give(okta.database, "cluster:prod-eu", BOB, kubernetes="cluster-admin")

    allowed = do(okta.database, ChangeCluster("prod-eu", allow_cluster_admin=True))
    withdrawn = do(okta.database, ChangeCluster("prod-eu", allow_cluster_admin=False))

    assert shown(allowed.gains) == shown(withdrawn.loses) == {BOB: ["cluster-admin in cluster prod-eu"]}


def test_label_selectors_make_a_preview_unclear_and_so_nothing_is_done_unseen(okta: Provider) -> None:
    tree.create_project(okta.database, HANDS, "acme", NewProject("labels", "production", (), ("team=x",)))

    with pytest.raises(Conflict, match="by labels on prod-eu"):
        carry_out(okta.database, HANDS, "acme", ChangeCluster("prod-eu", allow_label_selectors=True))

    assert rows(okta.database, "cluster", name="prod-eu")[0]["allow_label_selectors"] is False


def test_what_is_so_already_writes_nothing(okta: Provider) -> None:
    changes = count(okta.database, "change_row")

    done = carry_out(
        okta.database, HANDS, "acme", ChangeCluster("prod-eu", "prod-eu", "{user_name}", CaseRule.KEEP, False)
    )

    assert (done.changed, count(okta.database, "change_row")) == (False, changes)


def test_a_forgotten_cluster_takes_its_grants_and_listings_with_it(okta: Provider) -> None:
    give(okta.database, "cluster:prod-eu", BOB, kubernetes="view")
    do(okta.database, ChangeProject("shop", clusters=("prod-eu", "stage")))

    clusters.remove(okta.database, HANDS, "acme", "prod-eu")

    assert [each.scope for each in grants.list_all(okta.database, "acme")] == ["unit:production", "unit:staging"]
    assert tree.list_projects(okta.database, "acme")[0].listed == ("stage",)


def test_a_cluster_that_something_needs_is_not_forgotten(okta: Provider) -> None:
    do(okta.database, ChangeProject("shop", clusters=("stage",)))
    rule = {"name": "ops", "directory": "okta", "group": "Ops", "scope": "cluster:prod-eu", "kubernetes_role": "view"}
    rules.apply(okta.database, HANDS, "acme", {"rules": [rule]})

    with pytest.raises(Refused, match="The project shop lists no other"):
        clusters.remove(okta.database, HANDS, "acme", "stage")
    with pytest.raises(Refused, match="prod-eu is named by ops"):
        clusters.remove(okta.database, HANDS, "acme", "prod-eu")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (ChangeCluster("prod-eu", name="stage"), Conflict),
        (ChangeCluster("prod-eu", name="Not A Name"), Invalid),
        (ChangeCluster("prod-eu", user_template="nobody"), Invalid),
        (ChangeCluster("prod-eu", user_template=" {email}"), Invalid),
        (ChangeCluster("nowhere", name="x"), NotFound),
        (MoveCluster("prod-eu", "nowhere"), NotFound),
        (MoveCluster("nowhere", None), NotFound),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(
    okta: Provider, change: ChangeCluster | MoveCluster, error: type[Exception]
) -> None:
    before = rows(okta.database, "cluster")

    with pytest.raises(error):
        do(okta.database, change)

    assert rows(okta.database, "cluster") == before
