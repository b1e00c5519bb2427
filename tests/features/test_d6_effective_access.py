"""D6, effective access: who can do X on Y, why with the full path, at a past date."""

from datetime import UTC, datetime
from time import sleep

from scim_bridge.identity import rules, tree
from tests.api.rest import ACTOR, Person, Rest
from tests.identity.provider import Provider, rows
from tests.identity.rows import put_cluster

RULES = [
    {"name": "devs", "directory": "okta", "group": "devs", "scope": "unit:prod", "kubernetes_role": "edit"},
    {"name": "see", "directory": "okta", "group": "devs", "scope": "unit:prod", "api_role": "viewer"},
]


def a_moment() -> str:
    sleep(0.002)
    found = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    sleep(0.002)
    return found


def test_effective_access_who_can_do_x_on_y_why_with_full_path_at_a_past_date(rest: Rest, viewer: Person) -> None:
    tree.create_unit(rest.database, ACTOR, "acme", "prod")
    put_cluster(rest.database, "prod-eu", "prod")
    okta = Provider.connect(rest.database)
    rules.apply(rest.database, ACTOR, "acme", {"rules": RULES})
    ana, devs = okta.post("ana@acme.example"), okta.post_group("devs")
    before_ana = a_moment()
    okta.add(devs.id, ana.id)
    with_ana = a_moment()
    okta.patch(ana.id, active=False)

    def who(question: str, at: str) -> list[str]:
        return [each["user_name"] for each in viewer.items(f"/access/who?{question}&at={at}")]

    (then,) = viewer.ok("GET", f"/members/{ana.member_id}/access?at={with_ana}&cluster=prod-eu")["clusters"]
    (reason,) = then["reasons"]
    all_of_it = viewer.ok("GET", f"/members/{ana.member_id}/effective-access?at={with_ana}")
    assert [who("cluster=prod-eu&role=edit", at) for at in (before_ana, with_ana, a_moment())] == [
        [],
        ["ana@acme.example"],
        [],
    ]
    assert "ana@acme.example" in who("permission=members:read&scope=unit:prod", with_ana)
    assert "ana@acme.example" not in who("permission=members:read&scope=organization", with_ana)
    assert [each["kind"] for each in reason["causes"]] == ["membership", "rule", "grant"]
    assert {each["request_id"] for each in reason["causes"]} >= {
        row["request_id"] for row in rows(rest.database, "provisioning_log", method="PATCH", object_id=devs.id)
    }
    assert [each["scope"] for each in all_of_it["scopes"]] == ["unit:prod"]
    assert "members:read" in all_of_it["scopes"][0]["permissions"]
    assert viewer.ok("GET", f"/members/{ana.member_id}/effective-access")["scopes"] == []
