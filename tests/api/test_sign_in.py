"""Identity providers, policies, break-glass accounts and sessions over the REST API."""

import pyotp
import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.errors import SignInNotAccepted
from scim_bridge.identity import accounts, admission, directories, second_factors, sessions
from scim_bridge.identity.accounts import SecondFactorNeeded
from scim_bridge.identity.runtime import Keyring
from scim_bridge.identity.sessions import Proof, SessionBegun, Visit
from scim_bridge.store import identity_providers as store
from scim_bridge.store.clock import now
from scim_bridge.store.people import find_account
from scim_bridge.store.sealing import load_keyring
from tests.api.rest import ACTOR, Person, Rest, document, fields, problem

PROVIDERS = "/identity-providers"
SECRET = "a secret between the two"
PASSWORD = "correct horse battery staple"
OWNER = "owner@acme.example"
WANTED = {
    "name": "okta",
    "directory": "okta",
    "issuer": "https://acme.okta.example",
    "client_id": "0oa1",
    "client_secret": SECRET,
}


@pytest.fixture
def okta(rest: Rest) -> None:
    """Connect a directory."""
    directories.create(rest.database, ACTOR, "acme", "okta", DirectoryKind.OKTA)


@pytest.fixture
def keyring(rest: Rest) -> Keyring:
    """Return the installation's keys."""
    return load_keyring(rest.settings)


def sign_in(rest: Rest) -> SessionBegun:
    """Give the owner a password, and sign them in."""
    path = accounts.make_link(rest.database, ACTOR, OWNER).path
    accounts.set_password(rest.database, path.rpartition("/")[2], PASSWORD)
    begun = accounts.sign_in(rest.database, OWNER, PASSWORD, "browser", Visit("203.0.113.7"))
    assert isinstance(begun, SessionBegun)
    return begun


def add_second_factor(rest: Rest, keyring: Keyring) -> None:
    """Let the owner's password not be enough."""
    visitor = sessions.resume(rest.database, sign_in(rest).text, None)
    assert visitor is not None
    secret = second_factors.enrol(rest.database, keyring, visitor, PASSWORD).secret
    assert len(second_factors.confirm(rest.database, keyring, visitor, pyotp.TOTP(secret).now())) == 10
    again = accounts.sign_in(rest.database, OWNER, PASSWORD, "browser", Visit())
    assert isinstance(again, SecondFactorNeeded)


def sign_in_without_factor(rest: Rest) -> Actor:
    """Return another admin who has a session by a password."""
    admin = rest.once("second", role="admin")
    with rest.database.write() as connection:
        account = find_account(connection, admin.name)
        assert account is not None
        begun = sessions.begin(connection, Proof(account, SignInMethod.PASSWORD), Visit(), now())
    visitor = sessions.resume(rest.database, begun.text, None)
    assert visitor is not None
    return visitor.actor


def enters(rest: Rest, actor: Actor) -> str | None:
    """Return why somebody is not let in; None if they are."""
    try:
        admission.admit(rest.database, actor, "acme", None)
    except SignInNotAccepted as error:
        return str(error)
    return None


def note_tested(rest: Rest, provider_id: str) -> None:
    """Let a test sign-in have succeeded just now."""
    with rest.database.write() as connection:
        store.note_tested(connection, provider_id, now())


def test_an_identity_provider_is_added_and_its_secret_never_comes_out(
    rest: Rest, owner: Person, okta: None, keyring: Keyring
) -> None:
    added = owner.inside("POST", PROVIDERS, WANTED)

    made = document(added)
    assert (added.status_code, made["has_secret"], made["subject"]) == (201, True, "sub = externalId")
    assert SECRET not in added.text + owner.inside("GET", PROVIDERS).text
    with rest.database.read() as connection:
        opened = store.open_provider(connection, made["id"])
    assert opened is not None
    assert opened.sealed_client_secret is not None
    assert SECRET not in opened.sealed_client_secret
    assert keyring.open(opened.sealed_client_secret) == SECRET


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"issuer": "http://acme.okta.example"}, "issuer"),
        ({"issuer": "https://acme.okta.example?x=1"}, "issuer"),
        ({"issuer": "ftp://acme"}, "issuer"),
        ({"issuer": "https://["}, "issuer"),
        ({"subject_claim": "email"}, "subject_claim"),
        ({"subject_claim": "upn"}, "subject_claim"),
        ({"subject_claim": "a claim"}, "subject_claim"),
        ({"subject_attribute": "emails"}, "subject_attribute"),
        ({"groups_attribute": "members"}, "groups_attribute"),
        ({"group_sync": "sometimes"}, "group_sync"),
        ({"join_at_login": "always"}, "join_at_login"),
        ({"scopes": ["a b"]}, "scopes"),
        ({"domains": ["no domain"]}, "domain"),
        ({"client_id": ""}, "client_id"),
    ],
    ids=str,
)
def test_what_cannot_sign_anybody_in_safely_is_not_added(
    owner: Person, okta: None, wrong: dict[str, object], field: str
) -> None:
    answer = owner.inside("POST", PROVIDERS, WANTED | wrong)

    assert problem(answer) == (422, "invalid")
    assert fields(answer) == {field}
    assert owner.items(PROVIDERS) == []


def test_two_providers_do_not_share_a_name(owner: Person, okta: None) -> None:
    owner.ok("POST", PROVIDERS, WANTED)

    assert problem(owner.inside("POST", PROVIDERS, WANTED)) == (409, "conflict")


