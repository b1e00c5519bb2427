"""What browsers are told, and forms that nobody but our own pages can send."""

import shutil
from pathlib import Path

import pytest

from tests.fakes.oidc_provider import OpenIdProvider
from tests.login.world import Login, open_login

PAGES = ["/login", "/login/to/acme", "/logout/done", "/account/forgotten", "/login/callback", "/login/nowhere"]
FORMS = ["/login", "/login/password", "/login/second-factor", "/logout", "/account/password", "/account/forgotten"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_scripts_frames_caches_and_other_sites_forms(login: Login, path: str) -> None:
    answer = login.browser().get(path)

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Strict-Transport-Security"]
    assert "<script" not in answer.text
    assert " style=" not in answer.text


@pytest.mark.parametrize("path", FORMS)
def test_a_form_without_our_token_does_nothing(login: Login, path: str) -> None:
    browser = login.browser()
    browser.get("/login")

    answers = [browser.post(path, token=token).status_code for token in ("", "0" * 64)]

    assert answers == [403, 403]


def test_a_form_with_another_browsers_token_does_nothing(login: Login) -> None:
    victim, thief = login.browser(), login.browser()
    victim.get("/login")
    thief.get("/login")

    assert victim.post("/login", {"email": "a@acme.example"}, token=thief.token).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["origin", "null", "fetch metadata"],
)
def test_a_form_from_another_site_does_nothing_even_with_the_token(login: Login, headers: dict[str, str]) -> None:
    browser = login.browser()
    browser.get("/login")
    browser.headers = headers

    assert browser.post("/login", {"email": "a@acme.example"}).status_code == 403


def test_a_form_of_our_own_page_is_taken(login: Login) -> None:
    browser = login.browser()
    browser.get("/login")
    browser.headers = {"Origin": "https://bridge.example", "Sec-Fetch-Site": "same-origin"}

    answer = browser.post("/login", {"email": "a@acme.example"})

    assert answer.status_code == 200
    assert 'type="password"' in answer.text


def test_a_token_of_before_the_sign_in_is_worth_nothing_afterwards(login: Login) -> None:
    login.person()
    browser = login.browser()
    browser.get("/login")
    before = browser.token

    login.come(browser, login.add())

    assert browser.post("/logout", token=before).status_code == 403
    assert browser.is_signed_in()


def test_what_a_person_types_or_is_called_is_shown_as_text(login: Login) -> None:
    browser = login.browser()
    browser.get("/login")

    answer = browser.post("/login", {"email": '"><script>alert(1)</script>@acme.example'})

    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_a_providers_name_for_a_person_is_shown_as_text(login: Login) -> None:
    with_markup = "<img src=x onerror=alert(1)>"
    login.person(name=with_markup)
    browser = login.browser()

    login.come(browser, login.add())

    page = browser.get("/account").text
    assert with_markup not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_an_unknown_organization_looks_like_one_without_providers(login: Login) -> None:
    def page(slug: str) -> str:
        browser = login.browser()
        browser.get(f"/login/to/{slug}")
        return browser.page.replace(browser.token, "").replace(f"/login/to/{slug}", "")

    assert page("acme") == page("nowhere")


def test_over_plain_http_the_cookies_have_plain_names(migrated_sqlite: Path, tmp_path: Path) -> None:
    copied = shutil.copy(migrated_sqlite, tmp_path / "plain.sqlite3")
    with open_login(f"sqlite:///{copied}", tmp_path, OpenIdProvider(), base_url="http://127.0.0.1:8080") as at:
        answer = at.browser().get("/login")

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("scim-bridge-browser=")
    assert "HttpOnly" in cookie
    assert "Secure" not in cookie
    assert "Strict-Transport-Security" not in answer.headers


def test_who_is_not_signed_in_is_asked_to_and_brought_back(login: Login) -> None:
    answer = login.browser().get("/account")

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/login?return_to=%2Faccount"


def test_a_method_that_is_not_possible_is_answered_as_a_page(login: Login) -> None:
    answer = login.browser().client.delete("/login")

    assert answer.status_code == 405
    assert answer.mimetype == "text/html"
