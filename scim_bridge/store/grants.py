"""Grants and their origins: rows with from/to; a grant ends when its last origin ends."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.access import GrantId, OriginKind
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import grant, grant_origin, nesting, user_group

# Both databases take more parameters in one statement; a few hundred is where more stops being faster.
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class GrantKey:
    """What a grant is: one holder, one scope, one pair of roles. Origins come and go on it."""

    scope: Scope
    member_id: MemberId | None = None
    group_id: GroupId | None = None
    api_role: str | None = None
    kubernetes_role: KubernetesRole | None = None


@dataclass(frozen=True, slots=True)
class OpenOrigin:
    """One origin in force, and the grant it holds up."""

    id: str
    grant_id: GrantId
    key: GrantKey
    kind: OriginKind
    rule_id: str | None
    reference: str
    since: datetime
    expires_at: datetime | None = None


def _scopes_given() -> sa.Select[Any]:
    start = sa.select(user_group.c.id.label("group_id")).where(user_group.c.id.in_(listed("groups")))
    above = start.cte("above", recursive=True)
    # UNION, not UNION ALL: groups that contain one another end the walk instead of hanging it.
    above = above.union(
        sa.select(nesting.c.parent_id).join(
            above, sa.and_(nesting.c.child_id == above.c.group_id, nesting.c.valid_to.is_(None))
        )
    )
    return (
        sa.select(grant.c.scope_kind, grant.c.scope_id)
        .distinct()
        .join(above, grant.c.group_id == above.c.group_id)
        .where(grant.c.valid_to.is_(None), grant.c.kubernetes_role.is_not(None))
    )


_SCOPES_GIVEN = _scopes_given()


def scopes_given(connection: sa.Connection, group_ids: Iterable[GroupId]) -> frozenset[Scope]:
    """Return the scopes at which these groups, and all groups above them, give a Kubernetes role."""
    found: set[Scope] = set()
    for kind, scope_id in connection.execute(_SCOPES_GIVEN, {"groups": as_list(group_ids)}):
        found.add(Scope(ScopeKind(kind), scope_id))
    return frozenset(found)


def open_origins(
    connection: sa.Connection,
    change: Change,
    kind: OriginKind,
    wanted: Iterable[tuple[GrantKey, str | None]],
    reference: str = "",
    expires_at: datetime | None = None,
) -> None:
    """Give each grant an origin of this kind (and rule, if any), making the grant where it is not there yet."""
    pairs = list(dict.fromkeys(wanted))
    grants = _open_grants(connection, change.organization_id, [key for key, _ in pairs])
    missing = [key for key in dict.fromkeys(key for key, _ in pairs) if key not in grants]
    if missing:
        made = {key: GrantId(new_id()) for key in missing}
        grants |= made
        connection.execute(sa.insert(grant), [_grant_row(change, made[key], key) for key in missing])
    present = _present(connection, kind, grants.values())
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "organization_id": change.organization_id,
            "grant_id": grants[key],
            "kind": kind.value,
            "rule_id": rule_id,
            "reference": reference[:320],
            "expires_at": expires_at,
            "valid_from": change.at,
        }
        for key, rule_id in pairs
        if (grants[key], rule_id) not in present
    ]
    if rows:
        connection.execute(sa.insert(grant_origin), rows)
    keys = {grant_id: key for key, grant_id in grants.items()}
    for row in rows:
        _note_began(connection, change, row, keys[row["grant_id"]])


def close_origins(connection: sa.Connection, change: Change, origins: Iterable[OpenOrigin]) -> frozenset[GrantKey]:
    """End these origins, and the grants that have none left; return those grants."""
    ending = list(origins)
    if ending:
        note(connection, change, "origins.ended", origins=sorted({origin.id for origin in ending}))
    for chunk in _chunks(origin.id for origin in ending):
        connection.execute(sa.update(grant_origin).where(grant_origin.c.id.in_(chunk)).values(valid_to=change.at))
    ended: set[str] = set()
    held_up = sa.exists().where(grant_origin.c.grant_id == grant.c.id, grant_origin.c.valid_to.is_(None))
    for chunk in _chunks({origin.grant_id for origin in ending}):
        ended |= set(
            connection.execute(
                sa.select(grant.c.id).where(grant.c.id.in_(chunk), grant.c.valid_to.is_(None), ~held_up)
            ).scalars()
        )
    for chunk in _chunks(ended):
        connection.execute(sa.update(grant).where(grant.c.id.in_(chunk)).values(valid_to=change.at))
    return frozenset(origin.key for origin in ending if origin.grant_id in ended)


def set_expiry(connection: sa.Connection, change: Change, origin_id: str, expires_at: datetime | None) -> None:
    """Let an origin end by itself at a moment, or never."""
    note(connection, change, "origin.expires", origin=origin_id, expires_at=expires_at)
    connection.execute(sa.update(grant_origin).where(grant_origin.c.id == origin_id).values(expires_at=expires_at))


def expired_origins(connection: sa.Connection, at: datetime) -> list[tuple[OrganizationId, OpenOrigin]]:
    """Return the origins in force whose time is over, with whose they are."""
    over = list(_origins(connection, sa.and_(grant_origin.c.expires_at.is_not(None), grant_origin.c.expires_at <= at)))
    whose: dict[str, OrganizationId] = {}
    for chunk in _chunks(origin.grant_id for origin in over):
        query = sa.select(grant.c.id, grant.c.organization_id).where(grant.c.id.in_(chunk))
        whose |= {row.id: OrganizationId(row.organization_id) for row in connection.execute(query)}
    return [(whose[origin.grant_id], origin) for origin in over]


def origins_of_organization(connection: sa.Connection, organization_id: OrganizationId) -> list[OpenOrigin]:
    """Return every origin in force in an organization, oldest grant first."""
    return list(_origins(connection, grant.c.organization_id == organization_id))


def origins_of_groups(connection: sa.Connection, group_ids: Iterable[GroupId]) -> list[OpenOrigin]:
    """Return every origin in force of grants that these groups hold."""
    return [row for chunk in _chunks(group_ids) for row in _origins(connection, grant.c.group_id.in_(chunk))]


def origins_of_members(connection: sa.Connection, member_ids: Iterable[MemberId]) -> list[OpenOrigin]:
    """Return every origin in force of grants that these members hold themselves."""
    return [row for chunk in _chunks(member_ids) for row in _origins(connection, grant.c.member_id.in_(chunk))]


def origins_of_rules(connection: sa.Connection, rule_ids: Iterable[str]) -> list[OpenOrigin]:
    """Return every origin in force that these rules gave."""
    return [row for chunk in _chunks(rule_ids) for row in _origins(connection, grant_origin.c.rule_id.in_(chunk))]


def origins_at(connection: sa.Connection, organization_id: OrganizationId, scopes: Iterable[Scope]) -> list[OpenOrigin]:
    """Return every origin in force of grants at these very scopes, none above or below them."""
    places = [sa.and_(grant.c.scope_kind == each.kind.value, grant.c.scope_id == each.id) for each in scopes]
    # An empty list of places is nowhere, not everywhere.
    if not places:
        return []
    return list(_origins(connection, sa.and_(grant.c.organization_id == organization_id, sa.or_(*places))))


def _origins(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Iterator[OpenOrigin]:
    query = (
        sa.select(
            grant_origin.c.id.label("origin_id"),
            grant_origin.c.kind,
            grant_origin.c.rule_id,
            grant_origin.c.reference,
            grant_origin.c.valid_from.label("since"),
            grant_origin.c.expires_at,
            grant,
        )
        .join(grant, grant_origin.c.grant_id == grant.c.id)
        .where(where, grant_origin.c.valid_to.is_(None))
        .order_by(grant.c.id, grant_origin.c.id)
    )
    for row in connection.execute(query):
        yield OpenOrigin(
            row.origin_id,
            row.id,
            _key(row),
            OriginKind(row.kind),
            row.rule_id,
            row.reference,
            row.since,
            row.expires_at,
        )


def _note_began(connection: sa.Connection, change: Change, row: dict[str, Any], key: GrantKey) -> None:
    note(
        connection,
        change,
        "origin.began",
        origin=row["id"],
        grant=row["grant_id"],
        kind=row["kind"],
        rule=row["rule_id"],
        member=key.member_id,
        group=key.group_id,
        expires_at=row["expires_at"],
        scope=[key.scope.kind.value, key.scope.id],
        api_role=key.api_role,
        kubernetes_role=None if key.kubernetes_role is None else key.kubernetes_role.value,
    )


def _key(row: sa.Row[Any]) -> GrantKey:
    role = None if row.kubernetes_role is None else KubernetesRole(row.kubernetes_role)
    scope = Scope(ScopeKind(row.scope_kind), row.scope_id)
    return GrantKey(scope, row.member_id, row.group_id, row.api_role, role)


def _grant_row(change: Change, grant_id: GrantId, key: GrantKey) -> dict[str, object]:
    return {
        "id": grant_id,
        "organization_id": change.organization_id,
        "member_id": key.member_id,
        "group_id": key.group_id,
        "scope_kind": key.scope.kind.value,
        "scope_id": key.scope.id,
        "api_role": key.api_role,
        "kubernetes_role": None if key.kubernetes_role is None else key.kubernetes_role.value,
        "valid_from": change.at,
    }


def _open_grants(
    connection: sa.Connection, organization_id: OrganizationId, keys: Iterable[GrantKey]
) -> dict[GrantKey, GrantId]:
    wanted = set(keys)
    found: dict[GrantKey, GrantId] = {}
    holders = (
        (grant.c.member_id, {key.member_id for key in wanted if key.member_id is not None}),
        (grant.c.group_id, {key.group_id for key in wanted if key.group_id is not None}),
    )
    for column, ids in holders:
        for chunk in _chunks(ids):
            query = sa.select(grant).where(
                grant.c.organization_id == organization_id, column.in_(chunk), grant.c.valid_to.is_(None)
            )
            found |= {_key(row): row.id for row in connection.execute(query)}
    return {key: found[key] for key in wanted if key in found}


def _present(
    connection: sa.Connection, kind: OriginKind, grant_ids: Iterable[GrantId]
) -> set[tuple[GrantId, str | None]]:
    present: set[tuple[GrantId, str | None]] = set()
    for chunk in _chunks(grant_ids):
        query = sa.select(grant_origin.c.grant_id, grant_origin.c.rule_id).where(
            grant_origin.c.grant_id.in_(chunk), grant_origin.c.kind == kind.value, grant_origin.c.valid_to.is_(None)
        )
        present |= {(row.grant_id, row.rule_id) for row in connection.execute(query)}
    return present


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the values a few hundred at a time, in a stable order and without repetition."""
    every = sorted(set(values))
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]
