"""An organization as a whole: renamed, set up, and deleted only when nothing is left that somebody could miss."""

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.directory_states import Step
from scim_bridge.domain.people import DirectoryKind, MemberState
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.errors import Conflict, Invalid, NotAuthenticated, NotFound, Refused
from scim_bridge.identity import (
    clusters,
    directories,
    directory_states,
    domains,
    grants,
    organization_changes,
    organizations,
    tree,
)
from scim_bridge.identity.callers import authenticate
from scim_bridge.identity.project_changes import DeleteProject
from scim_bridge.identity.tree import NewProject
from scim_bridge.identity.tree_drafts import carry_out
from scim_bridge.identity.unit_changes import DeleteUnit
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.identifiers import new_id
from tests.identity.provider import HANDS, Provider, actions, rows, state_of
from tests.identity.rows import count, put_cluster

OWNER = "ana@acme.example"


def test_a_renamed_organization_is_found_by_its_new_slug_alone(database: Database, actor: Actor) -> None:
    done = organization_changes.set_up(database, actor, "acme", name="Acme Corporation", slug="acme-corp")

    assert (done.slug, done.name, done.changed) == ("acme-corp", "Acme Corporation", True)
    assert organizations.show(database, "acme-corp").id == done.id
    with pytest.raises(NotFound):
        organizations.show(database, "acme")


