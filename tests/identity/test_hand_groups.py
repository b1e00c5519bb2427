"""Groups made by hand: what they are called, who is in them and why, and what ends with them."""

from datetime import timedelta

import pytest
import time_machine

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.directory_states import Step
from scim_bridge.errors import BridgeError, Conflict, Invalid, NotFound, NotUnique, Refused
from scim_bridge.identity import access, directory_states, grants, group_lists, hand_groups, hand_members, organizations
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.group_lists import GroupQuery
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.people import HANDS, put_person, was_active
from tests.identity.provider import Provider, actions, removals, rows, state_of
from tests.identity.rows import count, put_cluster

CLUSTER = "cluster:prod-eu"


@pytest.fixture(autouse=True)
def world(database: Database, actor: Actor) -> None:
    """Give acme a cluster, a group that may edit on it, and two people."""
    put_cluster(database, "prod-eu")
    hand_groups.create(database, actor, "acme", "Team", "Those who pay")
    grants.add(database, actor, "acme", GrantWanted(CLUSTER, group="Team", kubernetes_role="edit"))
    put_person(database, "ana@x.example", "Ana Silva")
    put_person(database, "bob@x.example", "Bob Stone")


def _role(database: Database, person: str) -> str | None:
    return access.explain(database, HANDS, "acme", person).clusters[0].role


def _members(database: Database, group: str = "Team") -> list[str]:
    return [each.user_name for each in group_lists.members_page(database, "acme", group).members]


def test_a_group_is_made_renamed_and_described_and_keeps_its_grants(database: Database, actor: Actor) -> None:
    hand_members.add(database, actor, "acme", "Team", ["ana@x.example"])

    hand_groups.change(database, actor, "acme", "team", "Payments")
    hand_groups.change(database, actor, "acme", "Payments", None, "They pay", describing=True)
    hand_groups.change(database, actor, "acme", "Payments", None, "They pay", describing=True)

    shown = group_lists.show(database, "acme", "Payments")
    assert (shown.group.name, shown.group.description, shown.group.members) == ("Payments", "They pay", 1)
    assert (shown.read_only, _role(database, "ana@x.example")) == (None, "edit")
    assert actions(database).count("group.changed") == 3


def test_two_groups_by_hand_never_have_one_name_whatever_the_case(database: Database, actor: Actor) -> None:
    hand_groups.create(database, actor, "acme", "Other")

    with pytest.raises(NotUnique):
        hand_groups.create(database, actor, "acme", "TEAM")
    with pytest.raises(NotUnique):
        hand_groups.change(database, actor, "acme", "Other", "team")

    assert [each.name for each in group_lists.list_page(database, "acme", GroupQuery()).groups] == ["Other", "Team"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 129, "two\nlines", "nul\x00"])
def test_a_name_that_cannot_be_says_so(database: Database, actor: Actor, name: str) -> None:
    with pytest.raises(Invalid) as raised:
        hand_groups.create(database, actor, "acme", name)

    assert raised.value.field == "name"


def test_a_name_of_128_and_a_description_of_4096_characters_fit(database: Database, actor: Actor) -> None:
    made = hand_groups.create(database, actor, "acme", "é" * 128, "é" * 4096)

    assert (len(made.name), len(made.description or "")) == (128, 4096)
    with pytest.raises(Invalid) as raised:
        hand_groups.change(database, actor, "acme", made.id, None, "x" * 4097, describing=True)
    assert raised.value.field == "description"


def test_a_person_put_in_has_what_the_group_gives_and_loses_it_when_taken_out(database: Database, actor: Actor) -> None:
    ana = put_person(database, "carol@x.example")
    hand_members.add(database, actor, "acme", "Team", [ana])
    had = _role(database, ana)

    hand_members.remove(database, actor, "acme", "Team", ["carol@x.example"])

    assert (had, _role(database, ana)) == ("edit", None)
    assert [(who, why) for who, why, _ in removals(database)] == [(ana, "membership")]


def test_many_are_put_in_in_one_call_and_twice_changes_nothing(database: Database, actor: Actor) -> None:
    first = hand_members.add(database, actor, "acme", "Team", ["ana@x.example", "ANA@x.example", "bob@x.example"])
    before = count(database, "change_row")

    second = hand_members.add(database, actor, "acme", "Team", ["ana@x.example", "bob@x.example"])

    assert (len(first.changed), second.changed, len(second.unchanged)) == (2, (), 2)
    assert count(database, "change_row") == before
    assert sorted(_members(database)) == ["ana@x.example", "bob@x.example"]


def test_nobody_is_put_in_when_one_of_them_is_not_there(database: Database, actor: Actor) -> None:
    with pytest.raises(NotFound, match="no person 'zoe'"):
        hand_members.add(database, actor, "acme", "Team", ["ana@x.example", "zoe"])

    assert _members(database) == []


