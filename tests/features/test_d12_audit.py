"""D12, the audit: one test a row, named after it; and what no other product shows of it (N1, N2, N14)."""

import csv
import io
import json
from datetime import timedelta
from time import sleep
from typing import Any

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.identity import grants, rules, tree
from scim_bridge.identity.audit_retention import prune_all
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.store.clock import now
from scim_bridge.store.sealing import load_keyring
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import reconcile_cluster
from scim_bridge.sync.sealer import Sealer
from tests.api.rest import Person, Rest, problem
from tests.fakes.cluster import FakeCluster
from tests.identity.chains import change_row
from tests.identity.provider import Provider, rows
from tests.identity.replay import opinion, replay
from tests.identity.rows import organization_id, put_cluster

TERMINAL = Actor(ActorKind.CLI, "ada")
RULE = {"name": "devs", "directory": "okta", "group": "devs", "scope": "unit:prod", "kubernetes_role": "edit"}


def seal(rest: Rest) -> None:
    sealer = Sealer(rest.database, load_keyring(rest.settings))
    sealer.seal()
    sealer.close()


def provision(rest: Rest) -> Provider:
    """Let Okta put ana into a group to which a rule gives edit on a cluster, and a pass write it there."""
    tree.create_unit(rest.database, TERMINAL, "acme", "prod")
    put_cluster(rest.database, "prod-eu", "prod")
    okta = Provider.connect(rest.database)
    rules.apply(rest.database, TERMINAL, "acme", {"rules": [RULE]})
    ana = okta.post("ana@acme.example")
    okta.add(okta.post_group("devs").id, ana.id)
    write_clusters(rest)
    return okta


def write_clusters(rest: Rest) -> None:
    with rest.database.read() as connection:
        owner = organization_id(connection)
    for cluster in rows(rest.database, "cluster"):
        reconcile_cluster(rest.database, FakeCluster(), owner, cluster["id"], PassPolicy(), now)


def entries(person: Person, query: str = "") -> list[dict[str, Any]]:
    return list(person.items(f"/audit?limit=1000&{query}"))


def test_organization_and_cluster_audit_events_with_old_and_new_values_and_the_real_actor(
    rest: Rest, owner: Person, viewer: Person
) -> None:
    okta = provision(rest)
    (user,) = rows(rest.database, "scim_user")
    okta.patch(user["id"], title="Captain")
    owner.ok("POST", "/grants", {"person": "ana@acme.example", "kubernetes_role": "view"})

    (changed,) = entries(viewer, "action=user.changed")
    (applied,) = entries(viewer, "action=rules.applied")
    (granted,) = entries(viewer, "action=grant.added&object=" + rows(rest.database, "access_grant")[-1]["id"])
    written = viewer.items("/clusters/prod-eu/audit?action=binding.written")

    assert (changed["actor_kind"], changed["actor_name"]) == ("directory", "okta")
    assert changed["detail"]["title"] == {"from": None, "to": "Captain"}
    assert changed["request_id"].startswith("request-")
    assert (applied["actor_kind"], applied["actor_name"]) == ("cli", "ada")
    assert granted["actor_kind"] in ("person", "token")
    assert granted["actor_name"].startswith("owner@acme.example")
    assert [(each["actor_kind"], each["detail"]["role"], each["detail"]["added"]) for each in written] == [
        ("scheduler", "edit", [user["member_id"]])
    ]


def test_append_only_hash_chained_verifiable(rest: Rest, owner: Person) -> None:
    provision(rest)
    seal(rest)
    before = owner.ok("GET", "/audit/verification")
    middle = before["last"] // 2
    (entry,) = rows(rest.database, "audit_entry", sequence=middle)

    change_row(rest.database, "audit_entry", {"id": entry["id"]}, detail='{"nothing": "happened"}')

    after = owner.ok("GET", "/audit/verification")
    assert (before["holds"], before["checked"]) == (True, len(rows(rest.database, "audit_entry")))
    assert (after["holds"], after["problem"]["sequence"], after["problem"]["entry"]) == (False, middle, entry["id"])


