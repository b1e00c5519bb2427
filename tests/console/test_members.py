"""The room of members: found, looked at, and moved between states, each step shown before it is taken."""

from html import unescape

import pytest

from scim_bridge.errors import NotFound
from scim_bridge.identity import member_profiles
from tests.console.world import Console
from tests.identity.signing_in import sign_in


def _state(console: Console, email: str) -> str:
    return member_profiles.show(console.database, "acme", email).member.state.value


def test_the_list_finds_filters_and_leads_to_a_profile(full_console: Console) -> None:
    browser = full_console.owner()

    everybody = browser.get("/console/acme/members").text
    found = browser.get("/console/acme/members?search=chi&state=active&source=scim&directory=okta").text
    nobody = browser.get("/console/acme/members?search=zzz").text

    assert "Ana García" in everybody
    assert ("Chidi Okafor" in found, "Ana García" in found) == (True, False)
    assert "Nobody is like that" in nobody


def test_the_list_goes_on_by_its_address(full_console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    from scim_bridge.console import members

    monkeypatch.setattr(members, "A_PAGE", 5)
    browser = full_console.owner()
    first = browser.get("/console/acme/members?source=scim").text

    href = unescape(first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0])
    second = browser.get("/console/acme/members" + href).text

    assert href.startswith("?source=scim&cursor=")
    assert ("Ana García" in first, "Ana García" in second) == (True, False)
    assert "First page" in second


def test_a_profile_shows_access_with_its_reason_groups_and_the_ways_in(full_console: Console) -> None:
    page = full_console.owner().get("/console/acme/members/ana.garc%C3%ADa@acme.example").text

    assert "group Platform admins" in page
    assert "directory okta" in page
    assert "Payments developers" in page
    assert "prod-eu" in page


def test_a_deactivation_is_shown_before_it_is_done(console: Console) -> None:
    person, browser = console.person("ana", "developer"), console.owner()
    sign_in(console.database, person)
    path = f"/console/acme/members/{person.member_id}/deactivate"

    asked = browser.get(path).text
    before = _state(console, person.email)
    browser.post(path)

    assert "One session ends with the next click." in asked
    assert "now they are developer" in asked
    assert (before, _state(console, person.email)) == ("active", "deactivated")


def test_somebody_deactivated_comes_back_with_what_they_had(console: Console) -> None:
    person, browser = console.person("ana", "developer"), console.owner()
    browser.post(f"/console/acme/members/{person.member_id}/deactivate")
    path = f"/console/acme/members/{person.member_id}/reactivate"

    asked = browser.get(path).text
    browser.post(path)

    assert "get back the roles and groups" in asked
    assert _state(console, person.email) == "active"


def test_somebody_removed_is_in_the_list_no_more(console: Console) -> None:
    person, browser = console.person("ana"), console.owner()

    answer = browser.post(f"/console/acme/members/{person.member_id}/remove")
    page = browser.get(answer.headers["Location"]).text

    assert "ana@example.com is no member any more." in page
    with pytest.raises(NotFound):
        _state(console, person.email)


def test_the_last_working_owner_is_not_deactivated_and_is_told_why(console: Console) -> None:
    olga = console.person("olga")

    answer = console.owner().post(f"/console/acme/members/{olga.member_id}/deactivate")

    assert answer.status_code == 403
    assert "owner" in answer.text
    assert _state(console, olga.email) == "active"


def test_roles_are_changed_by_a_form_and_a_mistake_is_marked(console: Console) -> None:
    person, browser = console.person("ana"), console.owner()
    path = f"/console/acme/members/{person.member_id}/roles"

    wrong = browser.post(path, {"api_role": "emperor"})
    nothing = browser.post(path, {})
    done = browser.post(path, {"api_role": "developer", "kubernetes_role": "view"})

    assert (wrong.status_code, nothing.status_code, done.status_code) == (422, 422, 303)
    assert 'aria-describedby="api_role-wrong"' in wrong.text
    assert "Say an API role, a Kubernetes role or both." in nothing.text
    assert "has now: developer, view." in browser.get(done.headers["Location"]).text


def test_an_admin_makes_nobody_an_owner(console: Console) -> None:
    person, browser = console.person("ana"), console.browser(console.person("adam", "admin"))
    browser.get("/console/acme")

    answer = browser.post(f"/console/acme/members/{person.member_id}/roles", {"api_role": "owner"})

    assert answer.status_code == 422
    assert "owners:manage" in answer.text
    assert member_profiles.show(console.database, "acme", person.email).access.api_roles == ()


def test_a_session_that_is_ended_here_opens_nothing_any_more(console: Console) -> None:
    person, owner = console.person("ana"), console.owner()
    browser = console.browser(person)
    page = owner.get(f"/console/acme/members/{person.member_id}").text
    path = page.partition("/sessions/")[2].partition("/end")[0]

    owner.post(f"/console/acme/members/{person.member_id}/sessions/{path}/end")

    assert browser.get("/console/acme").status_code in (303, 403)


def test_a_viewer_sees_members_and_no_button_that_changes_them(console: Console) -> None:
    person, viewer = console.person("ana"), console.browser(console.person("vera", "viewer"))

    page = viewer.get(f"/console/acme/members/{person.member_id}").text

    assert "ana@example.com" in page
    assert "/deactivate" not in page
    assert f"/members/{person.member_id}/roles" not in page


def test_the_search_finds_of_everything_what_one_may_see(full_console: Console) -> None:
    owner = full_console.owner()
    nobody = full_console.browser(full_console.person("nobody"))

    words = ("bram", "platform", "staging", "okt", "devel")
    pages = [owner.get(f"/console/acme/search?q={word}").text for word in words]
    hidden = [nobody.get(f"/console/acme/search?q={word}").text for word in words]

    expected = ("Bram de Vries", "Platform admins", "staging-eu", ">okta<", "developer")
    assert [word in page for word, page in zip(expected, pages, strict=True)] == [True] * 5
    assert ["Nothing is called so" in page for page in hidden] == [True] * 5
