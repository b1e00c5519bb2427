"""What all screens share: the way in, the menu, notices, light and dark, and addresses that lead nowhere else."""

import pytest

from scim_bridge.console import notices
from scim_bridge.identity import member_states
from tests.console.world import Console
from tests.identity.signing_in import TERMINAL


def test_who_has_one_organization_is_led_into_it_and_can_still_look_at_the_choice(console: Console) -> None:
    browser = console.owner()

    led = browser.get("/console/")
    asked = browser.get("/console/?choose=1")

    assert (led.status_code, led.headers["Location"]) == (303, "/console/acme")
    assert 'href="/console/acme"' in asked.text


def test_who_has_several_chooses_and_sees_none_of_the_others(console: Console) -> None:
    person = console.person("ana")
    console.person("ana", organization="beta")
    console.person("boss", "owner", "gamma")

    page = console.browser(person).get("/console/")

    assert 'href="/console/acme"' in page.text
    assert 'href="/console/beta"' in page.text
    assert "gamma" not in page.text


def test_who_is_nowhere_is_told_what_to_do(console: Console) -> None:
    person = console.person("ana")
    browser = console.browser(person)
    member_states.remove(console.database, TERMINAL, "acme", person.member_id)

    assert "Ask an admin of your organization for an invitation" in browser.get("/console/").text


def test_a_deactivation_is_felt_at_the_next_click(console: Console) -> None:
    person = console.person("ana")
    browser = console.browser(person)
    before = browser.get("/console/acme").status_code

    member_states.deactivate(console.database, TERMINAL, "acme", person.member_id)

    assert (before, browser.get("/console/acme").status_code) == (200, 404)


def test_the_menu_shows_what_is_open_to_the_visitor_and_where_they_are(full_console: Console) -> None:
    owner, nobody = full_console.owner(), full_console.browser(full_console.person("nobody"))

    shown, hidden = owner.get("/console/acme/members"), nobody.get("/console/acme")

    assert '<a class="place" href="/console/acme/members" aria-current="page">' in shown.text
    assert "/console/acme/members" not in hidden.text
    assert "/console/acme/me" in hidden.text


def test_what_a_form_did_is_told_once(console: Console) -> None:
    browser, person = console.owner(), console.person("ana")
    answer = browser.post(f"/console/acme/members/{person.member_id}/deactivate")

    first, second = (browser.get(answer.headers["Location"]).text for _ in range(2))

    assert answer.status_code == 303
    assert "ana@example.com is deactivated" in first
    assert "ana@example.com is deactivated: all" not in second


def test_nobody_else_puts_words_into_a_notice(console: Console) -> None:
    browser, thief = console.owner(), console.owner()
    person = console.person("ana")
    thief.post(f"/console/acme/members/{person.member_id}/deactivate")
    stolen = thief.cookie(notices.COOKIE)
    assert stolen is not None

    seen = []
    for text in (stolen, "aGVsbG8=.00", "...", "%%"):
        browser.client.set_cookie("__Host-scim-bridge-notice", text, domain="localhost", secure=True)
        seen.append('role="status"' in browser.get("/console/acme").text)

    assert seen == [False, False, False, False]


def test_light_or_dark_is_chosen_without_a_script_and_stays(full_console: Console) -> None:
    browser = full_console.owner()

    answer = browser.post("/appearance", {"appearance": "dark", "return_to": "/console/acme/members?state=active"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/acme/members?state=active")
    assert '<html lang="en" data-appearance="dark">' in browser.get("/console/acme").text
    assert '<html lang="en" data-appearance="dark">' in browser.get("/account").text


@pytest.mark.parametrize("value", ["", "purple", '"><script>'])
def test_an_appearance_that_there_is_not_changes_nothing(full_console: Console, value: str) -> None:
    browser = full_console.owner()

    browser.post("/appearance", {"appearance": value})

    assert '<html lang="en" data-appearance="auto">' in browser.get("/console/acme").text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX-Evil: 1"]
)
def test_no_form_leads_to_another_site_or_writes_a_header(full_console: Console, target: str) -> None:
    browser = full_console.owner()

    answer = browser.post("/appearance", {"appearance": "dark", "return_to": target})

    assert answer.headers["Location"] == "/console/"
    assert "X-Evil" not in answer.headers


def test_the_choice_of_light_or_dark_is_no_ones_but_the_browsers_own(full_console: Console) -> None:
    browser = full_console.owner()

    assert browser.post("/appearance", {"appearance": "dark"}, token="0" * 64).status_code == 403


def test_who_did_not_come_in_as_the_organization_asks_is_told_how_to(console: Console) -> None:
    from scim_bridge.domain.sessions import PolicyWanted
    from scim_bridge.identity import policies

    browser = console.browser(console.person("ana"))
    policies.change(console.database, TERMINAL, "acme", PolicyWanted(two_factor_required=True))

    answer = browser.get("/console/acme")

    assert answer.status_code == 403
    assert "This organization asks for a second factor." in answer.text
    assert "/login?again=1&amp;return_to=/console/acme" in answer.text


@pytest.mark.parametrize("path", ["/console/acme/members?cursor=nonsense", "/console/acme/members?state=x%00y"])
def test_an_address_that_makes_no_sense_is_said_to(full_console: Console, path: str) -> None:
    answer = full_console.owner().get(path)

    assert answer.status_code == 422
    assert "That did not work" in answer.text


def test_assets_are_ours_are_kept_and_change_their_address_with_their_contents(full_console: Console) -> None:
    browser = full_console.owner()
    page = browser.get("/console/acme").text
    addresses = [part.partition('"')[0] for part in page.split('href="/')[1:] if ".css" in part.partition('"')[0]]

    answers = [browser.client.get(f"/{each}") for each in addresses]

    assert len(answers) == 2
    assert "://" not in "".join(part.partition(">")[0] for part in page.split("<link")[1:])
    assert all(each.status_code == 200 and "?v=" in where for each, where in zip(answers, addresses, strict=True))
    assert all("max-age=31536000" in each.headers["Cache-Control"] for each in answers)
