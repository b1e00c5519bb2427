"""Pages of an organization's people: the cost of one follows its length, not how many people there are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.member_filters import MemberFilter, Place
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberId, MemberSource, MemberState
from scim_bridge.domain.searching import AFTER_EVERY_LETTER
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.member_words import begins_with
from scim_bridge.store.role_holders import holders
from scim_bridge.store.schema import account, directory, member, member_word

FEW = 2000


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A person as a list shows them; ``directory`` is the name of the one that has the say about them."""

    id: MemberId
    state: MemberState
    source: MemberSource
    user_name: str
    email: str | None
    display_name: str | None
    directory: str | None
    two_factor: bool
    created_at: datetime
    last_active_at: datetime | None
    blocked_at: datetime | None


_COLUMNS = (
    member.c.id,
    member.c.state,
    member.c.source,
    member.c.user_name,
    member.c.email,
    member.c.display_name,
    directory.c.name,
    account.c.two_factor,
    member.c.created_at,
    member.c.last_active_at,
    member.c.blocked_at,
)


def list_members(
    connection: sa.Connection,
    organization_id: OrganizationId,
    wanted: MemberFilter,
    at: datetime,
    count: int,
    after: Place | None = None,
) -> tuple[list[ListedMember], Place | None]:
    """
    Return up to ``count`` people behind a place, and the place where the next page begins, None at the end.

    They come by userName; in a search, by the word that was found.
    """
    few = _few(connection, organization_id, wanted, at)
    if few is None:
        rows = connection.execute(select_members(organization_id, wanted, at, count, after)).all()
    else:
        query = _page(member.c.user_name_key, member.c.id, member, [member.c.id.in_(listed("ids"))], count, after)
        rows = connection.execute(query, {"ids": as_list(few)}).all()
    page = [_member(row) for row in rows[:count]]
    return page, (rows[count - 1].place, page[-1].id) if len(rows) > count else None


def select_members(
    organization_id: OrganizationId, wanted: MemberFilter, at: datetime, count: int, after: Place | None
) -> sa.Select[Any]:
    """Return the statement of one page and one row more."""
    key: sa.ColumnElement[str] = member.c.user_name_key
    source: sa.FromClause = member
    conditions = _conditions(organization_id, wanted, at)
    if wanted.terms:
        key, source = member_word.c.word, member_word.join(member, member.c.id == member_word.c.member_id)
        conditions += _search(organization_id, wanted.terms)
    ids: sa.ColumnElement[str] = member_word.c.member_id if wanted.terms else member.c.id
    return _page(key, ids, source, conditions, count, after)


def _few(
    connection: sa.Connection, organization_id: OrganizationId, wanted: MemberFilter, at: datetime
) -> list[str] | None:
    """
    Return all whom the conditions leave, if they are few.

    Looked for in the order of names, few among very many would be as dear as all of them; many are found at once.
    """
    if wanted.terms or wanted == MemberFilter():
        return None
    conditions = _conditions(organization_id, wanted, at, from_roles=bool(_asked(wanted)))
    query = sa.select(member.c.id).where(*conditions).limit(FEW + 1)
    found = list(connection.execute(query).scalars())
    return found if len(found) <= FEW else None


def _page(
    key: sa.ColumnElement[str],
    ids: sa.ColumnElement[str],
    source: sa.FromClause,
    conditions: list[sa.ColumnElement[bool]],
    count: int,
    after: Place | None,
) -> sa.Select[Any]:
    if after is not None:
        conditions = [*conditions, sa.tuple_(key, ids) > sa.tuple_(sa.literal(after[0]), sa.literal(after[1]))]
    source = source.outerjoin(directory, directory.c.id == member.c.directory_id)
    source = source.outerjoin(account, account.c.id == member.c.account_id)
    query = sa.select(*_COLUMNS, key.label("place")).select_from(source).where(*conditions)
    return query.order_by(key, ids).limit(count + 1)


def one_member(connection: sa.Connection, member_id: MemberId) -> ListedMember:
    """Return one person who is known to be there."""
    (found,) = members_with(connection, member.c.id == member_id)
    return found


def members_with(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[ListedMember]:
    """Return the people of whom a condition on ``member`` holds, by userName."""
    query = (
        sa.select(*_COLUMNS)
        .select_from(member)
        .outerjoin(directory, directory.c.id == member.c.directory_id)
        .outerjoin(account, account.c.id == member.c.account_id)
        .where(condition)
    )
    return [_member(row) for row in connection.execute(query.order_by(member.c.user_name_key, member.c.id))]


def _member(row: Any) -> ListedMember:
    return ListedMember(
        MemberId(row[0]),
        MemberState(row[1]),
        MemberSource(row[2]),
        row[3],
        row[4],
        row[5],
        row[6],
        bool(row[7]),
        row[8],
        row[9],
        row[10],
    )


def _conditions(
    organization_id: OrganizationId, wanted: MemberFilter, at: datetime, *, from_roles: bool = False
) -> list[sa.ColumnElement[bool]]:
    states = [state.value for state in wanted.states]
    if from_roles:
        # As expressions: neither may be what is looked for by index, where the roles lead to so much fewer people.
        found = [member.c.organization_id.concat("") == organization_id, member.c.state.concat("").in_(states)]
    else:
        found = [member.c.organization_id == organization_id, member.c.state.in_(states)]
    if wanted.source is not None:
        found.append(member.c.source == wanted.source.value)
    if wanted.directory_id is not None:
        found.append(member.c.directory_id == wanted.directory_id)
    if wanted.active_before is not None:
        found.append(member.c.last_active_at < wanted.active_before)
    if wanted.active_since is not None:
        found.append(member.c.last_active_at >= wanted.active_since)
    if wanted.never_active:
        found.append(member.c.last_active_at.is_(None))
    if wanted.dormant_before is not None:
        never = sa.and_(member.c.last_active_at.is_(None), member.c.created_at < wanted.dormant_before)
        found.append(sa.or_(member.c.last_active_at < wanted.dormant_before, never))
    return found + _access(organization_id, wanted, at)


def _access(organization_id: OrganizationId, wanted: MemberFilter, at: datetime) -> list[sa.ColumnElement[bool]]:
    return [member.c.id.in_(holders(organization_id, at, scopes=wanted.scopes, **each)) for each in _asked(wanted)]


def _asked(wanted: MemberFilter) -> list[dict[str, Any]]:
    """Return what somebody has to hold: one grant for each axis that is asked for."""
    asked: list[dict[str, Any]] = []
    if wanted.api_role is not None:
        asked.append({"api_role": wanted.api_role})
    if wanted.kubernetes_role is not None:
        asked.append({"kubernetes_role": wanted.kubernetes_role})
    if not asked and wanted.scopes is not None:
        asked.append({})
    return asked


def _search(organization_id: OrganizationId, terms: tuple[str, ...]) -> list[sa.ColumnElement[bool]]:
    first, *others = terms
    earlier, other = member_word.alias("earlier"), member_word.alias("other")
    found = [member_word.c.organization_id == organization_id, begins_with(first)]
    # Whoever has several words that begin so is listed once, by the first.
    found.append(
        ~sa.exists().where(
            earlier.c.member_id == member_word.c.member_id,
            earlier.c.word >= first,
            earlier.c.word < member_word.c.word,
        )
    )
    found += [
        sa.exists().where(
            other.c.member_id == member_word.c.member_id,
            other.c.word >= term,
            other.c.word < term + AFTER_EVERY_LETTER,
        )
        for term in others
    ]
    return found
