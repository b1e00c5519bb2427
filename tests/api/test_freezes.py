"""Freezing over REST: who may, where, and what the audit has of it."""

import orjson
import pytest
import sqlalchemy as sa

from scim_bridge.domain.organizations import TargetKind
from scim_bridge.store.cluster_registry import NewTarget, insert_cluster
from scim_bridge.store.schema import audit_entry
from tests.api.rest import Person, Rest, problem
from tests.identity.rows import begin


@pytest.fixture
def admin(rest: Rest) -> Person:
    return rest.with_role("admin")


def add_cluster(rest: Rest, name: str = "prod") -> None:
    target = NewTarget(name, None, TargetKind.MANIFESTS, "{user_name}", "nowhere", folder="/nowhere", approved=True)
    with rest.database.write() as connection:
        insert_cluster(connection, begin(connection, "acme"), target)


def audited(rest: Rest) -> list[tuple[str, str, dict[str, object]]]:
    query = sa.select(audit_entry.c.action, audit_entry.c.actor_name, audit_entry.c.detail)
    with rest.database.read() as connection:
        rows = connection.execute(query.where(audit_entry.c.action.like("freeze.%")).order_by(audit_entry.c.id))
        return [(action, actor, orjson.loads(detail)) for action, actor, detail in rows]


def test_an_admin_freezes_a_binding_and_lets_it_go(rest: Rest, admin: Person) -> None:
    add_cluster(rest)

    made = admin.ok("POST", "/freezes", {"cluster": "prod", "binding": "edit@shop", "reason": "an incident"})
    listed = admin.ok("GET", "/freezes")["items"]
    admin.ok("DELETE", f"/freezes/{made['id']}")

    assert (made["level"], made["cluster"], made["binding"]) == ("binding", "prod", "edit@shop")
    assert listed == [made]
    assert admin.ok("GET", "/freezes")["items"] == []
    assert [(action, detail["binding"]) for action, _, detail in audited(rest)] == [
        ("freeze.begun", "edit@shop"),
        ("freeze.ended", "edit@shop"),
    ]


def test_what_is_frozen_is_not_frozen_twice(rest: Rest, admin: Person) -> None:
    admin.ok("POST", "/freezes", {})

    assert problem(admin.inside("POST", "/freezes", {})) == (409, "conflict")


def test_only_an_owner_keeps_leavers_in(rest: Rest, admin: Person, owner: Person) -> None:
    wanted = {"including_revocations": True, "hours": 4}

    refused = problem(admin.inside("POST", "/freezes", wanted))
    made = owner.ok("POST", "/freezes", wanted)

    assert refused == (403, "refused")
    assert made["including_revocations"] is True


@pytest.mark.parametrize("hours", [None, 25])
def test_not_even_an_owner_keeps_leavers_in_for_more_than_a_day(owner: Person, hours: int | None) -> None:
    wanted = {"including_revocations": True, "hours": hours}

    assert problem(owner.inside("POST", "/freezes", wanted))[0] in (400, 422)


def test_a_viewer_sees_what_is_frozen_and_freezes_nothing(rest: Rest, admin: Person, viewer: Person) -> None:
    admin.ok("POST", "/freezes", {"reason": "maintenance"})

    assert [each["reason"] for each in viewer.ok("GET", "/freezes")["items"]] == ["maintenance"]
    assert problem(viewer.inside("POST", "/freezes", {})) == (403, "refused")
    assert problem(viewer.inside("POST", "/freezes/end", {})) == (403, "refused")


def test_the_freeze_of_another_organization_is_not_there(rest: Rest, admin: Person) -> None:
    stranger = rest.with_role("admin", organization="evil")
    made = admin.ok("POST", "/freezes", {})

    assert problem(stranger.inside("DELETE", f"/freezes/{made['id']}")) == (404, "not-found")
    assert stranger.ok("GET", "/freezes")["items"] == []
    assert admin.ok("GET", "/freezes")["items"] == [made]


@pytest.mark.parametrize("wanted", [{"binding": "edit"}, {"cluster": "prod", "binding": "owner"}])
def test_a_binding_that_cannot_be_is_refused(rest: Rest, admin: Person, wanted: dict[str, str]) -> None:
    add_cluster(rest)

    assert problem(admin.inside("POST", "/freezes", wanted))[0] in (400, 422)


def test_a_cluster_that_is_not_there_cannot_be_frozen(admin: Person) -> None:
    assert problem(admin.inside("POST", "/freezes", {"cluster": "nowhere"})) == (404, "not-found")
