"""Whom a cluster's bindings name: said at registration, changed as previewed, and what keeps groups from standing."""

from typing import Any

import pytest

from scim_bridge.domain.desired import desired
from scim_bridge.domain.organizations import CaseRule, ClusterId, SubjectMode
from scim_bridge.errors import Invalid, NotFound, PreviewOutdated, Refused
from scim_bridge.identity import clusters, directory_states, grants
from scim_bridge.identity.cluster_changes import ChangeCluster
from scim_bridge.identity.cluster_subjects import SubjectsWanted
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.tree_drafts import TreePreview, carry_out
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.snapshot import read_organization
from tests.identity.company import ANA, acting, do, found_company, give, look, shown
from tests.identity.provider import HANDS, Provider, removals, rows

STANDING = {"subject_mode": SubjectMode.GROUP, "group_template": "oidc:{group}", "group_directory": "okta"}


@pytest.fixture
def okta(database: Database) -> Provider:
    """Found the company, with two people in the group Ops, which has view everywhere."""
    okta = found_company(database)
    people = [okta.post(f"ops-{number}@acme.example") for number in range(2)]
    okta.post_group("Ops", *(each.id for each in people), external_id="00g-ops")
    grants.add(database, HANDS, "acme", GrantWanted("cluster:stage", None, "Ops", None, "view"))
    return okta


def change(**subjects: Any) -> ChangeCluster:
    return ChangeCluster("stage", subjects=SubjectsWanted(**{**STANDING, **subjects}))


def named(okta: Provider) -> dict[str, tuple[str, ...]]:
    """Return whom the cluster's bindings would name, by kind and role."""
    with okta.database.read() as connection:
        owner = rows(okta.database, "organization")[0]["id"]
        snapshot = read_organization(connection, owner, now())
    (cluster,) = rows(okta.database, "cluster", name="stage")
    wanted = desired(snapshot, ClusterId(cluster["id"]))
    return {f"{b.key.family.subject_kind.value} {b.key.family.role.value}": b.subjects for b in wanted.bindings}


def test_another_mode_is_shown_group_by_group_before_it_is_done(okta: Provider) -> None:
    with pytest.raises(PreviewOutdated):
        carry_out(okta.database, HANDS, "acme", change())

    seen = look(okta.database, change())
    done = do(okta.database, change(), seen.hash)
    view = clusters.show(okta.database, "acme", "stage")

    assert done == seen
    assert (done.gains, done.loses, done.renamed) == ((), (), ())
    assert done.subjects == ("the group oidc:Ops now stands for 2 people with view in cluster stage",)
    assert named(okta)["Group view"] == ("oidc:Ops",)
    assert (view.subject_mode, view.group_directory, view.token_minutes) == (SubjectMode.GROUP, "okta", 60)
    assert removals(okta.database) == []


def test_a_group_that_cannot_stand_says_why_in_the_preview(okta: Provider) -> None:
    give(okta.database, "cluster:stage", "ops-0@acme.example", kubernetes="none")
    okta.post_group("Elsewhere")

    told = look(okta.database, change(group_filter="k8s-*")).subjects

    assert len(told) == 1
    assert "only groups named k8s-*" in told[0]


def test_back_to_people_and_another_template_for_groups_are_shown_too(okta: Provider) -> None:
    do(okta.database, change())

    other = do(okta.database, ChangeCluster("stage", subjects=SubjectsWanted(group_template="{external_id}")))
    back = do(okta.database, ChangeCluster("stage", subjects=SubjectsWanted(subject_mode=SubjectMode.USER)))

    assert [each.split(" for ")[0] for each in other.subjects] == [
        "the group 00g-ops now stands",
        "the group oidc:Ops no longer stands",
    ]
    assert [each.split(" for ")[0] for each in back.subjects] == ["the group 00g-ops no longer stands"]
    assert "Group view" not in named(okta)


def test_what_a_policy_was_is_kept_with_from_and_to(okta: Provider) -> None:
    do(okta.database, change(group_case=CaseRule.LOWER))

    (cluster,) = rows(okta.database, "cluster", name="stage")
    facts = rows(okta.database, "fact", object_id=cluster["id"], attribute="subject_mode")
    assert [(each["value"], each["valid_to"] is None) for each in facts] == [("user", False), ("group", True)]
    assert named(okta)["Group view"] == ("oidc:ops",)


def test_who_comes_under_another_role_makes_the_group_be_expanded_by_itself(okta: Provider) -> None:
    do(okta.database, change())
    give(okta.database, "cluster:stage", "ops-0@acme.example", kubernetes="edit")

    stronger = named(okta)
    okta.post("ops-9@acme.example", active=False)
    directory_states.pause(okta.database, HANDS, "acme", "okta")

    assert stronger == {"Group view": ("oidc:Ops",), "User edit": ("ops-0@acme.example",)} | _bob(stronger)
    assert "Group view" not in named(okta)


def _bob(found: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {kind: names for kind, names in found.items() if kind == "User view"}


@pytest.mark.parametrize(
    ("subjects", "error"),
    [
        ({"group_template": "ops"}, Invalid),
        ({"group_template": ""}, Invalid),
        ({"group_directory": ""}, Invalid),
        ({"group_directory": "nowhere"}, NotFound),
        ({"group_filter": " "}, Invalid),
        ({"group_limit": 0}, Invalid),
        ({"token_minutes": 100_000}, Invalid),
        ({"excluded_namespaces": "Not A Name"}, Invalid),
    ],
)
def test_a_policy_that_says_nothing_of_tokens_is_refused(
    okta: Provider, subjects: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        look(okta.database, change(**subjects))


def test_who_may_only_change_a_cluster_may_not_say_whom_it_knows_by_which_name(okta: Provider) -> None:
    viewer = acting(okta.database, "vic", "viewer")

    with pytest.raises(Refused):
        carry_out(okta.database, viewer, "acme", change())


def test_an_excluded_namespace_is_taken_from_a_project_as_previewed(okta: Provider) -> None:
    give(okta.database, "project:shop", ANA, kubernetes="edit")
    wanted = ChangeCluster("prod-eu", subjects=SubjectsWanted(excluded_namespaces="shop-*"))

    done: TreePreview = do(okta.database, wanted)

    assert shown(done.loses) == {ANA: ["edit in shop-web on prod-eu"]}