def test_what_a_search_finds_one_person_with_is_enough_to_add_them(database: Database, actor: Actor) -> None:
    hand_members.add(database, actor, "acme", "Team", ["silva"])
    put_person(database, "bob.two@x.example", "Bob Two")

    with pytest.raises(Conflict, match="say which"):
        hand_members.add(database, actor, "acme", "Team", ["bob"])

    assert _members(database) == ["ana@x.example"]


def test_state_last_activity_and_origin_of_everybody_are_seen_at_a_glance(database: Database, actor: Actor) -> None:
    ana = put_person(database, "dana@x.example")
    was_active(database, ana, now() - timedelta(days=3))
    hand_members.add(database, actor, "acme", "Team", [ana], "30d")

    (seen,) = group_lists.members_page(database, "acme", "Team").members

    assert (seen.user_name, seen.state) == ("dana@x.example", "active")
    assert seen.last_active_at is not None
    assert [origin.origin for origin in seen.origins] == ["manual"]
    assert seen.origins[0].expires_at is not None


def test_the_people_in_a_group_are_read_page_by_page(database: Database, actor: Actor) -> None:
    everybody = [put_person(database, f"p{number}@x.example") for number in range(5)]
    hand_members.add(database, actor, "acme", "Team", everybody)

    first = group_lists.members_page(database, "acme", "Team", 3)
    second = group_lists.members_page(database, "acme", "Team", 3, first.after)

    assert [each.id for each in (*first.members, *second.members)] == sorted(everybody)
    assert second.after is None


def test_a_membership_ends_by_itself_and_says_so(database: Database, actor: Actor) -> None:
    hand_members.add(database, actor, "acme", "Team", ["ana@x.example"], "2h")
    hand_members.add(database, actor, "acme", "Team", ["bob@x.example"])
    early = hand_members.end_expired_memberships(database)

    with time_machine.travel(now() + timedelta(hours=3)):
        gone_before = _role(database, "ana@x.example")
        ended = hand_members.end_expired_memberships(database)
        again = hand_members.end_expired_memberships(database)

    assert (early, gone_before, ended, again) == (0, None, 1, 0)
    assert _members(database) == ["bob@x.example"]
    assert [why for _, why, _ in removals(database)] == ["membership"]
    assert actions(database)[-1] == "group.membership_expired"


def test_another_end_takes_the_place_of_the_one_of_before(database: Database, actor: Actor) -> None:
    hand_members.add(database, actor, "acme", "Team", ["ana@x.example"], "2h")

    hand_members.add(database, actor, "acme", "Team", ["ana@x.example"])

    with time_machine.travel(now() + timedelta(hours=3)):
        assert hand_members.end_expired_memberships(database) == 0
        assert _role(database, "ana@x.example") == "edit"
    assert len(rows(database, "membership")) == 2


@pytest.mark.parametrize("expires", ["yesterday", "2001-01-01"])
def test_an_end_that_does_not_lie_ahead_is_refused(database: Database, actor: Actor, expires: str) -> None:
    with pytest.raises(Invalid) as raised:
        hand_members.add(database, actor, "acme", "Team", ["ana@x.example"], expires)

    assert raised.value.field == "expires"


def test_a_deleted_group_takes_what_it_gave_with_it(database: Database, actor: Actor) -> None:
    hand_members.add(database, actor, "acme", "Team", ["ana@x.example", "bob@x.example"])

    hand_groups.delete(database, actor, "acme", "Team")

    assert (_role(database, "ana@x.example"), grants.list_all(database, "acme")) == (None, [])
    assert sorted(why for _, why, _ in removals(database)) == ["membership", "membership"]
    with pytest.raises(NotFound):
        group_lists.show(database, "acme", "Team")


def test_a_group_in_a_group_gives_and_takes_with_it(database: Database, actor: Actor) -> None:
    hand_groups.create(database, actor, "acme", "Inner")
    hand_members.add(database, actor, "acme", "Inner", ["ana@x.example"])

    nested = hand_members.nest(database, actor, "acme", "Team", "Inner")
    again = hand_members.nest(database, actor, "acme", "Team", "Inner")
    had = _role(database, "ana@x.example")
    shown = group_lists.show(database, "acme", "Team")
    out = hand_members.unnest(database, actor, "acme", "Team", "Inner")

    assert (nested, again, had, out, _role(database, "ana@x.example")) == (True, False, "edit", True, None)
    assert [each.name for each in shown.contains] == ["Inner"]
    assert [why for _, why, _ in removals(database)] == ["membership"]
    assert hand_members.unnest(database, actor, "acme", "Team", "Inner") is False


def test_groups_that_contain_one_another_are_safe_but_none_contains_itself(database: Database, actor: Actor) -> None:
    hand_groups.create(database, actor, "acme", "Inner")
    hand_members.nest(database, actor, "acme", "Team", "Inner")
    hand_members.nest(database, actor, "acme", "Inner", "Team")
    hand_members.add(database, actor, "acme", "Inner", ["ana@x.example"])

    with pytest.raises(Invalid):
        hand_members.nest(database, actor, "acme", "Team", "Team")

    assert _role(database, "ana@x.example") == "edit"


