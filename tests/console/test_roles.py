"""The rooms of roles and permissions: what roles allow, who holds it, and what is granted where, until when."""

from scim_bridge.identity import grants, hand_groups, hand_members, roles, tree
from scim_bridge.identity.grants import GrantWanted
from tests.console.world import Console
from tests.identity import rows
from tests.identity.signing_in import TERMINAL

ROLES = "/console/acme/roles"
GRANTS = "/console/acme/grants"


def test_the_grid_says_which_role_allows_what_and_who_holds_it(full_console: Console) -> None:
    browser = full_console.owner()

    grid = browser.get(ROLES + "?search=members:invite").text
    holders = browser.get(ROLES + "/holders/owners:manage").text

    assert ("members:invite" in grid, "clusters:read" in grid) == (True, False)
    assert "olga@example.com" in holders
    assert browser.get(ROLES + "/holders/nothing:at-all").status_code == 404


def test_a_role_is_made_changed_and_ended_and_a_granted_one_stays(console: Console) -> None:
    browser, named = console.owner(), (console.database, TERMINAL, "acme")
    wrong = browser.post(ROLES + "/custom/new", {"name": "reader"})
    taken = browser.post(ROLES + "/custom/new", {"name": "viewer", "permissions": "org:read"})
    browser.post(ROLES + "/custom/new", {"name": "reader", "permissions": "org:read"})
    grants.add(*named, GrantWanted("organization", person=console.person("ana").email, api_role="reader"))

    changed = browser.post(ROLES + "/reader/edit", {"permissions": "members:read"})
    page = browser.get(changed.headers["Location"]).text
    granted = browser.post(ROLES + "/reader/delete")
    grants.remove(*named, GrantWanted("organization", person=console.person("ana").email, api_role="reader"))
    ended = browser.post(ROLES + "/reader/delete")

    assert (wrong.status_code, taken.status_code) == (422, 422)
    assert 'href="#permissions"' in wrong.text
    assert "It holds at once at organization." in page
    assert ("<code>members:read</code>" in page, "<code>org:read</code>" in page) == (True, False)
    assert (granted.status_code, ended.status_code) == (409, 303)
    assert "reader" not in {each.name for each in roles.list_all(console.database, "acme")}
    assert browser.post(ROLES + "/viewer/delete").status_code == 403


def test_a_grant_is_given_at_a_place_for_a_time_and_a_mistake_is_marked(console: Console) -> None:
    browser, person = console.owner(), console.person("ana")
    tree.create_unit(console.database, TERMINAL, "acme", "production")
    right = {"person": person.email, "scope": "unit:production", "api_role": "developer", "expires": "30d"}

    wrong = [
        browser.post(GRANTS + "/new", {**right, "person": "zed@nowhere.example"}),
        browser.post(GRANTS + "/new", {**right, "group": "Both"}),
        browser.post(GRANTS + "/new", {**right, "api_role": ""}),
        browser.post(GRANTS + "/new", {**right, "scope": "unit:nowhere"}),
    ]
    made = browser.post(GRANTS + "/new", right)
    page = browser.get(made.headers["Location"]).text

    assert [each.status_code for each in wrong] == [422] * 4
    assert "ana@example.com has developer at unit:production." in page
    assert "in 4 weeks" in page
    assert len([each for each in grants.list_all(console.database, "acme") if each.holder == person.email]) == 1


def test_what_a_grant_gives_is_named_before_it_is_taken_away(console: Console) -> None:
    rows.put_cluster(console.database, "prod")
    named, browser = (console.database, TERMINAL, "acme"), console.owner()
    group = hand_groups.create(*named, "Platform", None).id
    hand_members.add(*named, group, [console.person("ana").email])
    grant = grants.add(*named, GrantWanted("organization", group=group, kubernetes_role="edit"))

    asked = browser.get(f"{GRANTS}/{grant.id}/revoke").text
    before = len(grants.list_of_group(console.database, "acme", group))
    done = browser.post(f"{GRANTS}/{grant.id}/revoke")

    assert "One person loses access" in asked
    assert "edit in cluster prod" in asked
    assert before == 1
    assert "Platform has edit at organization no more by hand." in browser.get(done.headers["Location"]).text
    assert grants.list_of_group(console.database, "acme", group) == []


def test_the_last_owner_stays_one_and_an_admin_grants_nothing_above_them(console: Console) -> None:
    owner = next(each for each in grants.list_all(console.database, "acme") if each.api_role == "owner")
    admin = console.browser(console.person("adam", "admin"))
    admin.get("/console/acme")

    last = console.owner().post(f"{GRANTS}/{owner.id}/revoke")
    above = admin.post(GRANTS + "/new", {"person": "adam@example.com", "scope": "organization", "api_role": "owner"})

    assert (last.status_code, above.status_code) == (403, 422)
    assert [each.holder for each in grants.list_all(console.database, "acme") if each.api_role == "owner"] == [
        "olga@example.com"
    ]


def test_whoever_governs_one_unit_grants_there_and_nowhere_else(console: Console) -> None:
    tree.create_unit(console.database, TERMINAL, "acme", "production")
    person, wanted = console.person("uma"), {"person": "ana@example.com", "api_role": "viewer"}
    console.person("ana")
    grants.add(
        console.database, TERMINAL, "acme", GrantWanted("unit:production", person=person.email, api_role="admin")
    )
    browser = console.browser(person)
    browser.get("/console/acme")

    here = browser.post(GRANTS + "/new", {**wanted, "scope": "unit:production"})
    above = browser.post(GRANTS + "/new", {**wanted, "scope": "organization"})

    assert (here.status_code, above.status_code) == (303, 422)
