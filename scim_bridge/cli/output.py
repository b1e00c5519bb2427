"""How verbs answer: one JSON document for a machine, short aligned tables and sentences for a person."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

Verb = TypeVar("Verb", bound=Callable[..., Any])


def json_option(verb: Verb) -> Verb:
    """Give a verb its --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(verb)


def organization_option(verb: Verb) -> Verb:
    """Give a verb its --organization."""
    return click.option(
        "--organization", "-o", metavar="SLUG", help="The organization; may be left out while there is only one."
    )(verb)


def say(as_json: bool, document: object, text: str) -> None:
    """Print the document for a machine, or the text for a person."""
    if as_json:
        import orjson

        options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z
        text = orjson.dumps(document, option=options, default=_plain).decode()
    click.echo(text)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "Nothing.") -> str:
    """Return rows as aligned columns under their headings, or ``empty``."""
    lines = [[str(heading).upper() for heading in headings]]
    lines += [["-" if cell in (None, "") else str(cell) for cell in row] for row in rows]
    if len(lines) == 1:
        return empty
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(_aligned(line, widths) for line in lines)


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Return names and values, one a line, aligned."""
    known = [(name, "-" if value in (None, "") else str(value)) for name, value in pairs]
    width = max((len(name) for name, _ in known), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}" for name, value in known)


def time(moment: datetime | None) -> str:
    """Return a time as people read it, in UTC."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment(text: str | None) -> str:
    """Return a time of a document as people read it, in UTC."""
    return "" if text is None else time(datetime.fromisoformat(text))


def joined(values: Iterable[object]) -> str:
    """Return values in one cell."""
    return ", ".join(str(value) for value in values)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _plain(value: object) -> object:
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
