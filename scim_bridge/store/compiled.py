"""A statement in the words of one driver: its text, how values go in, and how rows come out."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect, IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]

READS = (sa.Select, sa.CompoundSelect)
_PLACEHOLDER = re.compile(r"\$(\d+)")


class Scalars(list[Any]):
    """The first column of some rows."""

    def all(self) -> list[Any]:
        """Return them."""
        return self

    def first(self) -> Any:
        """Return the first one, None if there is none."""
        return self[0] if self else None


class Found:
    """The rows of a statement, read already: what is usually asked of SQLAlchemy's results, without their cost."""

    __slots__ = ("_names", "_rows", "rowcount")

    def __init__(self, names: SimpleResultMetaData, rows: Sequence[Sequence[Any]], count: int) -> None:
        self._names = names
        self._rows = rows
        self.rowcount = count

    def __iter__(self) -> Iterator[Any]:
        names, places = self._names, self._names._key_to_index
        return iter([sa.Row(names, None, places, row) for row in self._rows])

    def all(self) -> list[Any]:
        """Return every row."""
        return list(self)

    def first(self) -> Any:
        """Return the first row, None if there is none."""
        return sa.Row(self._names, None, self._names._key_to_index, self._rows[0]) if self._rows else None

    def scalars(self) -> Scalars:
        """Return the first column."""
        return Scalars([row[0] for row in self._rows])

    def one_or_none(self) -> Any:
        """Return the only row, None if there is none; raises MultipleResultsFound."""
        return self.first() if len(self._rows) < 2 else self._whole().one_or_none()

    def scalar_one(self) -> Any:
        """Return the first column of the only row; raises NoResultFound and MultipleResultsFound."""
        return self._rows[0][0] if len(self._rows) == 1 else self._whole().scalar_one()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole(), name)

    def _whole(self) -> IteratorResult[Any]:
        """Return what SQLAlchemy's own way would have."""
        return IteratorResult(self._names, iter(self._rows))


class Written:
    """One statement as a text for one driver, with how values go in and come out."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self.text = str(compiled)
        self.is_read = isinstance(compiled.statement, READS)
        names = {name: bind for bind, name in compiled.bind_names.items()}
        binds = [names[name] for name in compiled.positiontup or ()]
        self._defaults = {bind.key: bind.value for bind in binds if not bind.required}
        self.sent = len(binds)
        self._pick = _picking([bind.key for bind in binds])
        inputs = [bind.type.dialect_impl(dialect).bind_processor(dialect) for bind in binds]
        self._inputs = [(place, convert) for place, convert in enumerate(inputs) if convert is not None]
        columns = compiled._result_columns
        self.names = SimpleResultMetaData([column.keyname for column in columns])
        outputs = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._outputs = [(place, convert) for place, convert in enumerate(outputs) if convert is not None]

    def values(self, sent: Values) -> Sequence[Any]:
        """Return the parameters as the driver wants them; raises KeyError for one that is missing."""
        picked = self._pick({**self._defaults, **sent} if self._defaults else sent)
        if not self._inputs:
            return picked
        made = list(picked)
        for place, convert in self._inputs:
            made[place] = convert(made[place])
        return made

    def rows(self, found: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """Return rows as Python's own types."""
        if not self._outputs or not found:
            return found
        read = [list(row) for row in found]
        for place, convert in self._outputs:
            for row in read:
                row[place] = convert(row[place])
        return [tuple(row) for row in read]


class Together:
    """Several statements as one, which PostgreSQL runs in one go: none of them sees what the others write."""

    def __init__(self, parts: tuple[Written, ...]) -> None:
        texts, sent = [], 0
        for part in parts:
            texts.append(_PLACEHOLDER.sub(partial(_moved, sent), part.text))
            sent += part.sent
        *before, last = texts
        named = [f"w{number} AS ({text})" for number, text in enumerate(before)]
        self.text = f"WITH {', '.join(named)} {last}" if named else last
        self.names = parts[-1].names
        self._parts = parts

    def values(self, sent: Sequence[Values]) -> Sequence[Any]:
        """Return the parameters of all of them, one behind the other."""
        return [value for part, each in zip(self._parts, sent, strict=True) for value in part.values(each)]

    def rows(self, found: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """Return what nobody asks for."""
        return found


@lru_cache(maxsize=512)
def together(*parts: Written) -> Together:
    """Return these statements as one."""
    return Together(parts)


def _moved(by: int, found: "re.Match[str]") -> str:
    return f"${int(found[1]) + by}"


def _picking(keys: list[str]) -> Callable[[Values], Sequence[Any]]:
    """Return what picks these values, in this order."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return (lambda sent: (sent[keys[0]],)) if keys else (lambda _: ())
