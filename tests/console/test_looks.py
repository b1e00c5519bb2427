"""How every screen looks in a real browser: legible to everybody, in light and dark, on a phone, without complaints."""

import pytest

from scim_bridge.console.screens import Screen
from tests.console.browsing import Visitor, assert_accessible, assert_fits_a_phone, keep_picture
from tests.console.world import name_of, screens


@pytest.mark.parametrize("screen", [each for each in screens("GET") if not each.is_file], ids=name_of)
def test_a_screen_is_accessible_fits_a_phone_and_breaks_no_policy(owner_page: Visitor, screen: Screen) -> None:
    owner_page.complaints.clear()

    page = owner_page.go(owner_page.console.path(screen, real=True) + "?choose=1")

    assert_accessible(page)
    assert_fits_a_phone(page)
    assert owner_page.complaints == []
    keep_picture(page, screen.name.replace(".", "-").replace("_", "-"))


def test_an_answer_of_the_access_explorer_is_a_picture_of_a_chain(owner_page: Visitor) -> None:
    page = owner_page.go("/console/acme/access?person=ana.garc%C3%ADa@acme.example")

    assert_accessible(page)
    assert_fits_a_phone(page)
    keep_picture(page, "explorer-answer")


@pytest.mark.parametrize(
    "path", ["/login?again=1", "/login/to/acme", "/account", "/account/forgotten", "/console/nowhere"]
)
def test_pages_outside_the_frame_look_the_same(owner_page: Visitor, path: str) -> None:
    page = owner_page.go(path)

    assert_accessible(page)
    assert_fits_a_phone(page)
    keep_picture(page, path.partition("?")[0].strip("/").replace("/", "-"))