def test_a_slug_of_another_organization_is_a_conflict_and_changes_nothing(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    before = rows(database, "organization")

    with pytest.raises(Conflict, match="an organization globex already"):
        organization_changes.set_up(database, actor, "acme", name="Other", slug="globex")

    assert rows(database, "organization") == before


def test_settings_are_kept_key_by_key_and_taken_away_by_nothing(database: Database, actor: Actor) -> None:
    organization_changes.set_up(
        database, actor, "acme", settings={"contact": "it@acme.example", "description": "Shop and back office"}
    )
    done = organization_changes.set_up(database, actor, "acme", settings={"description": None})

    assert (done.settings.contact, done.settings.description) == ("it@acme.example", None)
    assert organizations.show(database, "acme").settings == done.settings


def test_the_same_settings_again_write_nothing(database: Database, actor: Actor) -> None:
    organization_changes.set_up(database, actor, "acme", name="Acme", settings={"contact": "it"})
    before = (count(database, "change_row"), count(database, "audit_entry"))

    done = organization_changes.set_up(database, actor, "acme", name="Acme", settings={"contact": "it"})

    assert (done.changed, (count(database, "change_row"), count(database, "audit_entry"))) == (False, before)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"contact": 5}, "contact"),
        ({"contact": "a\nb"}, "contact"),
        ({"contact": "x" * 256}, "contact"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_its_name(
    database: Database, actor: Actor, settings: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        organization_changes.set_up(database, actor, "acme", settings=settings)

    assert caught.value.field == field


@pytest.mark.parametrize(("name", "slug"), [("", None), (" ", None), ("a\tb", None), (None, "Not A Slug"), (None, "")])
def test_a_name_that_is_none_is_refused(database: Database, actor: Actor, name: str | None, slug: str | None) -> None:
    with pytest.raises(Invalid):
        organization_changes.set_up(database, actor, "acme", name=name, slug=slug)


def test_an_organization_is_deleted_only_after_projects_then_units_clusters_and_directories(
    database: Database, actor: Actor
) -> None:
    tree.create_unit(database, actor, "acme", "lab")
    tree.create_project(database, actor, "acme", NewProject("shop", "lab"))
    put_cluster(database, "prod")
    directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)

    def refused() -> str:
        with pytest.raises(Refused) as caught:
            organization_changes.delete(database, actor, "acme", "acme")
        return str(caught.value)

    assert "projects: shop" in refused()
    carry_out(database, actor, "acme", DeleteProject("shop"))
    assert "units: lab" in refused()
    carry_out(database, actor, "acme", DeleteUnit("lab"))
    assert "clusters: prod" in refused()
    clusters.remove(database, actor, "acme", "prod")
    assert "directories that are not detached: okta" in refused()
    seen = directory_states.preview(database, actor, "acme", "okta", Step.DETACH).hash
    directory_states.carry_out(database, actor, "acme", "okta", Step.DETACH, seen)

    assert organization_changes.delete(database, actor, "acme", "acme").slug == "acme"
    with pytest.raises(NotFound):
        organizations.show(database, "acme")


@pytest.mark.parametrize("repeated", ["", "ACME", "globex"])
def test_an_organization_is_deleted_only_by_who_repeats_its_name(
    database: Database, actor: Actor, repeated: str
) -> None:
    with pytest.raises(Invalid, match="Repeat the name"):
        organization_changes.delete(database, actor, "acme", repeated)

    assert organizations.show(database, "acme").slug == "acme"


def test_with_an_organization_end_its_people_grants_groups_tokens_and_domains(database: Database) -> None:
    okta = Provider.connect(database)
    person = okta.post("bob@acme.example")
    okta.post_group("Ops", person.id)
    organizations.create(database, HANDS, "acme", owner=OWNER)
    domains.add(database, HANDS, "acme", "acme.example")
    grants.add(database, HANDS, "acme", grants.GrantWanted("organization", group="Ops", kubernetes_role="view"))
    seen = directory_states.preview(database, HANDS, "acme", "okta", Step.DETACH).hash
    directory_states.carry_out(database, HANDS, "acme", "okta", Step.DETACH, seen)

    done = organization_changes.delete(database, HANDS, "acme", "acme")

    assert done.members == 2
    assert {state_of(database, row["id"]) for row in rows(database, "member")} == {MemberState.REMOVED}
    for table in ("access_grant", "grant_origin", "membership"):
        assert all(row["valid_to"] is not None for row in rows(database, table)), table
    assert [row["removed_at"] is None for row in rows(database, "user_group")] == [False]
    with database.read() as connection, pytest.raises(NotAuthenticated):
        authenticate(connection, okta.token)
    assert actions(database)[-1] == "organization.deleted"
    states = [row["value"] for row in rows(database, "fact", attribute="state", noun="member", valid_to=None)]
    assert states == ["removed", "removed"]


def test_a_deleted_organizations_slug_and_domain_can_be_had_again(database: Database, actor: Actor) -> None:
    domains.add(database, actor, "acme", "acme.example")
    old = organization_changes.delete(database, actor, "acme", "acme")

    made = organizations.create(database, actor, "acme")
    domains.add(database, actor, "acme", "acme.example")

    assert (made.created, made.id == old.id) == (True, False)
    assert [each.slug for each in organizations.list_all(database)] == ["acme"]


def test_another_organization_is_not_touched_by_the_end_of_one(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "acme", owner=OWNER)
    organizations.create(database, actor, "globex", owner=OWNER)

    organization_changes.delete(database, actor, "acme", "acme")

    assert organizations.show(database, "globex").owners == (OWNER,)


@pytest.mark.parametrize(
    ("state", "words"), [("active", None), ("invited", "have not accepted"), ("deactivated", "deactivated here")]
)
def test_a_person_is_told_why_they_may_not_open_an_organization(state: str, words: str | None) -> None:
    found = organization_changes.why_not(MemberState(state))

    assert found is None if words is None else words in str(found)


def test_a_session_that_opened_a_deleted_organization_is_over(database: Database, actor: Actor) -> None:
    made = organizations.create(database, actor, "acme", owner=OWNER)
    other = organizations.create(database, actor, "globex", owner=OWNER)
    (account,) = rows(database, "account", email=OWNER)
    for place in (made.id, other.id):
        put_session(database, account["id"], place)

    organization_changes.delete(database, actor, "acme", "acme")

    ended = {row["organization_id"]: row["ended_because"] for row in rows(database, "session")}
    assert ended == {made.id: "organization.deleted", other.id: None}


def put_session(database: Database, account_id: str, organization_id: str) -> None:
    """Open a session, as a sign-in does."""
    with database.write() as connection:
        connection.execute(
            sa.insert(schema.session).values(
                id=new_id(),
                digest=new_id(),
                account_id=account_id,
                organization_id=organization_id,
                method=next(iter(SignInMethod)).value,
                created_at=now(),
                last_seen_at=now(),
            )
        )
