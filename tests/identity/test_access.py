"""Why does somebody have access, since when, and because of whose request: now, and at any moment before."""

from dataclasses import dataclass
from datetime import timedelta
from time import sleep

import pytest

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.people import AccountId, MemberId, MemberState
from scim_bridge.errors import Invalid, NotFound, Refused
from scim_bridge.identity import access, grants, rules, tree
from scim_bridge.identity.access import ClusterAccess
from scim_bridge.identity.access_causes import Cause
from scim_bridge.identity.audit_retention import prune_all
from scim_bridge.identity.binding_access import WhichBinding, explain_binding
from scim_bridge.identity.effective import effective_access
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.unit_changes import MoveUnit
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.members import set_state
from scim_bridge.store.people import insert_account, insert_member
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import reconcile_cluster
from tests.fakes.cluster import FakeCluster
from tests.identity.chains import KEYRING, seal
from tests.identity.company import do
from tests.identity.provider import HANDS, Provider, rows
from tests.identity.rows import begin, organization_id, put_cluster

RULE = {"name": "devs", "directory": "okta", "group": "devs", "scope": "unit:prod", "kubernetes_role": "edit"}
A_MOMENT = 0.002


def moment() -> str:
    """Return a moment that nothing happens at."""
    sleep(A_MOMENT)
    found = now().isoformat()
    sleep(A_MOMENT)
    return found


@dataclass
class World:
    """A person in a group of an identity provider, to which a rule gives edit on a cluster."""

    okta: Provider
    ana: str
    devs: str

    def on(self, at: str | None = None, person: str = "ana@acme.example") -> ClusterAccess:
        """Explain a person's access on the cluster."""
        (found,) = access.explain(self.okta.database, HANDS, "acme", person, "prod-eu", at).clusters
        return found


@pytest.fixture
def world(database: Database) -> World:
    okta = Provider.connect(database)
    tree.create_unit(database, HANDS, "acme", "prod")
    put_cluster(database, "prod-eu", "prod")
    rules.apply(database, HANDS, "acme", {"rules": [RULE]}, "rules-request")
    ana = okta.post("ana@acme.example")
    devs = okta.post_group("devs")
    okta.add(devs.id, ana.id)
    return World(okta, ana.id, devs.id)


def kinds(causes: tuple[Cause, ...]) -> list[str]:
    return [each.kind for each in causes]


def test_a_grant_is_explained_back_to_the_request_the_rule_and_the_moment(world: World) -> None:
    (reason,) = world.on().reasons

    membership, rule, grant = reason.causes
    (joined,) = rows(world.okta.database, "provisioning_log", object_id=world.devs, method="PATCH")
    (made,) = rows(world.okta.database, "provisioning_log", object_id=world.devs, method="POST")
    assert membership.what == "ana@acme.example in group devs"
    assert (membership.actor_kind, membership.actor) == ("directory", "okta")
    assert (membership.request_id, membership.log_entry) == (joined["request_id"], joined["id"])
    assert rule.what == "rule devs, in version 1 by tests"
    assert (rule.actor_kind, rule.request_id) == ("cli", "rules-request")
    assert grant.what == "edit at unit:prod for group devs, rule devs"
    assert (grant.request_id, grant.log_entry) == (made["request_id"], made["id"])
    assert rule.since < grant.since < membership.since == reason.since


def test_a_group_in_a_group_is_a_link_of_the_chain(world: World) -> None:
    inner = world.okta.post_group("inner")
    ben = world.okta.post("ben@acme.example")
    world.okta.add(inner.id, ben.id)
    world.okta.add(world.devs, inner.id)

    (reason,) = world.on(person="ben@acme.example").reasons

    assert reason.through == "group inner in devs"
    assert kinds(reason.causes) == ["membership", "nesting", "rule", "grant"]
    assert reason.causes[1].what == "group inner in group devs"
    assert reason.causes[1].request_id


def test_a_grant_by_hand_names_who_gave_it(world: World, database: Database) -> None:
    wanted = GrantWanted("cluster:prod-eu", person="ana@acme.example", kubernetes_role="view")
    grants.add(database, HANDS, "acme", wanted, "hand-request")

    reason = world.on().reasons[0]

    assert kinds(reason.causes) == ["grant"]
    assert reason.causes[0].what == "view at cluster:prod-eu for ana@acme.example, manual"
    assert (reason.causes[0].actor, reason.causes[0].request_id) == ("tests", "hand-request")


def test_the_past_is_answered_as_it_was(world: World, database: Database) -> None:
    had = moment()
    world.okta.remove(world.devs, world.ana)
    lost = moment()
    grants.add(database, HANDS, "acme", GrantWanted("organization", person="ana@acme.example", kubernetes_role="view"))

    roles = [world.on(at).role for at in (had, lost, None)]

    assert roles == ["edit", None, "view"]
    assert kinds(world.on(had).reasons[0].causes) == ["membership", "rule", "grant"]


