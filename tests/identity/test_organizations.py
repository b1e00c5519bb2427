"""Creating organizations: once, with an owner, and with nothing written when it is there already."""

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity import organizations
from scim_bridge.store.database import Database
from scim_bridge.store.schema import member
from tests.identity.rows import count


def test_an_organization_is_created_once(database: Database, actor: Actor) -> None:
    first = organizations.create(database, actor, "globex", name="Globex")
    changes = count(database, "change_row")

    second = organizations.create(database, actor, "globex")

    assert (first.created, second.created) == (True, False)
    assert (second.id, second.name) == (first.id, "Globex")
    assert count(database, "change_row") == changes


def test_its_owner_is_an_active_member_with_a_grant_by_hand(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex", owner="Ana@Example.com")

    shown = organizations.show(database, "globex")

    assert shown.owners == ("Ana@Example.com",)
    assert shown.counts["members"] == 1


def test_naming_the_owner_again_changes_nothing(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex", owner="ana@example.com")
    before = (count(database, "change_row"), count(database, "audit_entry"), count(database, "access_grant"))

    organizations.create(database, actor, "globex", owner="ANA@example.com")

    assert (count(database, "change_row"), count(database, "audit_entry"), count(database, "access_grant")) == before


def test_an_owner_can_be_added_to_an_organization_that_exists(database: Database, actor: Actor) -> None:
    made = organizations.create(database, actor, "acme", owner="ana@example.com")

    assert made.created is False
    assert organizations.show(database, "acme").owners == ("ana@example.com",)


def test_one_person_may_own_two_organizations_with_one_account(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "acme", owner="ana@example.com")
    organizations.create(database, actor, "globex", owner="ana@example.com")

    assert count(database, "account") == 1
    assert count(database, "member") == 2


@pytest.mark.parametrize("slug", ["", "Acme", "acme corp", "-acme", "acme-", "a/b", "ä", "a" * 64])
def test_a_slug_is_a_dns_label(database: Database, actor: Actor, slug: str) -> None:
    with pytest.raises(Invalid, match="cannot be the name of an organization"):
        organizations.create(database, actor, slug)


@pytest.mark.parametrize("email", ["ana", "@example.com", "ana@", "ana smith@example.com"])
def test_an_owner_without_an_address_is_refused_and_nothing_is_made(
    database: Database, actor: Actor, email: str
) -> None:
    with pytest.raises(Invalid, match="not an e-mail address"):
        organizations.create(database, actor, "globex", owner=email)

    assert [each.slug for each in organizations.list_all(database)] == ["acme"]


def test_a_deactivated_person_does_not_become_owner(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "acme", owner="ana@example.com")
    _deactivate_everybody(database)

    with pytest.raises(Conflict, match="deactivated"):
        organizations.create(database, actor, "acme", owner="ana@example.com")


def test_an_organization_that_is_not_there_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound, match="'globex'"):
        organizations.show(database, "globex")


def _deactivate_everybody(database: Database) -> None:
    with database.write() as connection:
        connection.execute(sa.update(member).values(state="deactivated"))


def test_a_name_that_looks_like_an_id_is_refused(database: Database, actor: Actor) -> None:
    # Otherwise somebody could call theirs by another organization's id, and be found in its place.
    with pytest.raises(Invalid, match="looks like an id"):
        organizations.create(database, actor, "01a20000-0000-7000-8000-000000000000")