def test_export_csv_jsonl_and_retention_that_stays_verifiable(rest: Rest, owner: Person) -> None:
    provision(rest)
    lines = owner.inside("GET", "/audit/export").text.splitlines()
    table = list(csv.DictReader(io.StringIO(owner.inside("GET", "/audit/export?format=csv").text)))
    seal(rest)

    gone = prune_all(rest.database, load_keyring(rest.settings), 30, now() + timedelta(days=60))
    seal(rest)

    kept = owner.ok("GET", "/audit/verification")
    assert [json.loads(line)["id"] for line in lines] == [row["id"] for row in table]
    assert gone == len(lines)
    assert (kept["holds"], kept["first"], kept["checked"]) == (True, gone + 1, 1)
    assert [each["action"] for each in entries(owner)] == ["audit.pruned"]


def test_n1_any_rolebinding_leads_to_the_idp_group_the_rule_version_the_request_and_the_time(
    rest: Rest, viewer: Person
) -> None:
    okta = provision(rest)
    (binding,) = rows(rest.database, "applied_binding")
    (push,) = rows(rest.database, "provisioning_log", method="PATCH", directory_id=okta.caller.directory_id)

    found = viewer.ok("GET", f"/clusters/prod-eu/bindings/{binding['name']}")

    (subject,) = found["subjects"]
    joined, rule, _granted = subject["reasons"][0]["causes"]
    assert subject["person"]["user_name"] == "ana@acme.example"
    assert joined["what"] == "ana@acme.example in group devs"
    assert (joined["actor_kind"], joined["actor"]) == ("directory", "okta")
    assert (joined["request_id"], joined["log_entry"]) == (push["request_id"], push["id"])
    assert rule["what"] == "rule devs, in version 1 by ada"
    assert joined["since"] <= found["written_at"]


def test_n2_the_access_explorer_over_time_says_what_a_replay_of_the_audit_says(rest: Rest, viewer: Person) -> None:
    okta = provision(rest)
    (group,), (user,) = rows(rest.database, "user_group"), rows(rest.database, "scim_user")
    sleep(0.002)
    on_third_of_march = now()
    sleep(0.002)
    okta.remove(group["id"], user["id"])

    at = on_third_of_march.isoformat().replace("+00:00", "Z")
    then = viewer.ok("GET", f"/members/ana@acme.example/access?at={at}")
    today = viewer.ok("GET", "/members/ana@acme.example/access")

    with rest.database.read() as connection:
        owner = organization_id(connection)
    told = [
        opinion(replay(rest.database, owner, moment), user["member_id"]).clusters
        for moment in (on_third_of_march, now())
    ]
    (cluster,) = rows(rest.database, "cluster")
    assert [then["clusters"][0]["role"], today["clusters"][0]["role"]] == ["edit", None]
    assert told == [{cluster["id"]: "edit"}, {}]


def test_n14_one_chain_covers_scim_api_terminal_scheduler_and_cluster_writes(rest: Rest, owner: Person) -> None:
    provision(rest)
    owner.ok("POST", "/grants", {"person": "ana@acme.example", "kubernetes_role": "view"})
    seal(rest)

    doors = {row["actor_kind"] for row in rows(rest.database, "audit_entry") if row["sequence"] is not None}
    assert {"directory", "cli", "scheduler"} <= doors
    assert doors & {"person", "token"}
    first: dict[str, dict[str, Any]] = {}
    for row in rows(rest.database, "audit_entry"):
        first.setdefault(row["actor_kind"], row)
    for entry in first.values():
        change_row(rest.database, "audit_entry", {"id": entry["id"]}, object_id="another")
        found = owner.ok("GET", "/audit/verification")
        change_row(rest.database, "audit_entry", {"id": entry["id"]}, object_id=entry["object_id"])
        assert found["problem"]["entry"] == entry["id"]
    assert owner.ok("GET", "/audit/verification")["holds"]


def test_the_audit_is_for_viewers_and_each_entry_for_its_own_organization(rest: Rest, viewer: Person) -> None:
    provision(rest)
    boss = rest.person("boss", organization="evil")
    grants.add(rest.database, TERMINAL, "evil", GrantWanted("organization", person=boss.name, api_role="admin"))

    foreign = boss.request("GET", "/organizations/acme/audit")
    own = boss.items("/audit?limit=1000")

    assert problem(foreign) == (404, "not-found")
    assert not {each["id"] for each in own} & {each["id"] for each in entries(viewer)}
