"""A directory as a whole: what is previewed is what happens, and nobody loses what no preview showed."""

import pytest

from scim_bridge.domain.directory_states import Step
from scim_bridge.domain.people import DirectoryKind, DirectoryState
from scim_bridge.domain.previews import Shift
from scim_bridge.errors import Conflict, Invalid, NotAuthenticated, Refused, Unavailable
from scim_bridge.identity import access, directories, directory_states, directory_tokens, grants, organizations
from scim_bridge.identity.callers import authenticate
from scim_bridge.identity.directory_states import Preview, carry_out, preview
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.provisioned import open_reading
from scim_bridge.store.database import Database
from tests.identity.provider import HANDS, Provider, actions, removals, rows, state_of
from tests.identity.rows import count, put_cluster


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect an identity provider that is pending, to an organization with a cluster."""
    put_cluster(database, "prod")
    made = directories.create(database, HANDS, "acme", "okta", DirectoryKind.OKTA, pending=True)
    assert made.token is not None
    with database.read() as connection:
        return Provider(database, authenticate(connection, made.token.text), made.token.text)


def bring_team(okta: Provider, name: str = "team", *people: str, role: str = "edit") -> str:
    """Bring a group with people, and grant it a role on every cluster."""
    users = [okta.post(person, emails=[{"value": person}]).id for person in people or ("ana@acme.example",)]
    group = okta.post_group(name, *users)
    grants.add(okta.database, HANDS, "acme", GrantWanted("organization", group=name, kubernetes_role=role))
    return group.id


def look(okta: Provider, step: Step = Step.ACTIVATE) -> Preview:
    return preview(okta.database, HANDS, "acme", "okta", step)


def do(okta: Provider, step: Step = Step.ACTIVATE, seen: str | None = None) -> Preview:
    return carry_out(okta.database, HANDS, "acme", "okta", step, seen or look(okta, step).hash)


def shown(shifts: tuple[Shift, ...]) -> dict[str, list[str]]:
    return {each.person: list(each.what) for each in shifts}


def state(okta: Provider) -> str:
    return str(rows(okta.database, "directory", name="okta")[0]["state"])


def has_access(okta: Provider, person: str) -> bool:
    made = access.explain(okta.database, HANDS, "acme", person)
    return any(each.role not in (None, "none") for each in made.clusters)


def test_what_a_pending_directory_brings_grants_nothing_until_it_is_activated(okta: Provider) -> None:
    bring_team(okta)

    before = has_access(okta, "ana@acme.example")
    do(okta)

    assert (before, has_access(okta, "ana@acme.example")) == (False, True)
    assert state(okta) == "active"


def test_the_preview_names_who_gains_what_down_to_the_cluster_and_writes_nothing(okta: Provider) -> None:
    bring_team(okta, "team", "ana@acme.example", "bob@acme.example")
    grants.add(okta.database, HANDS, "acme", GrantWanted("organization", group="team", api_role="viewer"))
    tables = ("directory", "audit_entry", "change_row", "fact", "removal_request")
    before = [rows(okta.database, table) for table in tables]

    seen = look(okta)

    gains = ["API role viewer at organization", "edit in cluster prod"]
    assert shown(seen.gains) == {"ana@acme.example": gains, "bob@acme.example": gains}
    assert (seen.loses, seen.users, seen.groups, seen.state) == ((), 2, 1, DirectoryState.PENDING)
    assert [rows(okta.database, table) for table in tables] == before


def test_whoever_has_it_already_is_not_shown_as_a_gain(okta: Provider) -> None:
    bring_team(okta)
    grants.add(
        okta.database, HANDS, "acme", GrantWanted("organization", person="ana@acme.example", kubernetes_role="edit")
    )

    assert look(okta).gains == ()


def test_a_preview_whose_base_has_changed_is_refused_with_the_new_one(okta: Provider) -> None:
    bring_team(okta)
    seen = look(okta).hash
    bring_team(okta, "more", "eve@acme.example")

    with pytest.raises(Conflict) as caught:
        do(okta, seen=seen)

    assert state(okta) == "pending"
    assert "eve@acme.example (edit in cluster prod)" in str(caught.value)
    assert look(okta).hash[:12] in str(caught.value)
    assert not has_access(okta, "ana@acme.example")


def test_a_change_that_changes_nobodys_access_spoils_no_preview(okta: Provider) -> None:
    bring_team(okta)
    seen = look(okta).hash
    okta.post("without-a-group@acme.example")

    do(okta, seen=seen[:12])

    assert state(okta) == "active"


@pytest.mark.parametrize("seen", ["0" * 12, "abc", "f" * 64])
def test_a_hash_that_nobody_was_shown_activates_nothing(okta: Provider, seen: str) -> None:
    with pytest.raises(Conflict):
        do(okta, seen=seen)

    assert state(okta) == "pending"


def test_who_would_lose_by_an_activation_is_shown_and_asked_for(okta: Provider) -> None:
    users = bring_team(okta, "team", "ana@acme.example")
    grants.add(
        okta.database, HANDS, "acme", GrantWanted("organization", person="ana@acme.example", kubernetes_role="edit")
    )
    grants.add(okta.database, HANDS, "acme", GrantWanted("cluster:prod", group="team", kubernetes_role="view"))

    done = do(okta)

    assert users
    assert shown(done.loses) == {"ana@acme.example": ["edit in cluster prod"]}
    assert shown(done.gains) == {"ana@acme.example": ["view in cluster prod"]}
    assert [cause for _, cause, _ in removals(okta.database)] == ["membership"]


def test_a_paused_directory_keeps_its_peoples_access_and_is_told_to_come_later(okta: Provider) -> None:
    bring_team(okta)
    do(okta)

    directory_states.pause(okta.database, HANDS, "acme", "okta")
    again = directory_states.pause(okta.database, HANDS, "acme", "okta")

    assert again.state is DirectoryState.PAUSED
    assert actions(okta.database).count("directory.paused") == 1
    assert has_access(okta, "ana@acme.example")
    with pytest.raises(Unavailable), open_reading(okta.database, okta.token):
        pass
    directory_states.resume(okta.database, HANDS, "acme", "okta")
    with open_reading(okta.database, okta.token) as reading:
        assert reading.caller.directory_name == "okta"


@pytest.mark.parametrize("step", [Step.DETACH, Step.PURGE])
def test_an_active_directory_is_not_purged_and_a_pending_one_not_detached(okta: Provider, step: Step) -> None:
    if step is Step.PURGE:
        do(okta)

    with pytest.raises(Conflict):
        look(okta, step)


def test_pausing_is_no_way_around_the_preview_of_an_activation(okta: Provider) -> None:
    for switch in (directory_states.pause, directory_states.resume):
        with pytest.raises(Conflict):
            switch(okta.database, HANDS, "acme", "okta")

    with pytest.raises(Invalid):
        preview(okta.database, HANDS, "acme", "okta", Step.RESUME)


def test_detaching_takes_nothing_away_and_ends_the_tokens(okta: Provider) -> None:
    bring_team(okta)
    do(okta)
    lost = directory_tokens.rotate(okta.database, HANDS, "acme", "okta")

    done = do(okta, Step.DETACH)

    assert (done.gains, done.loses) == ((), ())
    assert has_access(okta, "ana@acme.example")
    for token in (okta.token, lost.text):
        with pytest.raises(NotAuthenticated), open_reading(okta.database, token):
            pass
    assert actions(okta.database).count("directory_token.revoked") == 2
    assert removals(okta.database) == []


def test_a_detached_directory_is_over(okta: Provider) -> None:
    do(okta)
    do(okta, Step.DETACH)

    with pytest.raises(Conflict):
        directory_states.resume(okta.database, HANDS, "acme", "okta")
    with pytest.raises(Conflict, match="detached"):
        directories.create(okta.database, HANDS, "acme", "okta", DirectoryKind.OKTA)


@pytest.mark.parametrize("first", [Step.DETACH, Step.PAUSE])
def test_a_purge_takes_all_that_the_directory_brought_as_it_was_shown(okta: Provider, first: Step) -> None:
    bring_team(okta, "team", "ana@acme.example", "bob@acme.example")
    do(okta)
    if first is Step.PAUSE:
        directory_states.pause(okta.database, HANDS, "acme", "okta")
    else:
        do(okta, Step.DETACH)

    done = do(okta, Step.PURGE)

    assert shown(done.loses) == {name: ["edit in cluster prod"] for name in ("ana@acme.example", "bob@acme.example")}
    assert [row["removed_at"] for row in rows(okta.database, "scim_user") if row["removed_at"] is None] == []
    assert [row for row in rows(okta.database, "user_group") if row["removed_at"] is None] == []
    assert [row for row in rows(okta.database, "membership") if row["valid_to"] is None] == []
    assert [row for row in rows(okta.database, "access_grant") if row["valid_to"] is None] == []
    assert {row["state"] for row in rows(okta.database, "member")} == {"deactivated"}
    assert sorted(cause for _, cause, _ in removals(okta.database)) == ["deleted", "deleted"]
    assert actions(okta.database).count("user.deleted") == 2
    assert state(okta) == "detached"


def test_a_purge_touches_nothing_of_another_directory_and_nobody_it_did_not_bring(okta: Provider) -> None:
    bring_team(okta)
    do(okta)
    directory_states.pause(okta.database, HANDS, "acme", "okta")
    entra = Provider.connect(okta.database, "entra")
    other = entra.post("max@acme.example")
    kept = entra.post_group("other", other.id)
    grants.add(okta.database, HANDS, "acme", GrantWanted("organization", group="other", kubernetes_role="view"))

    do(okta, Step.PURGE)

    assert entra.members(kept.id) == {other.id}
    assert has_access(okta, "max@acme.example")
    assert state_of(okta.database, other.member_id).value == "active"


def test_a_purge_does_not_take_the_last_working_owner(okta: Provider) -> None:
    user = okta.post("ana@acme.example")
    do(okta)
    grants.add(okta.database, HANDS, "acme", GrantWanted("organization", person=user.member_id, api_role="owner"))
    directory_states.pause(okta.database, HANDS, "acme", "okta")

    with pytest.raises(Refused, match="owner"):
        look(okta, Step.PURGE)

    organizations.create(okta.database, HANDS, "acme", owner="eve@acme.example")
    assert shown(do(okta, Step.PURGE).loses) == {"ana@acme.example": ["API role owner at organization"]}


def test_every_step_is_audited_and_known_since_when(okta: Provider) -> None:
    do(okta)
    directory_states.pause(okta.database, HANDS, "acme", "okta")
    do(okta, Step.PURGE)

    steps = [action for action in actions(okta.database) if action.startswith("directory.")]
    assert steps == ["directory.created", "directory.activated", "directory.paused", "directory.purged"]
    facts = [row["value"] for row in rows(okta.database, "fact", attribute="state", noun="directory")]
    assert facts == ["pending", "active", "paused", "detached"]
    assert count(okta.database, "directory") == 1
