"""People who wait to join, and what somebody takes home."""

import yaml

from scim_bridge.identity import joiners, member_profiles
from scim_bridge.store.joiners import Joiner
from tests.console.world import Console
from tests.login.conftest import login as login
from tests.login.conftest import provider as provider
from tests.login.world import Browser, Login


def _waiting(login: Login) -> Joiner:
    login.provider.person = {"sub": "00u1", "email": "kofi@acme.example"}
    login.come(login.browser(), login.add(join_at_login="pending"))
    [found] = joiners.list_all(login.database, "acme")
    return found


def _owner(login: Login) -> Browser:
    console = Console(login.app, login.runtime)
    browser = console.browser(console.person("olga", "owner"))
    browser.get("/console/acme")
    return browser


def test_who_waits_is_let_in_without_any_role(login: Login) -> None:
    waits, browser = _waiting(login), _owner(login)

    listed = browser.get("/console/acme/joiners").text
    browser.post(f"/console/acme/joiners/{waits.member_id}/approve")

    profile = member_profiles.show(login.database, "acme", waits.member_id)
    assert waits.user_name in listed
    assert (profile.member.state.value, profile.access.api_roles) == ("active", ())
    assert joiners.list_all(login.database, "acme") == []


def test_who_is_kept_out_waits_no_more(login: Login) -> None:
    waits, browser = _waiting(login), _owner(login)

    answer = browser.post(f"/console/acme/joiners/{waits.member_id}/refuse")

    assert "stays out" in browser.get(answer.headers["Location"]).text
    assert joiners.list_all(login.database, "acme") == []


def test_a_kubeconfig_names_the_clusters_on_which_somebody_has_access(full_console: Console) -> None:
    browser = full_console.owner()

    shown = browser.get("/console/acme/me").text
    found = yaml.safe_load(browser.get("/console/acme/me/kubeconfig").text)

    assert "Download my kubeconfig" in shown
    assert [each["cluster"]["server"] for each in found["clusters"]] == ["https://prod-eu.example:6443"]
