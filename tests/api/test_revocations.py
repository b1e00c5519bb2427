"""The revocation report over REST: times, proof, tokens, and what it cannot see."""

from datetime import timedelta

import pytest

from scim_bridge.cli.revocations import _report
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.identity import sessions
from scim_bridge.identity.callers import authenticate
from scim_bridge.identity.deactivation import deactivate
from scim_bridge.identity.sessions import Proof, Visit
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.clock import now
from scim_bridge.store.people import account_of_member, find_members
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.proving import prove_removals
from scim_bridge.sync.reconciler import reconcile_cluster
from scim_bridge.sync.revocations import carry_out_removals
from tests.api.directories import connect
from tests.api.rest import Person, Rest, problem
from tests.api.test_freezes import add_cluster
from tests.fakes.cluster import FakeCluster
from tests.identity.provider import Provider
from tests.identity.rows import begin
from tests.sync.test_proving import by_hand

ANA = "ana@acme.example"


class Cluster:
    """A cluster in memory that acme's people are bound on."""

    def __init__(self, rest: Rest) -> None:
        from scim_bridge.store.cluster_registry import list_clusters
        from scim_bridge.store.installation import instance_id

        add_cluster(rest)
        self.rest = rest
        self.owner = OrganizationId(rest.organization_id())
        with rest.database.read() as connection:
            self.id = ClusterId(list_clusters(connection, self.owner)[0].id)
            self.fake = FakeCluster(instance_id(connection))

    def reconcile(self) -> None:
        reconcile_cluster(self.rest.database, self.fake, self.owner, self.id, PassPolicy(), now)

    def remove(self, late: float = 0) -> None:
        at = now() + timedelta(seconds=late)
        place = DueCluster(self.id, self.owner)
        with self.rest.database.write() as connection:
            spread_removals(connection, at)
        carry_out_removals(self.rest.database, self.fake, place, lambda: at, lambda: True)
        prove_removals(self.rest.database, self.fake, place, lambda: at, lambda: True)


@pytest.fixture
def cluster(rest: Rest) -> Cluster:
    return Cluster(rest)


@pytest.fixture
def ana(rest: Rest, cluster: Cluster, owner: Person) -> Person:
    """Return somebody with edit on the cluster and a token."""
    made = rest.person("ana")
    owner.ok("POST", "/grants", {"person": ANA, "kubernetes_role": "edit"})
    cluster.reconcile()
    assert cluster.fake.access == {(None, "edit"): {ANA}}
    return made


def leave(rest: Rest, *, email: str = ANA) -> MemberId:
    with rest.database.write() as connection:
        change = begin(connection, "acme")
        [found] = find_members(connection, change.organization_id, email)
        deactivate(connection, change, found.id)
    return found.id


def test_the_report_of_a_leaver_says_that_it_is_over_and_why(
    rest: Rest, cluster: Cluster, ana: Person, viewer: Person
) -> None:
    leave(rest)
    cluster.remove()

    found = viewer.ok("GET", f"/revocations/people/{ANA}")

    [revocation] = found["revocations"]
    [part] = revocation["clusters"]
    assert (found["is_over"], found["state"], found["bound"], found["unproven"]) == (True, "deactivated", [], [])
    assert (revocation["cause"], revocation["everything"], revocation["outcome"]) == ("deactivated", True, "done")
    assert (part["cluster"], part["state"], part["verdict"], part["is_late"]) == ("prod", "done", "gone", False)
    assert any(each["question"] == "create pods/exec" for each in part["proof"]["questions"])
    assert [each["ended_at"] is not None for each in found["tokens"]] == [True]
    assert any("exec" in each for each in found["cannot_see"])


def test_a_leaver_whom_a_groups_subject_lets_in_is_told_until_token_expiry(
    rest: Rest, cluster: Cluster, owner: Person, viewer: Person
) -> None:
    token = connect(rest, owner).token
    with rest.database.read() as connection:
        okta = Provider(rest.database, authenticate(connection, token), token)
    lee, kim = okta.post("lee@acme.example"), okta.post("kim@acme.example")
    okta.post_group("Ops", lee.id, kim.id)
    owner.ok("POST", "/grants", {"group": "Ops", "scope": "cluster:prod", "kubernetes_role": "edit"})
    by_group = {"subject_mode": "group", "group_template": "oidc:{group}", "group_directory": "okta"}
    seen = owner.ok("PATCH", "/clusters/prod?dry_run=true", by_group)
    owner.ok("PATCH", f"/clusters/prod?preview={seen['hash']}", by_group)
    cluster.reconcile()

    okta.patch(lee.id, active=False)
    cluster.remove()
    cluster.reconcile()
    found = viewer.ok("GET", "/revocations/people/lee@acme.example")

    [part] = found["revocations"][0]["clusters"]
    assert cluster.fake.access == {(None, "edit"): {"oidc:Ops"}}
    assert (part["state"], part["verdict"], part["lingers"]) == ("done", "gone", ["oidc:Ops"])
    assert part["lingers_until"] > part["confirmed_at"]
    assert (found["is_over"], found["bound"]) == (False, [])
    assert "until token expiry" in found["cannot_see"][0]
    assert "oidc:Ops" in "\n".join(_report(found))


