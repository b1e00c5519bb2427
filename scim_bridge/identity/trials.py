"""
A directory to try an identity provider out on: it grants nothing, touches nobody, and goes with all it brought.

Its people, groups, tokens and log entries are deleted at the end; the audit keeps that it was there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, DirectoryKind, DirectoryState
from scim_bridge.identity.directory_tokens import issue
from scim_bridge.identity.names import the_directory
from scim_bridge.store import trials
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.directories import Directory, TokenTerms, insert_directory

LEFT_BEHIND_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Trial:
    """A directory that lasts as long as somebody tries it; ``token`` opens it."""

    directory: Directory
    token: str


@contextmanager
def trial_directory(database: Database, actor: Actor, organization: str, like: str) -> Iterator[Trial]:
    """
    Make a directory of the kind of another, pending, so that it grants nothing; delete it when the block ends.

    One that was left behind, because a process was killed, is deleted by the next.
    """
    with database.read() as connection:
        model = the_directory(connection, organization, like)
        old = trials.find_trials(connection, model.organization_id, now() - LEFT_BEHIND_AFTER)
    for each in old:
        _end(database, actor, model.organization_id, each)
    made = _begin(database, actor, model.organization_id, model.kind)
    try:
        yield made
    finally:
        _end(database, actor, model.organization_id, made.directory.id)


def _begin(database: Database, actor: Actor, organization_id: OrganizationId, kind: DirectoryKind) -> Trial:
    with database.write() as connection:
        name = f"trial-{uuid4().hex[:12]}"
        change = new_change(organization_id, actor, "directory.tried", now())
        add_change(connection, change, name)
        made = insert_directory(connection, change, name, kind, DirectoryState.PENDING)
        trials.mark_trial(connection, made.id)
        add_audit(connection, change, "directory.tried", "directory", made.id, {"name": name, "kind": kind.value})
        return Trial(made, issue(connection, change, made.id, TokenTerms("trial")).text)


def _end(database: Database, actor: Actor, organization_id: OrganizationId, directory_id: DirectoryId) -> None:
    with database.write() as connection:
        change = new_change(organization_id, actor, "directory.trial_ended", now())
        add_change(connection, change)
        trials.delete_trial(connection, directory_id)
        add_audit(connection, change, "directory.trial_ended", "directory", directory_id)
