"""People who go through the rooms of access management with a real browser, and with one that runs no script."""

from typing import TYPE_CHECKING

import pytest

from scim_bridge.identity import grants, member_profiles
from tests.console.browsing import Visitor
from tests.console.letters import secret_of
from tests.console.world import PASSWORD, Console

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOMS = ("Members", "Groups", "Invitations", "Roles", "Permissions", "Rules", "Organization")
PEOPLE = {
    "owner": (ROOMS, {"Groups": "New group", "Roles": "New role", "Permissions": "Grant a role", "Rules": "New rule"}),
    "developer": (("Members", "Groups", "Roles", "Permissions", "Rules", "Organization"), {}),
    "viewer": (("Members", "Groups", "Roles", "Permissions", "Rules", "Organization"), {}),
}


@pytest.mark.parametrize("role", PEOPLE)
def test_each_sees_the_rooms_and_the_buttons_of_their_role(
    served_console: Console, chromium: "Browser", role: str
) -> None:
    rooms, buttons = PEOPLE[role]
    person = served_console.person("olga" if role == "owner" else f"journey-{role}", role)
    visitor = Visitor(served_console, chromium.new_context(reduced_motion="reduce"))
    visitor.sign_in(person.email, served_console.password_of(person))
    page = visitor.page

    for room in rooms:
        page.get_by_role("navigation", name="Main").get_by_role("link", name=room, exact=True).click()
        wanted = "Acme Corporation" if room == "Organization" else room
        assert page.get_by_role("heading", level=1).inner_text() == wanted
        found = [
            name for name in ("New group", "New role", "Grant a role", "New rule") if page.get_by_text(name).count()
        ]
        assert found == [buttons[room]] if room in buttons else found == []

    absent = [room for room in ROOMS if room not in rooms]
    assert [page.get_by_role("link", name=room, exact=True).count() for room in absent] == [0] * len(absent)
    assert visitor.complaints == []
    visitor.close()


def test_the_core_is_done_without_a_script(served_console: Console, chromium: "Browser") -> None:
    owner = served_console.person("olga")
    visitor = Visitor(served_console, chromium.new_context(java_script_enabled=False))
    visitor.sign_in(owner.email, served_console.password_of(owner))
    page, email = visitor.page, "noa@partner.example"

    visitor.go("/console/acme/invitations/new")
    page.get_by_label("E-mail addresses").fill(email)
    page.get_by_label("API role").select_option("viewer")
    page.get_by_role("button", name="Invite").click()
    assert f"{email} is invited" in page.get_by_role("status").inner_text()

    guest = Visitor(served_console, chromium.new_context(java_script_enabled=False))
    guest.go(f"/invitations/{secret_of(served_console, email)}")
    guest.page.get_by_label("How you are called").fill("Noa Adler")
    guest.page.get_by_role("button", name="Accept").click()
    guest.page.locator("input[type=password]").first.fill(PASSWORD)
    guest.page.locator("main button[type=submit], .sheet button[type=submit]").first.click()
    guest.sign_in(email, PASSWORD)
    assert guest.page.get_by_role("link", name="Grant a role").count() == 0

    visitor.go("/console/acme/grants/new")
    page.get_by_label("Person").fill(email)
    page.get_by_label("Where", exact=True).fill("cluster:prod-eu")
    page.get_by_label("Kubernetes role").select_option("edit")
    page.get_by_role("button", name="Grant").click()
    assert f"{email} has edit at cluster:prod-eu." in page.get_by_role("status").inner_text()

    guest.go("/console/acme/me")
    assert "prod-eu" in guest.page.locator("main").inner_text()
    assert "edit" in guest.page.locator("main").inner_text()

    member = member_profiles.show(served_console.database, "acme", email).member.id
    visitor.go(f"/console/acme/members/{member}/remove")
    assert "leaves" in page.locator("main").inner_text()
    page.get_by_role("button", name="Remove").click()
    guest.go("/console/acme/me")
    assert guest.page.get_by_text("Noa Adler").count() == 0 or "/login" in guest.page.url
    assert [each for each in grants.list_all(served_console.database, "acme") if each.holder == email] == []
    guest.close()
    visitor.close()
