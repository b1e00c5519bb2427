"""
A filter tree as SQL, on both databases.

The usual look-ups (userName, externalId, id, a group's displayName, e-mail addresses, memberships) use columns with
an index, active and times a column; every other attribute is read out of the stored document.
`domain.filters.matches` says what each node means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.filters import (
    Attribute,
    Compare,
    Either,
    Every,
    Filter,
    Not,
    Operator,
    Path,
    Present,
    Some,
)
from scim_bridge.domain.keys import fold
from scim_bridge.domain.people import DirectoryId
from scim_bridge.errors import Invalid
from scim_bridge.store.documents import DocumentReader, by_code_point, reader
from scim_bridge.store.schema import membership, nesting, scim_user, user_group

Condition = sa.ColumnElement[bool]


def user_condition(connection: sa.Connection, directory_id: DirectoryId, filter_: Filter) -> Condition:
    """Return the condition on ``scim_user`` for a filter on a directory's users."""
    document = reader(connection, scim_user.c.document)
    return _Compiler(document, USER_COLUMNS, _USER_LISTS, directory_id).visit(filter_)


def group_condition(connection: sa.Connection, filter_: Filter) -> Condition:
    """Return the condition on ``user_group`` for a filter."""
    return _Compiler(reader(connection, user_group.c.document), GROUP_COLUMNS, _GROUP_LISTS).visit(filter_)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that holds a value of the document; ``folded``: as `domain.keys.fold` makes it."""

    column: sa.ColumnElement[Any]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class _References:
    """A list that is rows of other tables: each with the column that holds ``value`` and the condition of its rows."""

    tables: tuple[tuple[sa.Column[Any], Condition], ...]


USER_COLUMNS: Mapping[Path, Column] = {
    ("id",): Column(scim_user.c.id),
    ("userName",): Column(scim_user.c.user_name_key, folded=True),
    ("externalId",): Column(scim_user.c.external_id),
    ("active",): Column(scim_user.c.active),
    ("meta", "resourceType"): Column(sa.literal("User", sa.String)),
    ("meta", "created"): Column(scim_user.c.created_at),
    ("meta", "lastModified"): Column(scim_user.c.updated_at),
}
GROUP_COLUMNS: Mapping[Path, Column] = {
    ("id",): Column(user_group.c.id),
    ("displayName",): Column(user_group.c.display_name_key, folded=True),
    ("externalId",): Column(user_group.c.external_id),
    ("meta", "resourceType"): Column(sa.literal("Group", sa.String)),
    ("meta", "created"): Column(user_group.c.created_at),
    ("meta", "lastModified"): Column(user_group.c.updated_at),
}
_IN_FORCE = sa.and_(membership.c.valid_to.is_(None), membership.c.origin == "scim", membership.c.held.is_(False))
_NESTED = sa.and_(nesting.c.valid_to.is_(None), nesting.c.origin == "scim", nesting.c.held.is_(False))
_USER_LISTS: Mapping[Path, _References] = {
    ("groups",): _References(
        ((membership.c.group_id, sa.and_(membership.c.scim_user_id == scim_user.c.id, _IN_FORCE)),)
    )
}
_GROUP_LISTS: Mapping[Path, _References] = {
    ("members",): _References(
        (
            (membership.c.scim_user_id, sa.and_(membership.c.group_id == user_group.c.id, _IN_FORCE)),
            (nesting.c.child_id, sa.and_(nesting.c.parent_id == user_group.c.id, _NESTED)),
        )
    )
}


class _Compiler:
    """
    Turns one tree into one condition.

    What is missing is NULL, and counts as false where it is a condition; only below a ``not`` that has to be said.
    Saying it everywhere would keep every index from being used.
    """

    def __init__(
        self,
        document: DocumentReader,
        columns: Mapping[Path, Column],
        lists: Mapping[Path, _References],
        directory_id: DirectoryId | None = None,
    ) -> None:
        self._document = document
        self._columns = columns
        self._lists = lists
        self._directory_id = directory_id

    def visit(self, filter_: Filter) -> Condition:
        match filter_:
            case Compare(attribute, operator, value):
                return self._compare(attribute, operator, value)
            case Present(attribute):
                return self._present(attribute)
            case Some(path, term):
                return self._some(path, term)
            case Not(term):
                return sa.not_(_sure(self.visit(term)))
            case Every(terms):
                return sa.and_(sa.true(), *(self.visit(term) for term in terms))
            case Either(terms):
                return sa.or_(sa.false(), *(self.visit(term) for term in terms))

    def _compare(self, attribute: Attribute, operator: Operator, value: str | bool | float | None) -> Condition:
        if value is None:
            present = self._present(attribute)
            return present if operator is Operator.NOT_EQUAL else sa.not_(_sure(present))
        if operator is Operator.NOT_EQUAL:
            return sa.not_(_sure(self._compare(attribute, Operator.EQUAL, value)))
        known = self._columns.get(attribute.path)
        if known is not None:
            return _compare_column(known, operator, value)
        if isinstance(value, bool):
            flag: Condition = self._document.flag(attribute.path) == ("true" if value else "false")
            return flag
        if isinstance(value, str):
            found, wanted = self._document.text(attribute.path), sa.literal(value, sa.Text)
            if not attribute.exact:
                return _apply(operator, self._document.fold(found), self._document.fold(wanted))
            return _apply(operator, found, wanted)
        return _apply(operator, self._document.number(attribute.path), sa.literal(float(value), sa.Double))

    def _present(self, attribute: Attribute) -> Condition:
        known = self._columns.get(attribute.path)
        if known is not None:
            is_text = isinstance(known.column.type, sa.String)
            return known.column != "" if is_text else known.column.is_not(None)
        if attribute.path in self._lists:
            return sa.or_(
                *(sa.exists().where(condition) for _, condition in self._lists[attribute.path].tables),
            )
        return self._document.present(attribute.path)

    def _some(self, path: Path, term: Filter) -> Condition:
        references = self._lists.get(path)
        if references is None:
            rows, element = self._document.each(path)
            inner = _Compiler(element, {}, {}).visit(term)
            found: Condition = sa.exists(sa.select(sa.literal(1)).select_from(rows).where(inner))
            address = _wanted_address(term) if path == ("emails",) and self._directory_id is not None else None
            return found if address is None else sa.and_(self._may_have(address), found)
        parts = []
        for column, condition in references.tables:
            inner = _Compiler(_Nothing(), {("value",): Column(column)}, {}).visit(term)
            parts.append(sa.exists().where(condition, inner))
        return sa.or_(*parts)

    def _may_have(self, address: str) -> Condition:
        """Narrow down, by index, to the users whose document can hold an e-mail address."""
        other = scim_user.alias()
        mine = sa.select(other.c.id).where(other.c.directory_id == self._directory_id)
        return scim_user.c.id.in_(
            mine.where(other.c.email_key == fold(address)).union_all(mine.where(other.c.more_emails.is_(sa.true())))
        )


def _wanted_address(term: Filter) -> str | None:
    """Return the value that an entry must have, whatever else is asked of it."""
    match term:
        case Compare(Attribute(("value",), _), Operator.EQUAL, str(value)):
            return value
        case Every(terms):
            return next((found for each in terms if (found := _wanted_address(each)) is not None), None)
        case _:
            return None


class _Nothing:
    """The reader for lists of references: of an entry, only ``value`` can be asked."""

    def _refuse(self, *_asked: Any, **_named: Any) -> Any:
        raise Invalid("Of the entries of members and groups, only value can be filtered.", scim_type="invalidFilter")

    text = number = flag = present = each = first_of = fold = _refuse


def _compare_column(known: Column, operator: Operator, value: str | bool | float) -> Condition:
    column = known.column
    if isinstance(column.type, sa.Boolean):
        return column.is_(value) if isinstance(value, bool) else sa.false()
    if not isinstance(value, str):
        return sa.false()
    if not isinstance(column.type, sa.String):
        return _apply(operator, column, sa.literal(_time(value), column.type))
    return _apply(operator, column, sa.literal(fold(value) if known.folded else value, sa.Text))


def _time(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        # Overflow: the first and the last day there are, seen from another zone.
        raise Invalid(f"{value!r} is not a date and time (RFC 7643 §2.3.5).", scim_type="invalidFilter") from None


def _apply(operator: Operator, found: sa.ColumnElement[Any], wanted: sa.ColumnElement[Any]) -> Condition:
    length = sa.func.length
    match operator:
        case Operator.EQUAL:
            return found == wanted
        case Operator.CONTAINS:
            # No LIKE: its wildcards would have to be escaped, and SQLite's ignores case.
            return sa.and_(found.is_not(None), sa.or_(wanted == "", sa.func.replace(found, wanted, "") != found))
        case Operator.STARTS:
            return sa.func.substr(found, 1, length(wanted)) == wanted
        case Operator.ENDS:
            tail = sa.func.substr(found, length(found) - length(wanted) + 1)
            return sa.and_(length(found) >= length(wanted), tail == wanted)
        case _:
            return _in_order(operator, found, wanted)


def _in_order(operator: Operator, found: sa.ColumnElement[Any], wanted: sa.ColumnElement[Any]) -> Condition:
    if isinstance(found.type, sa.String):
        found, wanted = by_code_point(found), by_code_point(wanted)
    match operator:
        case Operator.GREATER:
            return found > wanted
        case Operator.GREATER_OR_EQUAL:
            return found >= wanted
        case Operator.LESS:
            return found < wanted
        case _:
            return found <= wanted


def _sure(condition: Condition) -> Condition:
    return sa.func.coalesce(condition, sa.false())
