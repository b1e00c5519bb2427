"""
What holds for every screen, read off the declarations: a screen that is added later is in here by itself.

Nobody at all is led to the sign-in page, another organization's owner gets 404, whoever lacks the permission is told
which one it is.
"""

import re

import pytest
from werkzeug.test import TestResponse

from scim_bridge.console.menu import SECTIONS
from scim_bridge.console.screens import IN_ORGANIZATION, Screen
from scim_bridge.identity.catalogue import built_in
from tests.console.world import HOSTILE, Console, name_of, screens
from tests.login.world import Browser

ALL = screens()
SHOWN = screens("GET")
SENT = screens("POST")
INSIDE = [each for each in ALL if each.path.startswith(IN_ORGANIZATION)]
GUARDED = [each for each in INSIDE if each.permission is not None]
# A member needs no permission for what is theirs; these are all such forms.
OWN: set[str] = set()


def _open(browser: Browser, screen: Screen, path: str) -> TestResponse:
    if screen.method == "GET":
        return browser.get(path)
    browser.get("/account")
    return browser.post(path)


@pytest.mark.parametrize("screen", SHOWN, ids=name_of)
def test_who_is_not_signed_in_is_asked_to_and_brought_back(full_console: Console, screen: Screen) -> None:
    path = full_console.path(screen)

    answer = full_console.browser().get(path)

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/login?return_to={path.replace('/', '%2F')}"


@pytest.mark.parametrize("screen", SENT, ids=name_of)
def test_a_form_of_nobody_does_nothing(full_console: Console, screen: Screen) -> None:
    browser = full_console.browser()
    browser.get("/login")

    assert browser.post(full_console.path(screen)).status_code == 403


@pytest.mark.parametrize("screen", SENT, ids=name_of)
def test_a_form_without_our_token_does_nothing(full_console: Console, screen: Screen) -> None:
    path = full_console.path(screen)

    answers = [full_console.owner().post(path, token=token).status_code for token in ("", "0" * 64)]

    assert answers == [403, 403]


@pytest.mark.parametrize("screen", INSIDE, ids=name_of)
def test_another_organizations_owner_sees_nothing(full_console: Console, screen: Screen) -> None:
    browser = full_console.browser(full_console.person("boss", "owner", "evil"))

    there = _open(browser, screen, full_console.path(screen, "acme"))
    nowhere = _open(browser, screen, full_console.path(screen, "nowhere"))

    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert "Acme Corporation" not in there.text


@pytest.mark.parametrize("screen", GUARDED, ids=name_of)
def test_whoever_lacks_the_permission_is_told_which_one(full_console: Console, screen: Screen) -> None:
    browser = full_console.browser(full_console.person("nobody"))

    answer = _open(browser, screen, full_console.path(screen))

    assert answer.status_code == 403
    assert f"<code data-value>{screen.permission}</code>" in answer.text


@pytest.mark.parametrize("screen", SENT, ids=name_of)
def test_a_form_about_what_is_not_there_is_404_or_marked(full_console: Console, screen: Screen) -> None:
    answer = _open(full_console.owner(), screen, full_console.path(screen))

    assert answer.status_code in (404, 422)


@pytest.mark.parametrize("screen", SHOWN, ids=name_of)
def test_the_owner_sees_it_with_every_hostile_name_as_text_and_no_code_inside(
    full_console: Console, screen: Screen
) -> None:
    answer = full_console.owner().get(full_console.path(screen, real=True) + "?choose=1")

    assert answer.status_code == 200, answer.text
    if screen.is_file:
        # No browser shows a file as a page of ours, whatever is in it.
        assert answer.headers["Content-Disposition"].startswith("attachment")
        return
    assert HOSTILE not in answer.text
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert re.search(r"<script(?! src=\"/assets/)", answer.text) is None
    assert re.search(r"<[a-z][^>]*\s(style|on[a-z]+)=", answer.text) is None


@pytest.mark.parametrize("screen", SHOWN, ids=name_of)
def test_every_page_forbids_frames_caches_and_whatever_is_not_ours(full_console: Console, screen: Screen) -> None:
    answer = full_console.owner().get(full_console.path(screen, real=True))

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("screen", GUARDED, ids=name_of)
def test_a_screen_names_a_permission_of_the_catalogue(screen: Screen) -> None:
    assert screen.permission in built_in().descriptions


@pytest.mark.parametrize("screen", [each for each in INSIDE if each.method == "POST"], ids=name_of)
def test_every_form_that_changes_something_is_guarded_or_about_oneself(screen: Screen) -> None:
    assert screen.permission is not None or screen.path.removeprefix(IN_ORGANIZATION) in OWN


def test_every_screen_of_the_menu_has_its_place_in_a_section() -> None:
    placed = {room.name for _, rooms in SECTIONS for room in rooms}

    assert {each.room for each in ALL if each.in_menu} <= placed


def test_no_two_screens_have_one_name() -> None:
    names = [each.name for each in ALL]

    assert len(names) == len(set(names))
