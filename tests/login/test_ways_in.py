"""Finding the way in by an address, and what ends it: over SCIM, at the next click and the next call."""

import re

import orjson
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from scim_bridge.domain.domain_proofs import Found
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.domain.sessions import PolicyWanted
from scim_bridge.identity import api_tokens, directories, domain_checks, domains, organizations, policies, sessions
from scim_bridge.identity.invitations import InvitationWanted, invite
from scim_bridge.identity.letters import Letters
from scim_bridge.store import schema
from scim_bridge.store.mails import open_values
from tests.identity.signing_in import TERMINAL
from tests.login.world import Browser, Login


def prove(login: Login, domain: str, slug: str = "acme") -> None:
    """Let a domain be verified."""
    organizations.create(login.database, TERMINAL, slug)
    domains.add(login.database, TERMINAL, slug, domain)
    domain_checks.verify(login.database, lambda *_: Found.DNS, TERMINAL, slug, domain)


def type_address(browser: Browser, email: str) -> TestResponse:
    browser.get("/login?return_to=/account")
    return browser.post("/login", {"email": email, "return_to": "/account"})


def test_an_address_of_a_verified_domain_leads_to_its_organizations_provider(login: Login) -> None:
    prove(login, "acme.example")
    view = login.add()

    answer = type_address(login.browser(), "Ana@ACME.example")

    assert f"/login/with/{view.id}?return_to=%2Faccount" in answer.text
    assert "refresh" in answer.text


@pytest.mark.parametrize("email", ["ana@other.example", "ana", "@acme.example", "ana@", "", "a@b@" + "x" * 400])
def test_any_other_address_is_asked_for_a_password(login: Login, email: str) -> None:
    login.add()

    answer = type_address(login.browser(), email)

    assert 'type="password"' in answer.text
    assert "/login/with/" not in answer.text


def test_a_provider_may_be_for_some_of_the_domains_only(login: Login) -> None:
    prove(login, "acme.example")
    prove(login, "acme.test")
    view = login.add(domains=("acme.test",))

    other, own = type_address(login.browser(), "a@acme.example"), type_address(login.browser(), "a@acme.test")

    assert view.id not in other.text
    assert view.id in own.text


def test_a_domain_of_another_organization_is_not_taken_by_naming_it(login: Login) -> None:
    prove(login, "beta.example", "beta")
    view = login.add(domains=("beta.example",))

    assert view.id not in type_address(login.browser(), "a@beta.example").text


def test_an_organization_shows_all_its_providers(login: Login) -> None:
    login.add()
    login.add(name="entra")

    page = login.browser().get("/login/to/acme").text

    assert page.count("/login/with/") == 2


def test_a_deactivation_over_scim_ends_the_session_and_the_token(login: Login) -> None:
    directory = directories.create(login.database, TERMINAL, "acme", "scim", DirectoryKind.OKTA)
    assert directory.token is not None
    headers = {"Authorization": f"Bearer {directory.token.text}", "Content-Type": "application/scim+json"}
    client = login.app.test_client()
    user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ana", "externalId": "00u1"}
    made = orjson.loads(client.post("/scim/v2/Users", data=orjson.dumps(user), headers=headers).data)
    browser = login.browser()
    login.come(browser, login.add(directory="scim"))
    found = sessions.resume(login.database, browser.cookie("session"), None)
    assert found is not None
    token = api_tokens.create(login.database, found.actor, "acme", "me").text

    def call() -> int:
        return client.get("/api/v1/organizations", headers={"Authorization": f"Bearer {token}"}).status_code

    before = (browser.is_signed_in(), call())
    operation = {"op": "replace", "value": {"active": False}}
    schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
    patch = orjson.dumps({"schemas": schemas, "Operations": [operation]})
    answered = client.patch(f"/scim/v2/Users/{made['id']}", data=patch, headers=headers).status_code

    assert before == (True, 200)
    assert answered == 200
    assert (browser.is_signed_in(), call()) == (False, 401)


def test_a_token_made_after_a_sign_in_by_the_provider_goes_on_when_passwords_are_refused(login: Login) -> None:
    login.person()
    browser = login.browser()
    login.come(browser, login.add())
    found = sessions.resume(login.database, browser.cookie("session"), None)
    assert found is not None
    token = api_tokens.create(login.database, found.actor, "acme", "me").text

    policies.change(login.database, TERMINAL, "acme", PolicyWanted(methods=("oidc",)))

    sent = {"Authorization": f"Bearer {token}"}
    path = "/api/v1/organizations/acme/members/me/sessions"
    assert login.app.test_client().get(path, headers=sent).status_code == 200


def test_who_came_by_a_provider_changes_no_method_of_the_account(login: Login) -> None:
    login.person()
    browser = login.browser()
    login.come(browser, login.add())
    browser.get("/account")

    answers = [
        browser.post(path, {"password": "x", "old": "x", "new": "a long enough password"}).status_code
        for path in ("/account/password", "/account/second-factor")
        if browser.get("/account")
    ]

    assert answers == [403, 403]
    assert "keeps how you sign in" in browser.get("/account").text


def test_who_is_invited_signs_up_by_the_link_sets_a_password_and_signs_in(login: Login) -> None:
    letters = Letters.of(login.runtime)
    invite(login.database, letters, TERMINAL, "acme", InvitationWanted("new@acme.example", api_role="viewer"))
    with login.database.read() as connection:
        sealed = connection.execute(sa.select(schema.mail.c.sealed)).scalar_one()
    link = open_values(login.runtime.keyring, sealed)["link"] or ""
    browser = login.browser()
    browser.get(link.removeprefix("https://bridge.example"))
    assert "viewer" in browser.page

    action = re.search(r'action="(/invitations/[^"]+/accept)"', browser.page)
    assert action is not None
    accepted = browser.post(action[1], {"display_name": "Nia New"})
    browser.get(accepted.headers["Location"])
    browser.post(accepted.headers["Location"], {"password": "a very long password"})
    browser.get("/login")
    browser.post("/login/password", {"email": "new@acme.example", "password": "a very long password"})

    assert browser.is_signed_in()


def test_an_invitation_is_declined_by_its_link(login: Login) -> None:
    invite(login.database, Letters.of(login.runtime), TERMINAL, "acme", InvitationWanted("new@acme.example"))
    with login.database.read() as connection:
        sealed = connection.execute(sa.select(schema.mail.c.sealed)).scalar_one()
    path = (open_values(login.runtime.keyring, sealed)["link"] or "").removeprefix("https://bridge.example")
    browser = login.browser()
    browser.get(path)

    browser.post(f"{path}/decline")

    assert "You said no" in browser.page
    assert login.browser().get(path).status_code == 409