def signed_in(rest: Rest, *, only_here: bool) -> str:
    """Let ana sign in; return the session's id."""
    with rest.database.write() as connection:
        owner = OrganizationId(rest.organization_id())
        [found] = find_members(connection, owner, ANA)
        account = account_of_member(connection, found.id)
        assert account is not None
        proof = Proof(account, SignInMethod.OIDC, False, owner if only_here else None)
        return sessions.begin(connection, proof, Visit("127.0.0.1", "tests"), now()).session.id


def test_the_report_says_of_each_session_how_it_ended(
    rest: Rest, cluster: Cluster, ana: Person, viewer: Person
) -> None:
    here, elsewhere = signed_in(rest, only_here=True), signed_in(rest, only_here=False)
    leave(rest)
    cluster.remove()

    found = viewer.ok("GET", f"/revocations/people/{ANA}")

    told = {each["id"]: (each["ended_at"] is not None, each["opens_others"]) for each in found["sessions"]}
    assert told == {here: (True, False), elsewhere: (False, True)}
    assert found["is_over"] is True


def test_before_a_cluster_has_confirmed_it_is_not_over(rest: Rest, ana: Person, viewer: Person) -> None:
    leave(rest)

    found = viewer.ok("GET", f"/revocations/people/{ANA}")

    assert (found["is_over"], found["revocations"][0]["closed_at"]) == (False, None)
    assert [each["subject"] for each in found["bound"]] == [ANA]


def test_access_that_somebody_else_gives_keeps_it_from_being_over(
    rest: Rest, cluster: Cluster, ana: Person, viewer: Person
) -> None:
    cluster.fake.givers = [by_hand(ANA)]
    leave(rest)
    cluster.remove()

    found = viewer.ok("GET", f"/revocations/people/{ANA}")

    [part] = found["revocations"][0]["clusters"]
    assert (found["is_over"], part["verdict"]) == (False, "still")
    assert {each["by"] for each in part["proof"]["questions"] if each["allowed"]} == {
        f'ClusterRoleBinding by-hand, view to User "{ANA}"'
    }


def test_how_long_leavers_took_is_listed_and_counted(rest: Rest, cluster: Cluster, ana: Person, viewer: Person) -> None:
    leave(rest)
    cluster.remove(late=100)

    [listed] = viewer.ok("GET", "/revocations")["items"]
    counted = viewer.ok("GET", "/revocations/objective")

    assert (listed["person"], listed["is_late"], listed["seconds"] >= 100) == (ANA, True, True)
    assert (counted["count"], counted["late"], counted["objective_seconds"]) == (1, 1, 60)
    assert [each["count"] for each in counted["histogram"] if each["count"]] == [1]


def test_late_removals_are_conditions_of_the_cluster(rest: Rest, cluster: Cluster, ana: Person) -> None:
    from scim_bridge.store.cluster_status import lasting_conditions

    leave(rest)
    cluster.remove(late=100)
    cluster.reconcile()

    with rest.database.read() as connection:
        found = lasting_conditions(connection, cluster.owner)[cluster.id]
    assert [each.kind for each in found] == ["ObjectiveMissed"]
    assert "1 of 1" in found[0].message


def test_nobody_without_the_permission_reads_a_report(rest: Rest, ana: Person) -> None:
    assert problem(ana.inside("GET", f"/revocations/people/{ANA}")) == (403, "refused")


def test_the_person_of_another_organization_is_not_there(rest: Rest, ana: Person) -> None:
    stranger = rest.with_role("owner", organization="evil")

    assert problem(stranger.inside("GET", f"/revocations/people/{ANA}")) == (404, "not-found")
    assert stranger.ok("GET", "/revocations")["items"] == []
