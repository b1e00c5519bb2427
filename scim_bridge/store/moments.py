"""Now, or a moment of the past: which rows were in force, which objects were there, what was said of them."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_bridge.store.schema import fact

AT = "at"


@dataclass(frozen=True, slots=True)
class Moment:
    """
    A time to read at; statements made with it take the parameter ``at``.

    What is in force now is found by an index of its own: only the past is looked for by its time. A change counts from
    its own moment on.
    """

    is_past: bool = False

    def in_force(self, table: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return the condition for rows with from/to."""
        if not self.is_past:
            return table.c.valid_to.is_(None)
        return self._between(table.c.valid_from, table.c.valid_to)

    def was_there(self, table: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return the condition for objects that are made and removed."""
        if not self.is_past:
            return table.c.removed_at.is_(None)
        return self._between(table.c.created_at, table.c.removed_at)

    def value(self, owner: sa.ColumnElement[Any], attribute: str, present: sa.ColumnElement[Any]) -> Any:
        """Return what an attribute of an object was; where nobody recorded it, it never changed."""
        if not self.is_past:
            return present
        # An alias each: several of them may stand in one statement.
        said = fact.alias()
        told = (said.c.object_id == owner, said.c.attribute == attribute)
        then = self._between(said.c.valid_from, said.c.valid_to)
        known = sa.exists().where(*told, then)
        return sa.case((known, sa.select(said.c.value).where(*told, then).scalar_subquery()), else_=present)

    def _between(self, start: sa.ColumnElement[Any], end: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        at = sa.bindparam(AT, type_=start.type)
        return sa.and_(start <= at, sa.or_(end.is_(None), end > at))


NOW = Moment()
THEN = Moment(is_past=True)
