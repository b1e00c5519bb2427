"""Drafts of rule sets: what may become an organization's next version."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import rule_draft
from scim_bridge.store.texts import storable


@dataclass(frozen=True, slots=True)
class Draft:
    """
    One draft; ``held_because`` says why it was not applied at once, where somebody tried without a preview.

    One with a time to apply it carries the hash that somebody agreed to; ``problem`` is why that did not happen.
    """

    id: str
    organization_id: OrganizationId
    name: str
    document: str
    base_version: int
    author: str
    created_at: datetime
    updated_at: datetime
    held_because: str = ""
    apply_at: datetime | None = None
    agreed_hash: str | None = None
    problem: str | None = None


def list_drafts(connection: sa.Connection, organization_id: OrganizationId) -> list[Draft]:
    """Return an organization's drafts, by name."""
    query = sa.select(rule_draft).where(rule_draft.c.organization_id == organization_id)
    return [_draft(row) for row in connection.execute(query.order_by(rule_draft.c.name))]


def find_draft(connection: sa.Connection, organization_id: OrganizationId, name: str) -> Draft | None:
    """Return a draft by name or id."""
    row = connection.execute(_named(organization_id, name)).first()
    return None if row is None else _draft(row)


def lock_draft(connection: sa.Connection, organization_id: OrganizationId, name: str) -> Draft | None:
    """Return a draft by name or id, so that nobody else changes it until the transaction ends."""
    row = connection.execute(_named(organization_id, name).with_for_update()).first()
    return None if row is None else _draft(row)


def _named(organization_id: OrganizationId, name: str) -> sa.Select[Any]:
    return sa.select(rule_draft).where(
        rule_draft.c.organization_id == organization_id,
        sa.or_(rule_draft.c.name == storable(name), rule_draft.c.id == storable(name)),
    )


def save_draft(
    connection: sa.Connection, change: Change, name: str, document: str, base_version: int, held_because: str = ""
) -> Draft:
    """Make a draft, or give the one of that name another content; what was agreed to about it is off."""
    present = lock_draft(connection, change.organization_id, name)
    values = {
        "document": document,
        "base_version": base_version,
        "author": change.actor.name[:320],
        "updated_at": change.at,
        "held_because": held_because,
        "apply_at": None,
        "agreed_hash": None,
        "problem": None,
    }
    if present is not None:
        connection.execute(sa.update(rule_draft).where(rule_draft.c.id == present.id).values(values))
    else:
        row = {"id": new_id(), "organization_id": change.organization_id, "name": name, "created_at": change.at}
        connection.execute(sa.insert(rule_draft).values(row | values))
    saved = lock_draft(connection, change.organization_id, name)
    assert saved is not None
    return saved


def delete_draft(connection: sa.Connection, draft_id: str) -> None:
    """Delete a draft that was applied or discarded."""
    connection.execute(sa.delete(rule_draft).where(rule_draft.c.id == draft_id))


def schedule_draft(
    connection: sa.Connection, draft_id: str, apply_at: datetime | None, agreed_hash: str | None
) -> None:
    """Say when a draft is to be applied, and with which outcome; None: not by itself."""
    values = {"apply_at": apply_at, "agreed_hash": agreed_hash, "problem": None}
    connection.execute(sa.update(rule_draft).where(rule_draft.c.id == draft_id).values(values))


def give_up_draft(connection: sa.Connection, draft_id: str, problem: str) -> None:
    """Say why a draft was not applied at its time; it does not try again by itself."""
    values = {"apply_at": None, "agreed_hash": None, "problem": problem}
    connection.execute(sa.update(rule_draft).where(rule_draft.c.id == draft_id).values(values))


def due_drafts(connection: sa.Connection, at: datetime) -> Iterable[Draft]:
    """Return the drafts whose time has come, the earliest first."""
    query = sa.select(rule_draft).where(rule_draft.c.apply_at <= at).order_by(rule_draft.c.apply_at, rule_draft.c.id)
    return [_draft(row) for row in connection.execute(query)]


def _draft(row: sa.Row[Any]) -> Draft:
    return Draft(*(getattr(row, name) for name in Draft.__slots__))
