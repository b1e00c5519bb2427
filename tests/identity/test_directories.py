"""Connecting identity providers: tokens are shown once, kept as digests, and end when they are revoked."""

import hashlib
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import DirectoryKind, DirectoryState
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity import directories, directory_tokens, organizations
from scim_bridge.identity.directory_tokens import TokenWanted
from scim_bridge.store.database import Database
from scim_bridge.store.schema import audit_entry, directory_token
from tests.identity.rows import count


def test_a_directory_is_active_and_has_a_token_that_is_kept_as_a_digest(database: Database, actor: Actor) -> None:
    made = directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)

    assert made.directory.state is DirectoryState.ACTIVE
    assert made.token is not None
    assert re.fullmatch(r"scimb_[a-z2-9]{8}_[A-Za-z0-9_-]{43}", made.token.text)
    with database.read() as connection:
        stored = connection.execute(sa.select(directory_token)).one()
        audited = " ".join(connection.execute(sa.select(audit_entry.c.detail)).scalars())
    assert stored.digest == hashlib.sha256(made.token.text.encode()).hexdigest()
    assert made.token.text not in repr(made)
    assert made.token.text not in audited
    assert made.token.text not in str(stored)


def test_the_same_directory_again_gives_no_second_token(database: Database, actor: Actor) -> None:
    first = directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)
    changes = count(database, "change_row")

    second = directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)

    assert (second.directory, second.token, second.created) == (first.directory, None, False)
    assert (count(database, "directory_token"), count(database, "change_row")) == (1, changes)


def test_a_directory_of_another_kind_is_a_conflict(database: Database, actor: Actor) -> None:
    directories.create(database, actor, "acme", "idp", DirectoryKind.OKTA)

    with pytest.raises(Conflict, match="of the kind okta"):
        directories.create(database, actor, "acme", "idp", DirectoryKind.ENTRA)


def test_a_second_token_is_made_beside_the_first_and_either_may_be_ended(database: Database, actor: Actor) -> None:
    directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)

    made = directory_tokens.create(database, actor, "acme", "okta", TokenWanted("rotation", "30d"))
    ended = directory_tokens.revoke(database, actor, "acme", made.prefix)
    again = directory_tokens.revoke(database, actor, "acme", made.prefix)

    assert made.expires_at is not None
    assert ended.expires_at is not None
    assert made.expires_at - ended.created_at == timedelta(days=30)
    assert ended.revoked_at is not None
    assert again.revoked_at == ended.revoked_at
    assert [each.revoked_at is None for each in directory_tokens.list_all(database, "acme", "okta")] == [True, False]


def test_a_token_that_names_two_must_be_named_by_its_prefix(database: Database, actor: Actor) -> None:
    directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)
    directory_tokens.create(database, actor, "acme", "okta", TokenWanted("same"))
    directory_tokens.create(database, actor, "acme", "okta", TokenWanted("same"))

    with pytest.raises(Conflict, match="names 2 tokens"):
        directory_tokens.revoke(database, actor, "acme", "same")


def test_what_is_not_there_is_not_found(database: Database, actor: Actor) -> None:
    with pytest.raises(NotFound, match="directory 'okta'"):
        directories.show(database, "acme", "okta")
    with pytest.raises(NotFound, match="token 'x'"):
        directory_tokens.revoke(database, actor, "acme", "x")
    with pytest.raises(Invalid, match="name of a directory"):
        directories.create(database, actor, "acme", "My Okta", DirectoryKind.OKTA)


def test_two_organizations_with_the_same_names_do_not_see_each_other(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    mine = directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)
    theirs = directories.create(database, actor, "globex", "okta", DirectoryKind.ENTRA)
    assert mine.token is not None

    with pytest.raises(NotFound):
        directory_tokens.revoke(database, actor, "globex", mine.token.prefix)
    with pytest.raises(NotFound):
        directories.show(database, "globex", mine.directory.id)

    assert directories.show(database, "globex", "okta").directory == theirs.directory
