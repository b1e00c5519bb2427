"""Use cases of the audit: look things up in it, hand it out, and say whether it is what was written."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.audit import Break
from scim_bridge.domain.audit_chain import Ends, Entry, Walk, wrong_values
from scim_bridge.domain.moments import read_moment
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.spreadsheets import csv_line
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity.names import the_group, the_member, the_organization
from scim_bridge.store import audit_chain as store
from scim_bridge.store.audit_reading import EntryFilter, entries_in_order, newest_entries
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import find_cluster
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.sealing import Keyring

FORMATS = ("jsonl", "csv")
AREAS = {"cluster": ("cluster", "binding")}
"""What ``audit.cluster:read`` shows; everything else is the organization's."""
COLUMNS = (
    "sequence",
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "noun",
    "object_id",
    "request_id",
    "change_id",
    "detail",
    "hash",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    Which entries somebody wants, as they say it.

    ``actor`` is a name, an id or a kind of actor; ``object`` an id, or ``person:``, ``group:`` or ``cluster:`` with a
    name; ``action`` may end in ``.*``; ``area`` is ``cluster`` for what was written to clusters and done with them.
    """

    since: str | None = None
    until: str | None = None
    actor: str | None = None
    action: str | None = None
    object: str | None = None
    request: str | None = None
    area: str | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, the newest first, and what to hand in for the next page; None: there are no more."""

    entries: tuple[Entry, ...]
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Whether an organization's audit is what was written.

    ``first`` and ``last`` are the entries that the chain holds, ``hash`` the last one's: kept elsewhere, it proves
    later that nothing before it was changed. ``unsealed`` entries are not in the chain yet.
    """

    organization: str
    checked: int
    first: int
    last: int
    hash: str
    unsealed: int
    oldest_unsealed: datetime | None
    problem: Break | None

    @property
    def holds(self) -> bool:
        """Say whether nothing is wrong."""
        return self.problem is None


def list_entries(
    database: Database, organization: str, wanted: Wanted, limit: int = 50, before: str | None = None
) -> AuditPage:
    """Return a page of entries, the newest first."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        criteria = _criteria(connection, owner.id, wanted)
        found = newest_entries(connection, owner.id, criteria, limit + 1, _position(before))
    page = found[:limit]
    return AuditPage(tuple(page), _cursor(page[-1]) if len(found) > limit else None)


def export(database: Database, organization: str, wanted: Wanted, form: str = "jsonl") -> Iterator[str]:
    """
    Yield every entry that matches, the oldest first, line by line, as JSON Lines or CSV; one page is in memory at once.

    Cells are safe to open in a spreadsheet. Raises, before the first line, for what makes no sense.
    """
    if form not in FORMATS:
        raise Invalid(f"{form!r} is not a form: there are {' and '.join(FORMATS)}.", field="format")
    with database.read() as connection:
        owner = the_organization(connection, organization)
        criteria = _criteria(connection, owner.id, wanted)
    return _lines(database, owner.id, criteria, form)


def verify(database: Database, keyring: Keyring, organization: str, expected: str | None = None) -> Verdict:
    """
    Walk an organization's chain and name the first entry that is not what was written.

    ``expected``: ``SEQUENCE:HASH`` as an earlier verification printed it; that entry must still be there unchanged.
    """
    place, digest = _expected(expected)
    with database.read() as connection:
        owner = the_organization(connection, organization)
        ends = store.read_ends(connection, owner.id)
        walk = Walk(ends or Ends(owner.id))
        problem, seen = _walked(connection, owner.id, walk, place)
        unsealed = store.unsealed_entries(connection, owner.id)
        problem = problem or walk.end() or _unsealed_problem(walk, unsealed)
        if problem is None and ends is not None and not store.is_signed(connection, ends, keyring):
            problem = Break(ends.head_sequence, "the record of where the chain begins and ends was changed")
        if problem is None and place and seen != digest and place > walk.ends.cut_sequence:
            problem = Break(place, f"entry {place} is not the one that was there at the earlier verification")
        return Verdict(
            owner.slug,
            walk.checked,
            walk.ends.cut_sequence + 1,
            walk.ends.head_sequence,
            walk.ends.head_hash,
            len(unsealed),
            min((each.at for each in unsealed), default=None),
            problem,
        )


def document_of(entry: Entry) -> dict[str, object]:
    """Return an entry as it is handed out; ``detail`` null: personal values were erased."""
    detail = None if entry.detail is None else json.loads(entry.detail)
    found = {name: getattr(entry, name) for name in COLUMNS}
    return found | {"at": _time(entry.at), "detail": detail, "actor_name": entry.actor_name or None}


def _walked(
    connection: Connection, organization_id: OrganizationId, walk: Walk, place: int
) -> tuple[Break | None, str | None]:
    seen = None
    for entry in store.sealed_entries(connection, organization_id):
        problem = walk.take(entry)
        if problem is not None:
            return problem, seen
        if entry.sequence == place:
            seen = entry.hash
    return None, seen


def _unsealed_problem(walk: Walk, unsealed: list[Entry]) -> Break | None:
    last = walk.ends.head_sequence
    for entry in unsealed:
        problem = wrong_values(entry)
        if problem is not None:
            return Break(last + 1, f"an entry that is not sealed yet: {problem}", entry.id)
    if last == 0 and not unsealed:
        # An organization begins with an entry.
        return Break(1, "entry 1 is missing")
    return None


def _expected(text: str | None) -> tuple[int, str]:
    if text is None:
        return 0, ""
    place, _, digest = text.partition(":")
    if not place.isdecimal() or len(digest) != 64:
        raise Invalid("Write what was expected as SEQUENCE:HASH, as an earlier verification printed it.", "expected")
    return int(place), digest


def _lines(database: Database, organization_id: OrganizationId, criteria: EntryFilter, form: str) -> Iterator[str]:
    if form == "csv":
        yield csv_line(COLUMNS)
    with database.read() as connection:
        for entry in entries_in_order(connection, organization_id, criteria):
            if form == "csv":
                yield csv_line(_time(entry.at) if name == "at" else getattr(entry, name) for name in COLUMNS)
            else:
                yield json.dumps(document_of(entry), ensure_ascii=False) + "\n"


def _criteria(connection: Connection, organization_id: OrganizationId, wanted: Wanted) -> EntryFilter:
    at = now()
    if wanted.area not in (None, *AREAS):
        raise Invalid(f"{wanted.area!r} is not an area: there is cluster.", field="area")
    return EntryFilter(
        None if wanted.since is None else read_moment(wanted.since, at),
        None if wanted.until is None else read_moment(wanted.until, at),
        wanted.actor,
        wanted.action,
        _object(connection, organization_id, wanted.object),
        AREAS[wanted.area] if wanted.area else (),
        wanted.request,
    )


def _object(connection: Connection, organization_id: OrganizationId, named: str | None) -> str | None:
    if named is None:
        return None
    kind, colon, name = named.partition(":")
    if not colon:
        return named
    if kind == "person":
        return the_member(connection, organization_id, name).id
    if kind == "group":
        return the_group(connection, organization_id, name).id
    if kind == "cluster":
        found = find_cluster(connection, organization_id, name)
        if found is None:
            raise NotFound(f"There is no cluster {name!r} in this organization.")
        return found.id
    raise Invalid(f"{named!r} is not an object: write an id, person:NAME, group:NAME or cluster:NAME.", field="object")


def _position(before: str | None) -> tuple[datetime, str] | None:
    if before is None:
        return None
    at, _, entry_id = before.partition("~")
    try:
        read = datetime.fromisoformat(at)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None or not entry_id:
        raise Invalid("That is not where a page ended: hand in what the page before named.", field="before")
    return read, entry_id


def _cursor(entry: Entry) -> str:
    return f"{_time(entry.at)}~{entry.id}"


def _time(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
