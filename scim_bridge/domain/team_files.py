"""Files of teams from elsewhere, read as lines: which person is in which group."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from scim_bridge.errors import Invalid

MOST_LINES = 50_000
COLUMNS = ("group", "member", "description")


class LineOutcome(StrEnum):
    """What a line of such a file leads to."""

    CREATES_GROUP = "creates_group"
    ADDS_MEMBER = "adds_member"
    NOTHING_NEW = "nothing_new"
    DUPLICATE = "duplicate"
    UNKNOWN_PERSON = "unknown_person"
    SEVERAL_PEOPLE = "several_people"
    READ_ONLY_GROUP = "read_only_group"
    NOT_POSSIBLE = "not_possible"


PROBLEMS = frozenset(
    {
        LineOutcome.UNKNOWN_PERSON,
        LineOutcome.SEVERAL_PEOPLE,
        LineOutcome.READ_ONLY_GROUP,
        LineOutcome.NOT_POSSIBLE,
    }
)


@dataclass(frozen=True, slots=True)
class TeamLine:
    """One line: a group, and a person in it or nobody. ``number`` is the line of the CSV, or the entry of the JSON."""

    number: int
    group: str
    member: str | None
    description: str | None = None


def read_teams(text: str, kind: str) -> list[TeamLine]:
    """Read ``csv`` or ``json``; raises Invalid that names the line."""
    if kind not in ("csv", "json"):
        raise Invalid(f"{kind!r} is no format of teams: csv or json.", field="format")
    lines = _read_csv(text) if kind == "csv" else _read_json(text)
    if len(lines) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} lines at once.", field="content")
    return lines


def _read_csv(text: str) -> list[TeamLine]:
    try:
        rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
        if "group" not in names or not set(names) <= set(COLUMNS):
            raise Invalid("The first line names the columns: group,member and perhaps description.", field="content")
        rows.fieldnames = names
        return [_csv_line(rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise Invalid(f"The file is not CSV: {error}.", field="content") from None


def _csv_line(number: int, row: Mapping[str | None, object]) -> TeamLine:
    if None in row:
        raise Invalid(f"Line {number} has more fields than the first line.", field=f"line {number}")
    texts = {name: str(row.get(name) or "").strip() for name in COLUMNS}
    return TeamLine(number, texts["group"], texts["member"] or None, texts["description"] or None)


def _read_json(text: str) -> list[TeamLine]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The file is not JSON: {error}.", field="content") from None
    teams = document.get("teams") if isinstance(document, dict) else document
    if not isinstance(teams, list):
        raise Invalid('The file is a list of teams, or {"teams": [...]}.', field="content")
    return [line for number, team in enumerate(teams, 1) for line in _json_lines(number, team)]


def _json_lines(number: int, team: object) -> Iterable[TeamLine]:
    place = f"teams[{number - 1}]"
    if not isinstance(team, dict) or not isinstance(team.get("name"), str):
        raise Invalid(f"The team {number} has no name.", field=place)
    members, description = team.get("members", []), team.get("description")
    if not isinstance(members, list) or not isinstance(description, str | None):
        raise Invalid(f"The members of the team {number} are a list, its description is a text.", field=place)
    yield TeamLine(number, team["name"].strip(), None, description)
    for each in members:
        named = each.get("email") if isinstance(each, dict) else each
        if not isinstance(named, str):
            raise Invalid(f"A member of the team {number} is a text, or has an email.", field=f"{place}.members")
        yield TeamLine(number, team["name"].strip(), named.strip() or None)