def test_sso_is_enforced_only_after_a_test_and_with_a_break_glass_account(
    rest: Rest, owner: Person, okta: None, keyring: Keyring
) -> None:
    made = owner.ok("POST", PROVIDERS, WANTED)
    untested = owner.inside("POST", f"{PROVIDERS}/okta/enforce")
    note_tested(rest, made["id"])
    without = owner.inside("POST", f"{PROVIDERS}/okta/enforce")
    lacking = owner.ok("POST", "/break-glass", {"member": OWNER})
    too_weak = owner.inside("POST", f"{PROVIDERS}/okta/enforce")
    add_second_factor(rest, keyring)

    enforced = owner.ok("POST", f"{PROVIDERS}/okta/enforce")

    assert [problem(each) for each in (untested, without, too_weak)] == [(409, "conflict")] * 3
    assert lacking["lacking"] == "has no password"
    assert enforced["enforced"] is True
    assert owner.ok("GET", "/authentication-policy")["sso_enforced"] is True
    assert [each["works"] for each in owner.items("/break-glass")] == [True]


def test_what_is_enforced_does_not_lose_its_only_provider_or_its_way_out(
    rest: Rest, owner: Person, okta: None, keyring: Keyring
) -> None:
    note_tested(rest, owner.ok("POST", PROVIDERS, WANTED)["id"])
    owner.ok("POST", "/break-glass", {"member": OWNER})
    add_second_factor(rest, keyring)
    owner.ok("POST", f"{PROVIDERS}/okta/enforce")

    provider = owner.inside("DELETE", f"{PROVIDERS}/okta")
    way_out = owner.inside("DELETE", f"/break-glass/{OWNER}")
    owner.ok("POST", f"{PROVIDERS}/relax")

    assert (problem(provider), problem(way_out)) == ((409, "conflict"), (409, "conflict"))
    assert owner.ok("DELETE", f"{PROVIDERS}/okta")["name"] == "okta"
    assert owner.items(PROVIDERS) == []


def test_enforcing_shuts_out_a_password_at_the_next_click(
    rest: Rest, owner: Person, okta: None, keyring: Keyring
) -> None:
    note_tested(rest, owner.ok("POST", PROVIDERS, WANTED)["id"])
    add_second_factor(rest, keyring)
    begun_before = enters(rest, sign_in_without_factor(rest))
    owner.ok("POST", "/break-glass", {"member": OWNER})

    owner.ok("POST", f"{PROVIDERS}/okta/enforce")

    assert begun_before is None
    assert enters(rest, sign_in_without_factor(rest)) == (
        "This organization lets people in by its identity provider only."
    )


def test_another_secret_has_to_be_tested_again(rest: Rest, owner: Person, okta: None) -> None:
    note_tested(rest, owner.ok("POST", PROVIDERS, WANTED)["id"])

    changed = owner.ok("PUT", f"{PROVIDERS}/okta/secret", {"client_secret": "another"})

    assert changed["tested_at"] is None


def test_a_test_is_an_address_that_is_good_for_a_while(owner: Person, okta: None) -> None:
    owner.ok("POST", PROVIDERS, WANTED)

    begun = owner.ok("POST", f"{PROVIDERS}/okta/test")

    assert begun["path"].startswith("/login/test/")
    assert len(begun["path"]) > 50


def test_a_policy_changes_what_is_named_and_is_noted(owner: Person) -> None:
    before = owner.ok("GET", "/authentication-policy")

    after = owner.ok("PATCH", "/authentication-policy", {"idle_minutes": 15, "ip_ranges": ["203.0.113.0/24"]})

    assert (before["idle_minutes"], before["methods"]) == (60, ["oidc", "password", "passkey"])
    assert after == before | {"idle_minutes": 15, "ip_ranges": ["203.0.113.0/24"]}


@pytest.mark.parametrize(
    "wrong",
    [{"methods": []}, {"methods": ["fax"]}, {"idle_minutes": 0}, {"session_hours": 100_000}, {"ip_ranges": ["x"]}],
    ids=str,
)
def test_a_policy_that_makes_no_sense_is_refused(owner: Person, wrong: dict[str, object]) -> None:
    assert problem(owner.inside("PATCH", "/authentication-policy", wrong)) == (422, "invalid")


def test_a_policy_holds_for_tokens_from_the_next_request_on(owner: Person, viewer: Person) -> None:
    owner.ok("PATCH", "/authentication-policy", {"ip_ranges": ["203.0.113.0/24"]})

    answer = viewer.inside("GET", "")

    assert problem(answer) == (403, "refused")
    assert "from your address" in document(answer)["detail"]


def test_people_see_their_own_sessions_and_end_them(rest: Rest, owner: Person) -> None:
    begun = sign_in(rest)

    [listed] = owner.items("/members/me/sessions")
    ended = owner.ok("DELETE", f"/sessions/{listed['id']}")

    assert listed["id"] == begun.session.id
    assert listed["address"] == "203.0.113.7"
    assert begun.text not in str(listed)
    assert ended["ended_because"] == "revoked"
    assert sessions.resume(rest.database, begun.text, None) is None


def test_a_viewer_neither_sees_nor_ends_an_owners_sessions(rest: Rest, viewer: Person) -> None:
    begun = sign_in(rest)

    seen = viewer.inside("GET", f"/members/{OWNER}/sessions")
    ended = viewer.inside("DELETE", f"/sessions/{begun.session.id}")

    assert (problem(seen), problem(ended)) == ((403, "refused"), (403, "refused"))
    assert sessions.resume(rest.database, begun.text, None) is not None


def test_only_an_owner_that_no_directory_keeps_becomes_a_break_glass_account(rest: Rest, owner: Person) -> None:
    rest.with_role("admin")

    assert problem(owner.inside("POST", "/break-glass", {"member": "admin@acme.example"})) == (409, "conflict")
