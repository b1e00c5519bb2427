"""D4, members and invitations: one test a row, named after it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from scim_bridge.identity import deprovisioning, domains, invitation_ends
from scim_bridge.store.clock import now
from scim_bridge.store.credentials import set_password
from scim_bridge.sync.postman import Postman
from tests.api.rest import ACTOR, Person, Rest, document, open_rest, problem
from tests.identity import signing_in
from tests.identity.people import member_id, owners, put_person, was_active
from tests.identity.provider import Provider, removals, rows, state_of
from tests.mail.post_office import PostOffice, open_post_office, secret_in

BOB = "bob@acme.example"


@pytest.fixture
def office() -> Iterator[PostOffice]:
    """Open a mail server."""
    with open_post_office() as opened:
        yield opened


@pytest.fixture
def rest(migrated_url: str, tmp_path: Path, office: PostOffice) -> Iterator[Rest]:
    """Open the application with that mail server in its settings."""
    mail = {"smtp_host": "127.0.0.1", "smtp_port": office.port, "smtp_security": "none"}
    with open_rest(migrated_url, tmp_path, **mail) as opened:
        yield opened


@pytest.fixture
def admin(rest: Rest) -> Person:
    """Return an admin of acme with a token."""
    return rest.with_role("admin")


@pytest.fixture
def nobody(rest: Rest) -> Person:
    """Return somebody without a token."""
    return Person(rest.app, "nobody", "", "acme")


def _secret(rest: Rest, office: PostOffice) -> str:
    """Let the post go out, and return what opens the newest invitation."""
    Postman(rest.database, rest.runtime.keyring, rest.settings).send_due()
    return secret_in(office.mails[-1])


def _accept(nobody: Person, secret: str) -> int:
    return nobody.request("POST", "/invitations/accept", {"secret": secret, "display_name": "Bob"}).status_code


def _names(person: Person, query: str) -> list[str]:
    return [each["member"]["user_name"] for each in person.items(f"/members?{query}")]


def test_central_member_list_search_filter_by_state_source_role_unit_staleness(rest: Rest, owner: Person) -> None:
    viewer = rest.with_role("viewer")
    okta = Provider.connect(rest.database)
    okta.post("dora@x.example", displayName="Dora Stone")
    was_active(rest.database, put_person(rest.database, "old@x.example"), now() - timedelta(days=90))

    assert _names(viewer, "search=sto") == ["dora@x.example"]
    assert _names(viewer, "source=scim&state=active") == ["dora@x.example"]
    assert _names(viewer, "api_role=viewer") == ["viewer@acme.example"]
    assert _names(viewer, "active_before=60d") == ["old@x.example"]
    assert "dora@x.example" in _names(viewer, "never_active=true")


def test_member_profile_auth_methods_2fa_status_groups_last_active_tokens_effective_access(
    rest: Rest, owner: Person
) -> None:
    okta = Provider.connect(rest.database)
    dora = okta.post("dora@x.example")
    okta.post_group("Pushed", dora.id)
    owner.ok("POST", "/grants", {"scope": "organization", "group": "Pushed", "api_role": "developer"})

    shown = owner.ok("GET", f"/members/{dora.member_id}")

    profile = shown["profile"]
    assert profile["sign_in"] == ["directory okta"]
    assert (profile["account"], shown["tokens"], profile["member"]["last_active_at"]) == (None, [], None)
    assert (profile["member"]["two_factor"], profile["member"]["directory"]) == (False, "okta")
    assert [(each["group"], each["origin"]) for each in profile["groups"]] == [("Pushed", "scim")]
    assert profile["access"]["api_roles"] == ["developer"]


def test_member_profile_password_and_sessions_are_shown_to_who_may_see_them(
    rest: Rest, owner: Person, viewer: Person
) -> None:
    ana = signing_in.put_person(rest.database)
    begun = signing_in.sign_in(rest.database, ana)
    with rest.database.write() as connection:
        set_password(connection, ana.account_id, "a hash", now())

    shown = owner.ok("GET", f"/members/{ana.member_id}")
    to_others = viewer.ok("GET", f"/members/{ana.member_id}")

    assert shown["profile"]["sign_in"] == ["password"]
    assert [(each["id"], each["method"], each["ended_at"]) for each in shown["sessions"]] == [
        (begun.session.id, "password", None)
    ]
    assert to_others["sessions"] == to_others["tokens"] == []


def test_states_invited_active_deactivated_removed_with_source_badge(rest: Rest, admin: Person) -> None:
    put_person(rest.database, "hand@x.example")
    admin.ok("POST", "/invitations", {"email": BOB})
    admin.ok("POST", "/members/hand@x.example/deactivate")
    Provider.connect(rest.database).post("dora@x.example")

    seen = {
        (each["member"]["user_name"], each["member"]["state"], each["member"]["source"])
        for each in admin.items("/members")
    }
    admin.ok("DELETE", "/members/hand@x.example")

    assert {
        (BOB, "invited", "invitation"),
        ("hand@x.example", "deactivated", "manual"),
        ("dora@x.example", "active", "scim"),
    } <= seen
    assert _names(admin, "state=removed") == ["hand@x.example"]


def test_invite_by_e_mail_carrying_api_role_cluster_role_groups(
    rest: Rest, office: PostOffice, admin: Person, nobody: Person
) -> None:
    admin.ok("POST", "/groups", {"name": "Team"})
    wanted = {"email": BOB, "api_role": "developer", "kubernetes_role": "edit", "groups": ["Team"]}
    admin.ok("POST", "/invitations", wanted)

    assert _accept(nobody, _secret(rest, office)) == 200

    assert _names(admin, "api_role=developer") == [BOB]
    assert _names(admin, "kubernetes_role=edit") == [BOB]
    (member,) = admin.items("/groups/Team/members")
    assert (member["user_name"], member["origins"][0]["origin"]) == (BOB, "invitation")
    assert office.recipients == [BOB]


def test_registered_invitee_sees_the_org_at_once_unregistered_signs_up_first(
    rest: Rest, office: PostOffice, admin: Person, nobody: Person
) -> None:
    put_person(rest.database, BOB, slug=rest.person("boss", organization="globex").organization)
    admin.ok("POST", "/invitations", {"email": BOB})
    registered = nobody.request("POST", "/invitations/offer", {"secret": _secret(rest, office)})
    admin.ok("POST", "/invitations", {"email": "new@x.example"})
    secret = _secret(rest, office)
    unregistered = nobody.request("POST", "/invitations/offer", {"secret": secret})

    assert _accept(nobody, secret) == 200

    (invited,) = rows(rest.database, "member", email=BOB, state="invited")
    assert invited["account_id"] is not None  # it is in the list of organizations of that account
    assert [document(each)["registered"] for each in (registered, unregistered)] == [True, False]
    new = rest.token_of("new@x.example")
    assert [each["slug"] for each in document(new.request("GET", "/organizations"))["items"]] == ["acme"]


def test_accept_decline_expiry_resend_old_link_dies_revoke_bulk_invite(
    rest: Rest, office: PostOffice, admin: Person, nobody: Person
) -> None:
    emails = [f"{verb}@x.example" for verb in ("accept", "decline", "resend", "revoke", "expire")]
    bulk = admin.ok("POST", "/invitations/bulk", {"invitations": [{"email": each} for each in [*emails, "none"]]})
    _secret(rest, office)
    secrets = {str(mail["To"]): secret_in(mail) for mail in office.mails}

    accepted = _accept(nobody, secrets["accept@x.example"])
    nobody.request("POST", "/invitations/decline", {"secret": secrets["decline@x.example"]})
    admin.ok("POST", "/invitations/resend@x.example/resend")
    admin.ok("DELETE", "/invitations/revoke@x.example")
    with time_machine.travel(now() + timedelta(days=8)):
        invitation_ends.end_expired_invitations(rest.database)

    found = {each["email"].partition("@")[0]: each["state"] for each in admin.items("/invitations")}
    assert (bulk["invited"], bulk["failed"], accepted) == (5, 1, 200)
    assert _accept(nobody, secrets["resend@x.example"]) == 404
    assert found == {
        "accept": "accepted",
        "decline": "declined",
        "resend": "expired",
        "revoke": "revoked",
        "expire": "expired",
    }


def test_scim_push_supersedes_the_invitation(rest: Rest, office: PostOffice, admin: Person, nobody: Person) -> None:
    domains.add(rest.database, ACTOR, "acme", "acme.example")
    admin.ok("POST", "/invitations", {"email": BOB, "api_role": "developer"})
    secret = _secret(rest, office)

    dora = Provider.connect(rest.database).post(BOB)

    assert admin.ok("GET", f"/invitations/{BOB}")["state"] == "superseded"
    assert admin.ok("GET", f"/members/{dora.member_id}")["profile"]["access"]["api_roles"] == ["developer"]
    assert _accept(nobody, secret) == 409


def test_remove_member_drops_groups_grants_bindings(rest: Rest, admin: Person) -> None:
    person = put_person(rest.database, "ana@x.example")
    admin.ok("POST", "/groups", {"name": "Team"})
    admin.ok("POST", "/groups/Team/members", {"members": ["ana@x.example"]})
    admin.ok("PUT", "/members/ana@x.example/roles", {"api_role": "viewer", "kubernetes_role": "edit"})

    admin.ok("DELETE", "/members/ana@x.example")

    assert admin.items("/groups/Team/members") == []
    assert [each for each in admin.items("/grants") if each["holder"] == "ana@x.example"] == []
    assert (person, "removed", None) in removals(rest.database)


def test_change_api_role_cluster_role_of_a_member_only_owner_or_admin_may(rest: Rest, owner: Person) -> None:
    ana = rest.person("ana")
    roles = {"api_role": "developer", "kubernetes_role": "view"}

    answers = {
        role: rest.with_role(role).inside("PUT", f"/members/{ana.name}/roles", roles).status_code
        for role in ("viewer", "developer", "billing-admin", "admin")
    }

    assert answers == {"viewer": 403, "developer": 403, "billing-admin": 403, "admin": 200}
    assert owner.ok("PUT", f"/members/{ana.name}/roles", {"api_role": "viewer"})["api_roles"] == ["viewer"]


def test_deactivate_reactivate_grants_kept_access_off(rest: Rest, admin: Person) -> None:
    ana = rest.with_role("developer")

    admin.ok("POST", f"/members/{ana.name}/deactivate")
    off = admin.ok("GET", f"/members/{ana.name}")["profile"]["access"]["api_roles"]
    kept = [each["api_role"] for each in admin.items("/grants") if each["holder"] == ana.name]
    admin.ok("POST", f"/members/{ana.name}/reactivate")
    on = admin.ok("GET", f"/members/{ana.name}")["profile"]["access"]["api_roles"]

    assert (off, kept, on) == ([], ["developer"], ["developer"])
    assert problem(ana.inside("GET", "/members"))[0] == 401  # the token has ended for good


def test_deprovision_policy_per_directory_suspend_grace_purge_delete_means_suspend(rest: Rest, admin: Person) -> None:
    okta = Provider.connect(rest.database)
    admin.ok("PUT", "/directories/okta/deprovisioning", {"grace_days": 30, "delete_suspends": True})
    dora = okta.post("dora@x.example")
    group = okta.post_group("Team", dora.id)
    okta.delete(dora.id)
    suspended = state_of(rest.database, dora.member_id)
    back = okta.post("dora@x.example")
    in_group = okta.members(group.id)
    okta.delete(back.id)

    with time_machine.travel(now() + timedelta(days=31)):
        purged = deprovisioning.purge_leavers(rest.database)

    assert (suspended, in_group, purged) == ("deactivated", {back.id}, 1)
    assert state_of(rest.database, dora.member_id) == "removed"


def test_managed_users_by_verified_domain_restricted_self_edit(rest: Rest, admin: Person) -> None:
    ana = rest.person("ana")
    free = ana.inside("PATCH", "/members/me", {"display_name": "Ana"})
    domains.add(rest.database, ACTOR, "acme", "acme.example")

    managed = ana.inside("PATCH", "/members/me", {"display_name": "Other"})

    assert (free.status_code, problem(managed)) == (200, (403, "refused"))
    assert {each["managed"] for each in admin.items("/members?search=ana")} == {True}


def test_dormant_member_report_and_review_campaign(rest: Rest, admin: Person) -> None:
    long_ago = now() - timedelta(days=200)
    was_active(rest.database, put_person(rest.database, "asleep@x.example"), long_ago, long_ago)

    report = _names(admin, "dormant_days=90&state=active")
    made = admin.ok("POST", "/reviews", {"name": "Autumn", "days": 90, "deadline": "14d"})["review"]
    decision = {"member": "asleep@x.example", "decision": "deactivate"}
    decided = admin.ok("POST", f"/reviews/{made['id']}/decisions", decision)

    assert report == ["asleep@x.example"]
    assert (made["undecided"], decided["review"]["undecided"]) == (1, 0)
    assert state_of(rest.database, member_id(rest.database, "asleep@x.example")) == "deactivated"


def test_last_owner_guard_on_every_path(rest: Rest, owner: Person) -> None:
    me = f"/members/{owner.name}"
    paths = [
        owner.inside("DELETE", me),
        owner.inside("POST", f"{me}/deactivate"),
        owner.inside("POST", "/members/me/leave"),
        owner.inside("PUT", f"{me}/roles", {"api_role": "viewer"}),
        owner.inside("POST", "/grants/remove", {"scope": "organization", "person": owner.name, "api_role": "owner"}),
    ]

    assert [problem(each) for each in paths] == [(403, "refused")] * 5
    assert len(owners(rest.database)) == 1