def test_the_past_knows_where_a_cluster_was(world: World, database: Database) -> None:
    before = moment()
    tree.create_unit(database, HANDS, "acme", "lab")
    grants.add(database, HANDS, "acme", GrantWanted("unit:lab", person="ana@acme.example", kubernetes_role="none"))
    do(database, MoveUnit("prod", "lab"))

    then, today = world.on(before), world.on()

    assert (then.role, then.scope) == ("edit", "unit:prod")
    assert (today.role, today.scope) == ("edit", "unit:lab/prod")
    assert len(then.reasons) == 1
    assert len(today.reasons) == 2


def test_the_past_knows_who_was_deactivated_and_who_came_back(world: World) -> None:
    moments = [moment()]
    world.okta.patch(world.ana, active=False)
    moments.append(moment())
    world.okta.patch(world.ana, active=True)
    moments.append(moment())

    found = [world.on(at).role for at in moments]

    assert found == ["edit", None, "edit"]


def test_the_past_knows_a_rule_that_is_gone(world: World, database: Database) -> None:
    before = moment()
    rules.apply(database, HANDS, "acme", {"rules": [{**RULE, "kubernetes_role": "view"}]})

    then, today = world.on(before), world.on()

    assert (then.role, today.role) == ("edit", "view")
    assert "version 1" in then.reasons[0].causes[1].what
    assert "version 2" in today.reasons[0].causes[1].what


def test_somebody_who_was_removed_since_is_still_known(world: World, database: Database) -> None:
    world.okta.add(world.devs, world.okta.post("ben@acme.example").id)
    (ben,) = [each for each in rows(database, "member") if each["user_name"] == "ben@acme.example"]
    before = moment()
    with database.write() as connection:
        set_state(connection, begin(connection), MemberId(ben["id"]), MemberState.REMOVED)

    found = world.on(before, "ben@acme.example")

    assert found.role == "edit"
    with pytest.raises(NotFound):
        world.on(person="ben@acme.example")


