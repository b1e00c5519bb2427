"""Invitations over REST: from the mail that arrives to the organization that somebody is in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.store import schema
from scim_bridge.sync.postman import Postman
from tests.api.rest import Person, Rest, document, fields, open_rest, problem
from tests.mail.post_office import PostOffice, link_in, open_post_office, secret_in

BOB = "bob@x.example"


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


def _everywhere(rest: Rest, person: Person) -> Person:
    """Let somebody's token open every organization of theirs, as a sign-in does."""
    with rest.database.write() as connection:
        connection.execute(sa.update(schema.api_token).values(organization_id=None))
    return person


def _post(rest: Rest) -> None:
    Postman(rest.database, rest.runtime.keyring, rest.settings).send_due()


def test_an_invitation_goes_by_mail_and_is_accepted_by_its_link(
    rest: Rest, office: PostOffice, admin: Person, nobody: Person
) -> None:
    made = admin.inside("POST", "/invitations", {"email": BOB, "api_role": "developer", "kubernetes_role": "view"})
    _post(rest)
    secret = secret_in(office.mails[0])

    offer = nobody.request("POST", "/invitations/offer", {"secret": secret})
    joined = nobody.request("POST", "/invitations/accept", {"secret": secret, "display_name": "Bob"})

    assert (made.status_code, secret in made.text) == (201, False)
    assert link_in(office.mails[0]).startswith("https://bridge.example/invitations/")
    assert (document(offer)["email"], document(offer)["registered"]) == (BOB, False)
    assert document(joined)["organization"] == "acme"
    bob = rest.token_of(BOB)
    assert [(each["slug"], each["state"]) for each in document(bob.request("GET", "/organizations"))["items"]] == [
        ("acme", "active")
    ]
    shown = admin.ok("GET", f"/members/{BOB}")["profile"]
    assert (shown["member"]["source"], shown["access"]["api_roles"]) == ("invitation", ["developer"])


def test_somebody_registered_finds_the_organization_in_their_list_and_answers_there(rest: Rest, admin: Person) -> None:
    bob = _everywhere(rest, rest.person("bob", organization="globex"))
    admin.ok("POST", "/invitations", {"email": bob.name, "api_role": "viewer"})

    listed = document(bob.request("GET", "/organizations"))["items"]
    joined = bob.request("POST", "/me/organizations/acme/accept", {})

    assert [(each["slug"], each["state"]) for each in listed] == [("acme", "invited"), ("globex", "active")]
    assert document(joined)["signed_up"] is False
    assert bob.request("GET", "/organizations/acme/members").status_code == 200


def test_somebody_registered_declines_in_their_list(rest: Rest, admin: Person) -> None:
    bob = _everywhere(rest, rest.person("bob", organization="globex"))
    admin.ok("POST", "/invitations", {"email": bob.name})

    declined = bob.request("POST", "/me/organizations/acme/decline", {})
    again = bob.request("POST", "/me/organizations/acme/decline", {})

    assert (declined.status_code, problem(again)) == (204, (404, "not-found"))
    assert admin.ok("GET", f"/invitations/{bob.name}")["state"] == "declined"


def test_sending_again_kills_the_old_link(rest: Rest, office: PostOffice, admin: Person, nobody: Person) -> None:
    admin.ok("POST", "/invitations", {"email": BOB})
    _post(rest)
    admin.ok("POST", f"/invitations/{BOB}/resend")
    _post(rest)
    old, new = (secret_in(each) for each in office.mails)

    dead = nobody.request("POST", "/invitations/accept", {"secret": old, "display_name": "Bob"})
    alive = nobody.request("POST", "/invitations/accept", {"secret": new, "display_name": "Bob"})

    assert (problem(dead), alive.status_code) == ((404, "not-found"), 200)


def test_a_link_declines_without_any_account(rest: Rest, office: PostOffice, admin: Person, nobody: Person) -> None:
    admin.ok("POST", "/invitations", {"email": BOB})
    _post(rest)
    secret = secret_in(office.mails[0])

    declined = nobody.request("POST", "/invitations/decline", {"secret": secret})
    late = nobody.request("POST", "/invitations/accept", {"secret": secret, "display_name": "Bob"})

    assert (declined.status_code, problem(late)) == (204, (409, "conflict"))


def test_a_revoked_one_is_never_sent(rest: Rest, office: PostOffice, admin: Person) -> None:
    admin.ok("POST", "/invitations", {"email": BOB})

    taken = admin.ok("DELETE", f"/invitations/{BOB}")
    _post(rest)

    assert (taken["state"], taken["mail"]["state"], office.mails) == ("revoked", "cancelled", [])


def test_many_are_told_line_by_line(admin: Person) -> None:
    lines = [{"email": "one@x.example", "api_role": "viewer"}, {"email": "none"}, {"email": "two@x.example"}]

    made = admin.ok("POST", "/invitations/bulk", {"invitations": lines})

    assert (made["invited"], made["failed"]) == (2, 1)
    assert [each["error"] is None for each in made["lines"]] == [True, False, True]
    assert [each["email"] for each in admin.items("/invitations?state=pending")] == ["two@x.example", "one@x.example"]


def test_invitations_are_paged(admin: Person) -> None:
    for number in range(3):
        admin.ok("POST", "/invitations", {"email": f"p{number}@x.example"})

    first = admin.ok("GET", "/invitations?limit=2")
    second = admin.ok("GET", f"/invitations?limit=2&cursor={first['next_cursor']}")

    assert [each["email"][:2] for each in (*first["items"], *second["items"])] == ["p2", "p1", "p0"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("path", ["/invitations", "/invitations/bulk", f"/invitations/{BOB}/resend"])
def test_a_viewer_invites_nobody(admin: Person, viewer: Person, path: str) -> None:
    admin.ok("POST", "/invitations", {"email": BOB})
    body: dict[str, Any] = {"email": "x@x.example"} if path == "/invitations" else {}

    assert problem(viewer.inside("POST", path, body)) == (403, "refused")
    assert problem(viewer.inside("GET", "/invitations")) == (403, "refused")
    assert len(admin.items("/invitations")) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "bob"}, "email"),
        ({"email": BOB, "api_role": "king"}, "api_role"),
        ({"email": BOB, "kubernetes_role": "root"}, "kubernetes_role"),
        ({"email": BOB, "groups": "Team"}, "groups"),
    ],
)
def test_what_makes_no_sense_marks_its_field(admin: Person, body: dict[str, object], field: str) -> None:
    answer = admin.inside("POST", "/invitations", body)

    assert problem(answer)[0] in (400, 422)
    assert fields(answer) == {field}


@pytest.mark.parametrize("path", ["/invitations/offer", "/invitations/accept", "/invitations/decline"])
def test_a_secret_that_is_none_opens_nothing(nobody: Person, path: str) -> None:
    answer = nobody.request("POST", path, {"secret": "guessed"})

    assert problem(answer) == (404, "not-found")


def test_another_organizations_invitation_is_not_there(rest: Rest, admin: Person) -> None:
    boss = rest.with_role("owner", organization="globex")
    theirs = boss.ok("POST", "/invitations", {"email": BOB})

    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/resend")):
        assert problem(admin.inside(method, f"/invitations/{theirs['id']}{path}")) == (404, "not-found")
