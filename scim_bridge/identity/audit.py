"""Use cases of the audit: look things up in it, hand it out, and say whether it is what was written."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.audit import Break
from scim_bridge.domain.audit_chain import Ends, Entry, Walk, wrong_values
from scim_bridge.domain.moments import read_moment
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind
from scim_bridge.domain.spreadsheets import csv_line
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity.authority import opened_organization
from scim_bridge.identity.names import the_group, the_member
from scim_bridge.store import audit_chain as store
from scim_bridge.store.audit_reading import EntryFilter, entries_in_order, newest_entries
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import find_cluster
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.sealing import Keyring

SEEING = "audit.org:read"
SEEING_CLUSTER = "audit.cluster:read"
FORMATS = ("jsonl", "csv")
OF_CLUSTER = ("cluster", "binding")
"""The nouns of what is done with a cluster and written to it."""
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
    name; ``action`` may end in ``.*``.
    """

    since: str | None = None
    until: str | None = None
    actor: str | None = None
    action: str | None = None
    object: str | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """
    One entry as it is handed out.

    ``sequence`` None: not sealed yet. ``detail`` and ``actor_name`` None: personal values were erased.
    """

    sequence: int | None
    id: str
    at: datetime
    actor_kind: str
    actor_id: str | None
    actor_name: str | None
    action: str
    noun: str
    object_id: str
    request_id: str | None
    change_id: str | None
    detail: dict[str, Any] | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, the newest first, and what to hand in for the next page; None: there are no more."""

    entries: tuple[AuditEntry, ...]
    before: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    Whether an organization's audit is what was written.

    ``first`` and ``last`` are the entries that the chain holds, ``hash`` the last one's: kept elsewhere, it proves
    later that nothing before it was changed. ``unsealed`` entries are not in the chain yet.
    """

    organization: str
    holds: bool
    checked: int
    first: int
    last: int
    hash: str
    unsealed: int
    oldest_unsealed: datetime | None
    problem: Break | None


def list_entries(
    database: Database,
    actor: Actor,
    organization: str,
    wanted: Wanted,
    limit: int = 50,
    before: tuple[str, ...] | None = None,
    cluster: str | None = None,
) -> AuditPage:
    """Return a page of entries, the newest first; of one cluster, what was done with it and written to it."""
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        if cluster is None:
            asker.require(SEEING)
            criteria = _criteria(connection, owner.id, wanted)
        else:
            found_cluster = _the_cluster(connection, owner.id, cluster)
            asker.require(SEEING_CLUSTER, Scope(ScopeKind.CLUSTER, found_cluster))
            criteria = replace(_criteria(connection, owner.id, wanted), object_id=found_cluster, nouns=OF_CLUSTER)
        found = newest_entries(connection, owner.id, criteria, limit + 1, _position(before))
    page = found[:limit]
    return AuditPage(tuple(map(entry_view, page)), _end(page[-1]) if len(found) > limit else None)


def export(database: Database, actor: Actor, organization: str, wanted: Wanted, form: str = "jsonl") -> Iterator[str]:
    """
    Yield every entry that matches, the oldest first, line by line, as JSON Lines or CSV; one page is in memory at once.

    Cells are safe to open in a spreadsheet. Raises, before the first line, for what makes no sense.
    """
    if form not in FORMATS:
        raise Invalid(f"{form!r} is not a form: there are {' and '.join(FORMATS)}.", field="format")
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        asker.require(SEEING)
        criteria = _criteria(connection, owner.id, wanted)
    return _lines(database, owner.id, criteria, form)


def verify(
    database: Database, keyring: Keyring, actor: Actor, organization: str, expected: str | None = None
) -> Verdict:
    """
    Walk an organization's chain and name the first entry that is not what was written.

    ``expected``: ``SEQUENCE:HASH`` as an earlier verification printed it; that entry must still be there unchanged.
    """
    place, digest = _expected(expected)
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        asker.require(SEEING)
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
            problem is None,
            walk.checked,
            walk.ends.cut_sequence + 1,
            walk.ends.head_sequence,
            walk.ends.head_hash,
            len(unsealed),
            min((each.at for each in unsealed), default=None),
            problem,
        )


def entry_view(entry: Entry) -> AuditEntry:
    """Return an entry as it is handed out."""
    detail = None if entry.detail is None else json.loads(entry.detail)
    found = {name: getattr(entry, name) for name in COLUMNS}
    return AuditEntry(**found | {"detail": detail, "actor_name": entry.actor_name or None})


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
                document = asdict(entry_view(entry)) | {"at": _time(entry.at)}
                yield json.dumps(document, ensure_ascii=False) + "\n"


def _criteria(connection: Connection, organization_id: OrganizationId, wanted: Wanted) -> EntryFilter:
    at = now()
    return EntryFilter(
        None if wanted.since is None else read_moment(wanted.since, at),
        None if wanted.until is None else read_moment(wanted.until, at),
        wanted.actor,
        wanted.action,
        _object(connection, organization_id, wanted.object),
        request_id=wanted.request,
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
        return _the_cluster(connection, organization_id, name)
    raise Invalid(f"{named!r} is not an object: write an id, person:NAME, group:NAME or cluster:NAME.", field="object")


def _the_cluster(connection: Connection, organization_id: OrganizationId, named: str) -> str:
    found = find_cluster(connection, organization_id, named)
    if found is None:
        raise NotFound(f"There is no cluster {named!r} in this organization.")
    return found.id


def _position(before: tuple[str, ...] | None) -> tuple[datetime, str] | None:
    if before is None:
        return None
    at, entry_id = before
    try:
        read = datetime.fromisoformat(at)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise Invalid("This cursor does not come from this list.", field="cursor")
    return read, entry_id


def _end(entry: Entry) -> tuple[str, str]:
    return _time(entry.at), entry.id


def _time(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