@pytest.mark.parametrize(
    ("at", "words"), [("2099-01-01", "lies ahead"), ("2020-01-01", "is known since"), ("gestern", "is no time")]
)
def test_a_moment_that_nobody_knows_is_refused(world: World, at: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        world.on(at)

    assert caught.value.field == "at"


def test_what_retention_took_away_is_not_answered_wrongly(world: World, database: Database) -> None:
    world.okta.remove(world.devs, world.ana)
    before = moment()
    seal(database)
    prune_all(database, KEYRING, 100, now() + timedelta(days=200))

    with pytest.raises(Invalid, match="is known since"):
        world.on(before)


def somebody(database: Database, email: str, *roles: str) -> Actor:
    """Return an actor of a person with these API roles."""
    with database.write() as connection:
        change = begin(connection)
        account = insert_account(connection, change, email)
        insert_member(connection, change, account, email)
    for role in roles:
        grants.add(database, HANDS, "acme", GrantWanted("organization", person=email, api_role=role))
    return Actor(ActorKind.PERSON, email, account, AccountId(account))


def test_everybody_may_ask_about_themselves_and_about_others_who_may_see_members(
    world: World, database: Database
) -> None:
    nobody, viewer = somebody(database, "nobody@acme.example"), somebody(database, "viewer@acme.example", "viewer")

    own = access.explain(database, nobody, "acme", "me")
    by_name = access.explain(database, nobody, "acme", "Nobody@acme.example")
    of_ana = access.explain(database, viewer, "acme", "ana@acme.example")

    assert own.person.id == by_name.person.id
    assert of_ana.clusters[0].role == "edit"
    for named in ("ana@acme.example", "not-there@acme.example"):
        with pytest.raises(Refused):
            access.explain(database, nobody, "acme", named)


def test_another_organizations_member_finds_nothing(world: World, database: Database) -> None:
    stranger = Actor(ActorKind.PERSON, "stranger", None, AccountId("unknown"))

    with pytest.raises(NotFound):
        access.explain(database, stranger, "acme", "ana@acme.example")


def reconcile(database: Database) -> FakeCluster:
    cluster = FakeCluster()
    with database.read() as connection:
        owner = organization_id(connection)
    (row,) = rows(database, "cluster")
    reconcile_cluster(database, cluster, owner, row["id"], PassPolicy(), now)
    return cluster


def names(database: Database, **where: str) -> list[str]:
    """Return what the objects on the cluster are called, as the bridge names them."""
    return [row["name"] for row in rows(database, "applied_binding", **where)]


def test_any_binding_on_a_cluster_is_explained(world: World, database: Database) -> None:
    reconcile(database)
    (name,) = names(database)

    found = explain_binding(database, HANDS, "acme", WhichBinding("prod-eu", name))

    (subject,) = found.subjects
    assert (found.role, found.namespace, found.subject_count, found.next) == ("edit", None, 1, None)
    assert subject.subject == "ana@acme.example"
    assert subject.person is not None
    assert kinds(subject.reasons[0].causes) == ["membership", "rule", "grant"]
    assert subject.reasons[0].causes[0].actor == "okta"
    assert subject.reasons[0].causes[0].log_entry


def test_a_binding_in_a_namespace_is_explained_by_its_project(world: World, database: Database) -> None:
    tree.create_project(database, HANDS, "acme", tree.NewProject("shop", "prod", ("shop",)))
    wanted = GrantWanted("project:shop", group="devs", kubernetes_role="edit")
    grants.add(database, HANDS, "acme", wanted)
    reconcile(database)
    (name,) = names(database, namespace="shop")

    found = explain_binding(database, HANDS, "acme", WhichBinding("prod-eu", name, "shop"))

    (reason,) = found.subjects[0].reasons
    assert (found.namespace, reason.scope, reason.origins) == ("shop", "project:shop", ("manual",))


def test_a_large_binding_is_explained_a_page_at_a_time_or_for_one_person(world: World, database: Database) -> None:
    for person in ("bea", "cem", "dov"):
        world.okta.add(world.devs, world.okta.post(f"{person}@acme.example").id)
    reconcile(database)
    (name,) = names(database)

    first = explain_binding(database, HANDS, "acme", WhichBinding("prod-eu", name, limit=3))
    rest = explain_binding(database, HANDS, "acme", WhichBinding("prod-eu", name, after=first.next or ""))
    one = explain_binding(database, HANDS, "acme", WhichBinding("prod-eu", name, person="cem@acme.example"))

    assert [each.subject[:3] for each in (*first.subjects, *rest.subjects)] == ["ana", "bea", "cem", "dov"]
    assert [each.subject for each in one.subjects] == ["cem@acme.example"]


def test_a_binding_that_is_not_ours_is_not_found(world: World, database: Database) -> None:
    with pytest.raises(NotFound, match="not ours"):
        explain_binding(database, HANDS, "acme", WhichBinding("prod-eu", "cluster-admins"))
    with pytest.raises(NotFound, match="no cluster"):
        explain_binding(database, HANDS, "acme", WhichBinding("nowhere", "x"))


def test_the_past_says_which_object_held_somebody(world: World, database: Database) -> None:
    cluster = reconcile(database)
    (seen,) = cluster.list_bindings()
    before = moment()
    world.okta.remove(world.devs, world.ana)
    with database.read() as connection:
        owner = organization_id(connection)
    (row,) = rows(database, "cluster")
    reconcile_cluster(database, cluster, owner, row["id"], PassPolicy(), now)

    then, today = world.on(before), world.on()

    assert [(each.name, each.role, each.subject) for each in then.held_by] == [(seen.name, "edit", "ana@acme.example")]
    assert today.held_by == ()


def test_effective_access_is_everything_in_one_answer(world: World, database: Database) -> None:
    for scope, role in (("organization", "viewer"), ("unit:prod", "developer")):
        grants.add(database, HANDS, "acme", GrantWanted(scope, person="ana@acme.example", api_role=role))
    tree.create_project(database, HANDS, "acme", tree.NewProject("shop", "prod", ("shop",)))
    grants.add(database, HANDS, "acme", GrantWanted("project:shop", group="devs", kubernetes_role="view"))

    found = effective_access(database, HANDS, "acme", "ana@acme.example")

    assert [(each.scope, each.api_roles) for each in found.scopes] == [
        ("organization", ("viewer",)),
        ("unit:prod", ("developer", "viewer")),
    ]
    assert "clusters:create" in found.scopes[1].permissions
    assert "clusters:create" not in found.scopes[0].permissions
    (cluster,) = found.clusters
    assert (cluster.cluster, cluster.role, cluster.by) == ("prod-eu", "edit", "unit:prod")
    assert [(each.namespace, each.role) for each in cluster.namespaces] == [("shop", "view")]


def test_effective_access_of_nobody_is_nothing(world: World, database: Database) -> None:
    world.okta.patch(world.ana, active=False)

    found = effective_access(database, HANDS, "acme", "ana@acme.example")

    assert (found.scopes, found.clusters) == ((), ())


def test_explain_and_effective_access_agree_with_now_for_the_moment_that_is_now(
    world: World, database: Database
) -> None:
    at = moment()

    present, past = world.on(), world.on(at)

    assert (present.role, present.reasons) == (past.role, past.reasons)
