"""Alerts over REST: who sees what is open, and who says who is told."""

import pytest

from scim_bridge.domain.desired import Condition
from scim_bridge.identity import alerts
from scim_bridge.store.clock import now
from scim_bridge.store.conditions import add_condition
from tests.api.rest import Person, Rest, fields, problem
from tests.identity.provider import rows
from tests.identity.rows import organization_id, put_cluster


@pytest.fixture
def admin(rest: Rest) -> Person:
    return rest.with_role("admin")


@pytest.fixture
def drifting(rest: Rest) -> Rest:
    """Let three clusters drift, which was told."""
    for name in ("a", "b", "c"):
        made = put_cluster(rest.database, name)
        with rest.database.write() as connection:
            add_condition(connection, organization_id(connection), made, Condition("Drift", "", "It drifts."), now())
        alerts.look(rest.database)
    return rest


def test_what_is_open_is_read_page_by_page_and_only_by_whoever_may(
    drifting: Rest, admin: Person, viewer: Person
) -> None:
    first = admin.ok("GET", "/alerts?limit=2")
    second = admin.ok("GET", f"/alerts?limit=2&closed=true&cursor={first['next_cursor']}")

    shown = [(each["kind"], each["subject"], each["message"]) for each in (*first["items"], *second["items"])]
    assert shown == [("drift", f"cluster {name}", "It drifts.") for name in ("c", "b", "a")]
    assert second["next_cursor"] is None
    assert problem(viewer.inside("GET", "/alerts")) == (403, "refused")


def test_another_organization_sees_none_of_it(drifting: Rest) -> None:
    other = drifting.with_role("admin", organization="evil")

    assert other.items("/alerts") == []
    assert problem(other.request("GET", "/organizations/acme/alerts")) == (404, "not-found")


def test_who_gets_the_mails_is_set_by_kind_and_goes_back_to_the_default(
    rest: Rest, admin: Person, viewer: Person
) -> None:
    before = {each["kind"]: each["addresses"] for each in admin.items("/alert-routes")}
    put = admin.ok("PUT", "/alert-routes/drift", {"addresses": ["oncall@acme.example"]})
    nobody = admin.ok("PUT", "/alert-routes/hold", {"addresses": []})
    again = admin.ok("DELETE", "/alert-routes/drift")
    after = {each["kind"]: each["addresses"] for each in admin.items("/alert-routes")}

    in_charge = ["admin@acme.example", "owner@acme.example"]
    assert set(map(tuple, before.values())) == {tuple(in_charge)}
    assert (put["addresses"], put["is_default"]) == (["oncall@acme.example"], False)
    assert (nobody["addresses"], again["addresses"]) == ([], in_charge)
    assert after == before | {"hold": []}
    done = [row["action"] for row in rows(rest.database, "audit_entry", noun="alert_route")]
    assert done == ["alert_route.set", "alert_route.set", "alert_route.dropped"]
    assert problem(viewer.inside("PUT", "/alert-routes/drift", {"addresses": []})) == (403, "refused")


def test_what_is_no_kind_and_no_address_is_said_to(admin: Person) -> None:
    assert fields(admin.inside("PUT", "/alert-routes/nonsense", {"addresses": []})) == {"kind"}
    assert admin.inside("PUT", "/alert-routes/drift", {"addresses": ["nobody"]}).status_code == 422
    assert admin.inside("PUT", "/alert-routes/drift", {"addresses": ["a@b.example"] * 21}).status_code == 422