def test_a_directorys_group_is_read_only_and_says_whose_it_is(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    dora = okta.post("dora@x.example")
    group = okta.post_group("Pushed", dora.id)
    attempts = (
        lambda: hand_groups.change(database, actor, "acme", "Pushed", "Mine"),
        lambda: hand_groups.change(database, actor, "acme", "Pushed", None, "Mine", describing=True),
        lambda: hand_groups.delete(database, actor, "acme", "Pushed"),
        lambda: hand_members.add(database, actor, "acme", "Pushed", ["ana@x.example"]),
        lambda: hand_members.remove(database, actor, "acme", "Pushed", ["dora@x.example"]),
        lambda: hand_members.nest(database, actor, "acme", "Pushed", "Team"),
        lambda: hand_members.unnest(database, actor, "acme", "Pushed", "Team"),
    )

    for attempt in attempts:
        with pytest.raises(Refused, match="belongs to the directory okta"):
            attempt()

    shown = group_lists.show(database, "acme", "Pushed")
    assert (shown.group.directory, shown.read_only is not None, okta.members(group.id)) == ("okta", True, {dora.id})


def test_a_directorys_group_may_be_nested_in_one_made_by_hand(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    dora = okta.post("dora@x.example")
    okta.post_group("Pushed", dora.id)

    hand_members.nest(database, actor, "acme", "Team", "Pushed")
    okta.patch(dora.id, active=False)

    assert _role(database, dora.member_id) is None
    okta.patch(dora.id, active=True)
    assert (state_of(database, dora.member_id), _role(database, dora.member_id)) == ("active", "edit")


def test_what_a_detached_directory_left_behind_is_changed_by_hand(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    dora = okta.post("dora@x.example")
    okta.post_group("Pushed", dora.id)
    grants.add(database, actor, "acme", GrantWanted(CLUSTER, group="Pushed", kubernetes_role="edit"))
    seen = directory_states.preview(database, actor, "acme", "okta", Step.DETACH)
    directory_states.carry_out(database, actor, "acme", "okta", Step.DETACH, seen.hash)

    hand_members.add(database, actor, "acme", "Pushed", ["ana@x.example"])
    hand_members.remove(database, actor, "acme", "Pushed", ["dora@x.example"])

    assert _members(database, "Pushed") == ["ana@x.example"]
    assert (_role(database, "ana@x.example"), _role(database, "dora@x.example")) == ("edit", None)


def test_groups_are_listed_by_name_searched_and_told_apart_by_owner(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    okta.post_group("Alpha team")
    hand_groups.create(database, actor, "acme", "50%_off")

    def names(**asked: object) -> list[str]:
        page = group_lists.list_page(database, "acme", GroupQuery(**asked))  # type: ignore[arg-type]
        return [each.name for each in page.groups]

    assert sorted(names()) == ["50%_off", "Alpha team", "Team"]
    assert sorted(names(search="TEAM")) == ["Alpha team", "Team"]
    assert names(search="%") == ["50%_off"]
    assert names(directory="okta") == ["Alpha team"]
    assert sorted(names(by_hand=True)) == ["50%_off", "Team"]


def test_groups_are_read_page_by_page(database: Database, actor: Actor) -> None:
    for number in range(4):
        hand_groups.create(database, actor, "acme", f"g{number}")

    first = group_lists.list_page(database, "acme", GroupQuery(search="g"), 3)
    second = group_lists.list_page(database, "acme", GroupQuery(search="g"), 3, first.after)

    assert [each.name for each in first.groups] == ["g0", "g1", "g2"]
    assert ([each.name for each in second.groups], second.after) == (["g3"], None)


@pytest.mark.parametrize(("named", "error"), [([], Invalid), ([f"p{n}" for n in range(1001)], Invalid)])
def test_nobody_and_too_many_are_refused(
    database: Database, actor: Actor, named: list[str], error: type[BridgeError]
) -> None:
    with pytest.raises(error):
        hand_members.add(database, actor, "acme", "Team", named)


def test_another_organizations_group_and_people_are_not_there(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    theirs = hand_groups.create(database, actor, "globex", "Theirs")
    eve = put_person(database, "eve@x.example", slug="globex")

    with pytest.raises(NotFound):
        hand_members.add(database, actor, "acme", theirs.id, ["ana@x.example"])
    with pytest.raises(NotFound):
        hand_members.add(database, actor, "acme", "Team", [eve])
    with pytest.raises(NotFound):
        hand_groups.delete(database, actor, "acme", theirs.id)
    with pytest.raises(NotFound):
        hand_members.nest(database, actor, "acme", "Team", theirs.id)
