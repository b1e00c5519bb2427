"""One's own organizations: tokens are made and ended there, and one leaves, all without a script."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scim_bridge.domain.sessions import PolicyWanted, SignInMethod
from scim_bridge.identity import organizations, own_organizations, policies
from tests.fakes.oidc_provider import OpenIdProvider
from tests.identity.signing_in import TERMINAL, id_of, put_person, sign_in, visitor
from tests.login.owner import EMAIL, PASSWORD, enter, set_password
from tests.login.world import Browser, Login, open_login

PATH = "/account/organizations"


@pytest.fixture
def login(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Login]:
    """Open the application with somebody who is an owner of two organizations, of one not the only one."""
    copied = shutil.copy(migrated_sqlite, tmp_path / "bridge.sqlite3")
    with open_login(f"sqlite:///{copied}", tmp_path, OpenIdProvider()) as opened:
        organizations.create(opened.database, TERMINAL, "acme", owner=EMAIL)
        organizations.create(opened.database, TERMINAL, "beta", name="Beta & Sons", owner=EMAIL)
        organizations.create(opened.database, TERMINAL, "beta", owner="second@beta.example")
        set_password(opened, PASSWORD)
        yield opened


def make(browser: Browser, slug: str = "beta", **form: str) -> str:
    """Make a token and return its text."""
    browser.get(PATH)
    browser.post(f"{PATH}/{slug}/tokens", {"name": "laptop", "expires": "90d", **form})
    found = re.search(r"<code>(sbp_[\w-]+)</code>", browser.page)
    assert found is not None, browser.page
    return found[1]


def call(login: Login, token: str, slug: str = "beta") -> int:
    """Return what the REST door answers to a token."""
    path, headers = f"/api/v1/organizations/{slug}/members/me", {"Authorization": f"Bearer {token}"}
    return login.app.test_client().get(path, headers=headers).status_code


def test_a_token_is_made_shown_once_and_ended_in_the_account(login: Login) -> None:
    browser = enter(login)

    token = make(browser)

    before = call(login, token), call(login, token, "acme")
    page = browser.get(PATH).text
    action = re.search(rf'action="({PATH}/beta/tokens/[^"]+/revoke)"', page)
    assert action is not None
    browser.post(action[1])
    assert before == (200, 404)
    assert token not in page
    assert token[:12] in page
    assert "Beta &amp; Sons" in page
    assert call(login, token) == 401
    assert token[:12] not in browser.get(PATH).text


@pytest.mark.parametrize(
    ("form", "status"), [({"expires": "tomorrow, perhaps"}, 422), ({"name": "x" * 64}, 422), ({"name": "a\x07"}, 422)]
)
def test_a_token_that_makes_no_sense_is_not_made(login: Login, form: dict[str, str], status: int) -> None:
    browser = enter(login)
    browser.get(PATH)

    answer = browser.post(f"{PATH}/beta/tokens", {"name": "laptop", "expires": "90d", **form})

    assert answer.status_code == status
    assert login.audit("api_token.created") == []


def test_whoever_leaves_is_asked_first_and_is_out_at_once(login: Login) -> None:
    browser = enter(login)
    token = make(browser)

    browser.get(f"{PATH}/beta/leave")
    asked = browser.page
    browser.post(f"{PATH}/beta/leave")

    assert "Your access ends at once" in asked
    assert "You are no member of Beta &amp; Sons any more" in browser.page
    assert call(login, token) == 401
    assert "Beta" not in browser.get(PATH).text
    assert '"cause":"left"' in login.audit("member.removed")[0]


def test_the_last_owner_does_not_leave(login: Login) -> None:
    browser = enter(login)
    browser.get(f"{PATH}/acme/leave")

    answer = browser.post(f"{PATH}/acme/leave")

    assert answer.status_code == 403
    assert "last working owner" in answer.text


def test_an_organization_that_does_not_accept_the_session_says_why_and_does_nothing(login: Login) -> None:
    policies.change(login.database, TERMINAL, "beta", PolicyWanted(methods=("passkey",)))
    browser = enter(login)

    page = browser.get(PATH).text

    form = {"name": "laptop", "expires": "90d"}
    answers = [browser.post(f"{PATH}/beta/{what}", form).status_code for what in ("tokens",) if browser.get(PATH)]
    answers += [browser.get(f"{PATH}/{slug}/leave").status_code for slug in ("beta", "nowhere")]
    assert "does not accept a sign-in by password" in page
    assert answers == [403, 404, 404]
    assert login.audit("api_token.created") == []


def test_who_came_by_one_organizations_provider_sees_that_one_alone(login: Login) -> None:
    ana = put_person(login.database)
    put_person(login.database, organization="beta")
    only = sign_in(login.database, ana, SignInMethod.OIDC, only=id_of(login.database, "beta"))

    found = own_organizations.list_all(login.database, visitor(login.database, only))
    everywhere = own_organizations.list_all(login.database, visitor(login.database, sign_in(login.database, ana)))

    assert [each.slug for each in found] == ["beta"]
    assert [each.slug for each in everywhere] == ["acme", "beta"]
