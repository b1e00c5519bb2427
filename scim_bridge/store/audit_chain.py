"""Sealing audit entries into their organization's chain, and reading the chain again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.audit import seal
from scim_bridge.domain.audit_chain import Ends, Entry
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.errors import StoreError
from scim_bridge.store.schema import audit_chain, audit_entry
from scim_bridge.store.sealing import Keyring

PAGE = 1000
COLUMNS = tuple(audit_entry.c[name] for name in Entry.__dataclass_fields__)

_WAITING = sa.select(audit_entry.c.organization_id).where(audit_entry.c.sequence.is_(None)).distinct()
_UNSEALED = (
    sa.select(*COLUMNS)
    .where(audit_entry.c.organization_id == sa.bindparam("organization"), audit_entry.c.sequence.is_(None))
    .order_by(audit_entry.c.id)
    .limit(sa.bindparam("most"))
)
_SEAL = sa.update(audit_entry).where(audit_entry.c.id == sa.bindparam("entry"), audit_entry.c.sequence.is_(None))
_PAGE = (
    sa.select(*COLUMNS)
    .where(
        audit_entry.c.organization_id == sa.bindparam("organization"), audit_entry.c.sequence > sa.bindparam("after")
    )
    .order_by(audit_entry.c.sequence)
    .limit(PAGE)
)


def organizations_waiting(connection: sa.Connection) -> list[OrganizationId]:
    """Return the organizations that have entries which no chain holds yet."""
    return [OrganizationId(each) for each in connection.execute(_WAITING).scalars()]


def seal_entries(
    connection: sa.Connection, organization_id: OrganizationId, at: datetime, keyring: Keyring, most: int
) -> int:
    """
    Put an organization's oldest unsealed entries at the end of its chain, and return how many.

    Only committed entries are seen, and nobody who writes one waits. An entry that was committed late follows later
    ones: the chain's order is that of sealing.
    """
    waiting = [entry_of(row) for row in connection.execute(_UNSEALED, {"organization": organization_id, "most": most})]
    if not waiting:
        return 0
    ends = read_ends(connection, organization_id, lock=True) or Ends(organization_id)
    link, rows = ends.head, []
    for entry in waiting:
        link = seal(link, entry.facts(at))
        sealed = {"sequence": link.sequence, "previous_hash": link.previous_hash, "hash": link.hash}
        rows.append({"entry": entry.id, "sealed_at": at, **sealed})
    connection.execute(_SEAL, rows)
    assert link is not None
    write_ends(connection, replace(ends, head_sequence=link.sequence, head_hash=link.hash), keyring)
    return len(rows)


def read_ends(connection: sa.Connection, organization_id: OrganizationId, *, lock: bool = False) -> Ends | None:
    """Return the ends of a chain; None before anything was sealed."""
    query = sa.select(*(audit_chain.c[name] for name in Ends.__dataclass_fields__)).where(
        audit_chain.c.organization_id == organization_id
    )
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Ends(*row)


def write_ends(connection: sa.Connection, ends: Ends, keyring: Keyring) -> None:
    """Keep the ends of a chain, signed."""
    columns = {name: getattr(ends, name) for name in Ends.__dataclass_fields__}
    values = {**columns, "signature": keyring.seal(ends.text)}
    mine = audit_chain.c.organization_id == ends.organization_id
    if connection.execute(sa.update(audit_chain).where(mine).values(values)).rowcount == 0:
        connection.execute(sa.insert(audit_chain).values(values))


def is_signed(connection: sa.Connection, ends: Ends, keyring: Keyring) -> bool:
    """Say whether the ends of a chain are those that this installation wrote."""
    query = sa.select(audit_chain.c.signature).where(audit_chain.c.organization_id == ends.organization_id)
    try:
        return keyring.open(connection.execute(query).scalar_one()) == ends.text
    except StoreError:
        return False


def sealed_entries(connection: sa.Connection, organization_id: OrganizationId) -> Iterator[Entry]:
    """Yield the entries of a chain in its order, read a page at a time."""
    after = -(2**62)
    while rows := connection.execute(_PAGE, {"organization": organization_id, "after": after}).all():
        for row in rows:
            yield entry_of(row)
        after = rows[-1].sequence


def unsealed_entries(connection: sa.Connection, organization_id: OrganizationId) -> list[Entry]:
    """Return the entries that no chain holds yet, the oldest first."""
    rows = connection.execute(_UNSEALED, {"organization": organization_id, "most": 100_000})
    return [entry_of(row) for row in rows]


def entry_of(row: Sequence[Any]) -> Entry:
    """Return an audit row, read with `COLUMNS`."""
    return Entry(*row)
