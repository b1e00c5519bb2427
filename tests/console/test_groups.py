"""The room of groups: found, made, filled, nested and ended; what somebody would lose is shown before they do."""

import pytest

from scim_bridge.errors import NotFound
from scim_bridge.identity import grants, group_lists, hand_groups, hand_members
from scim_bridge.identity.grants import GrantWanted
from tests.console.world import Console
from tests.identity import rows
from tests.identity.signing_in import TERMINAL

GROUPS = "/console/acme/groups"


def _group(console: Console, name: str = "Platform") -> str:
    """Return a group that may edit everywhere, on one cluster, with Ana in it."""
    named = (console.database, TERMINAL, "acme")
    made = hand_groups.create(*named, name, None)
    grants.add(*named, GrantWanted("organization", group=made.id, api_role="developer", kubernetes_role="edit"))
    hand_members.add(*named, made.id, [console.person("ana").email])
    return made.id


def _members(console: Console, group: str) -> list[str]:
    return [each.user_name for each in group_lists.members_page(console.database, "acme", group).members]


def test_the_list_tells_whose_a_group_is_and_finds_it(full_console: Console) -> None:
    browser = full_console.owner()

    everything = browser.get(GROUPS).text
    found = browser.get(GROUPS + "?owner=okta&search=plat").text
    by_hand = browser.get(GROUPS + "?owner=hand").text

    assert "Release managers" in everything
    assert ("Platform admins" in found, "Release managers" in found) == (True, False)
    assert ("Platform admins" in by_hand, "Release managers" in by_hand) == (False, True)


def test_a_directorys_group_says_why_it_is_read_only_and_refuses(full_console: Console) -> None:
    browser = full_console.owner()
    found = group_lists.list_page(full_console.database, "acme", group_lists.GroupQuery("Platform admins")).groups[0]
    path = f"{GROUPS}/{found.id}"

    shown = browser.get(path).text
    answers = [
        browser.post(path + "/members/add", {"members": "elif.yılmaz@acme.example"}),
        browser.post(path + "/edit", {"name": "Ours"}),
        browser.get(path + "/delete"),
        browser.post(path + "/delete"),
    ]

    assert "It belongs to the directory okta, which alone says what is in it." in shown
    assert "Add people" not in shown
    assert [each.status_code for each in answers] == [422, 422, 403, 403]
    assert all("belongs to the directory okta" in each.text for each in answers)


def test_a_group_is_made_renamed_and_filled_for_a_time(console: Console) -> None:
    browser, person = console.owner(), console.person("ana")
    wrong = browser.post(GROUPS + "/new", {"name": " "})
    made = browser.post(GROUPS + "/new", {"name": "On call", "description": "Whoever is awake"})
    path = made.headers["Location"]

    browser.post(path + "/edit", {"name": "Night watch", "description": "Whoever is awake"})
    added = browser.post(path + "/members/add", {"members": f"{person.email},\n", "expires": "30d"})
    page = browser.get(added.headers["Location"]).text

    assert wrong.status_code == 422
    assert 'aria-describedby="name-wrong"' in wrong.text
    assert "One person is in now." in page
    assert "Night watch" in page
    assert "in 4 weeks" in page


def test_whoever_cannot_be_found_is_told_and_nobody_is_added(console: Console) -> None:
    browser, group = console.owner(), _group(console)
    path = f"{GROUPS}/{group}/members/add"
    olga = console.person("olga").email

    answers = [
        browser.post(path, {"members": f"{olga}\nzed@nowhere.example"}),
        browser.post(path, {"members": olga, "expires": "someday"}),
        browser.post(path, {"members": ""}),
    ]

    assert [each.status_code for each in answers] == [422, 422, 422]
    assert "zed@nowhere.example" in answers[0].text
    assert _members(console, group) == ["ana@example.com"]


def test_what_a_membership_gives_is_named_before_it_is_taken(console: Console) -> None:
    rows.put_cluster(console.database, "prod")
    browser, group, person = console.owner(), _group(console), console.person("ana")
    path = f"{GROUPS}/{group}/members/{person.member_id}/remove"

    asked = browser.get(path).text
    before = _members(console, group)
    done = browser.post(path)

    assert "One person loses access" in asked
    assert "API role developer at organization" in asked
    assert "edit in cluster prod" in asked
    assert before == ["ana@example.com"]
    assert "They are in Platform no more." in browser.get(done.headers["Location"]).text
    assert _members(console, group) == []


def test_somebody_who_has_it_by_another_way_too_is_not_said_to_lose_it(console: Console) -> None:
    browser, group, person = console.owner(), _group(console), console.person("ana")
    twin = _group(console, "Twins")

    asked = browser.get(f"{GROUPS}/{group}/members/{person.member_id}/remove").text
    browser.post(f"{GROUPS}/{group}/members/{person.member_id}/remove")

    assert "loses access" not in asked
    assert _members(console, twin) == ["ana@example.com"]


def test_a_group_in_a_group_is_put_in_and_its_people_lose_what_they_had_by_it(console: Console) -> None:
    browser, outer = console.owner(), _group(console)
    inner = hand_groups.create(console.database, TERMINAL, "acme", "Guests", None).id
    hand_members.add(console.database, TERMINAL, "acme", inner, [console.person("bo").email])

    itself = browser.post(f"{GROUPS}/{outer}/groups/add", {"child": "Platform"})
    nobody = browser.post(f"{GROUPS}/{outer}/groups/add", {"child": "Nobody's"})
    put = browser.post(f"{GROUPS}/{outer}/groups/add", {"child": "Guests"})
    shown = browser.get(put.headers["Location"]).text
    asked = browser.get(f"{GROUPS}/{outer}/groups/{inner}/remove").text
    browser.post(f"{GROUPS}/{outer}/groups/{inner}/remove")

    assert (itself.status_code, nobody.status_code) == (422, 422)
    assert 'aria-describedby="child-wrong"' in itself.text
    assert "Guests" in shown
    assert "bo@example.com" in asked
    assert group_lists.show(console.database, "acme", outer).contains == ()


def test_a_group_ends_after_it_was_said_what_that_takes(console: Console) -> None:
    browser, group = console.owner(), _group(console)

    asked = browser.get(f"{GROUPS}/{group}/delete").text
    there = group_lists.show(console.database, "acme", group).group.name
    done = browser.post(f"{GROUPS}/{group}/delete")

    assert "ana@example.com" in asked
    assert "What is granted to it at organization ends." in asked
    assert there == "Platform"
    assert "The group Platform is gone." in browser.get(done.headers["Location"]).text
    with pytest.raises(NotFound):
        group_lists.show(console.database, "acme", group)


def test_nobody_puts_somebody_in_who_does_not_hold_what_the_group_gives(console: Console) -> None:
    named = (console.database, TERMINAL, "acme")
    group = hand_groups.create(*named, "Masters", None).id
    grants.add(*named, GrantWanted("organization", group=group, kubernetes_role="cluster-admin"))
    from scim_bridge.identity import roles

    roles.put(*named, "grouper", ["members:read", "org:read", "organization:groups:write"])
    browser = console.browser(console.person("gus", "grouper"))
    browser.get("/console/acme")

    answer = browser.post(f"{GROUPS}/{group}/members/add", {"members": "gus@example.com"})

    assert answer.status_code == 422
    assert _members(console, group) == []
