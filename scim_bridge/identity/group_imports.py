"""Use case: make groups of the teams of another system; a dry run says line by line what it would do."""

from dataclasses import dataclass, field

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.keys import fold
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.domain.team_files import PROBLEMS, LineOutcome, TeamLine, read_teams
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity.authority import require
from scim_bridge.identity.group_grants import GROUPS, require_putting_in
from scim_bridge.identity.hand_groups import checked_description, checked_group_name, make_group
from scim_bridge.identity.hand_members import put_in_group
from scim_bridge.identity.names import the_group, the_organization
from scim_bridge.store import groups, people
from scim_bridge.store import hand_groups as store
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.group_lists import member_ids
from scim_bridge.store.organizations import Organization


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line of the file and what it leads to; ``message`` says why it leads to nothing."""

    number: int
    group: str
    member: str | None
    outcome: LineOutcome
    message: str = ""


@dataclass(frozen=True, slots=True)
class TeamImport:
    """What an import does, or did when ``applied``; ``problems`` are lines that lead to nothing."""

    lines: tuple[PlannedLine, ...]
    applied: bool

    @property
    def problems(self) -> int:
        """Return how many lines cannot be carried out."""
        return sum(line.outcome in PROBLEMS for line in self.lines)


@dataclass(slots=True)
class _Team:
    """A group of the file: what it is here, and who is to be put in."""

    name: str
    description: str | None = None
    id: GroupId | None = None
    problem: tuple[LineOutcome, str] | None = None
    present: set[MemberId] = field(default_factory=set)
    adding: dict[MemberId, None] = field(default_factory=dict)
    named: set[str | None] = field(default_factory=set)


def import_teams(
    database: Database,
    actor: Actor,
    organization: str,
    text: str,
    kind: str,
    request_id: str | None = None,
    *,
    dry_run: bool,
) -> TeamImport:
    """
    Make the groups that are missing and put in the people who are not in them; nobody is ever taken out.

    Lines that cannot be carried out are told and left out, the others take effect together. With ``dry_run`` nothing
    is written. Raises Invalid for a file that cannot be read.
    """
    lines = read_teams(text, kind)
    if dry_run:
        with database.read() as connection:
            owner = the_organization(connection, organization)
            require(connection, actor, owner.id, GROUPS)
            return TeamImport(tuple(_plan(connection, owner, lines)[0]), applied=False)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        _lock(connection, owner, lines)
        planned, teams = _plan(connection, owner, lines)
        change = new_change(owner.id, actor, "group.imported", now(), request_id)
        filled = [each.id for each in teams.values() if each.id is not None and each.adding]
        require(connection, actor, owner.id, GROUPS)
        require_putting_in(connection, actor, owner.id, filled)
        wanted = [each for each in teams.values() if each.problem is None and (each.id is None or each.adding)]
        if wanted:
            add_change(connection, change, f"{len(wanted)} groups")
        for team in wanted:
            made = team.id or make_group(connection, change, team.name, team.description)
            put_in_group(connection, change, made, store.present_members(connection, team.adding))
        return TeamImport(tuple(planned), applied=True)


def _lock(connection: Connection, owner: Organization, lines: list[TeamLine]) -> None:
    found = {each.id for name in {line.group for line in lines} for each in _candidates(connection, owner, name)}
    groups.lock_groups(connection, sorted(found))


def _candidates(connection: Connection, owner: Organization, name: str) -> list[people.NamedGroup]:
    return people.find_groups(connection, owner.id, name.replace("\x00", ""))


def _plan(
    connection: Connection, owner: Organization, lines: list[TeamLine]
) -> tuple[list[PlannedLine], dict[str, _Team]]:
    keys = {fold(line.member) for line in lines if line.member is not None and "\x00" not in line.member}
    known = people.members_named(connection, owner.id, keys)
    teams: dict[str, _Team] = {}
    planned = []
    for line in lines:
        team = teams.get(fold(line.group))
        is_first = team is None
        if team is None:
            team = teams[fold(line.group)] = _team(connection, owner, line)
        outcome, message = team.problem or _outcome(team, line, known, is_first=is_first)
        planned.append(PlannedLine(line.number, line.group, line.member, outcome, message))
    return planned, teams


def _team(connection: Connection, owner: Organization, line: TeamLine) -> _Team:
    try:
        team = _Team(checked_group_name(line.group), checked_description(line.description))
        team.id = the_group(connection, owner.id, team.name).id
    except NotFound:
        return team
    except (Conflict, Invalid) as error:
        return _Team(line.group, problem=(LineOutcome.NOT_POSSIBLE, str(error)))
    found = store.get_hand_group(connection, team.id)
    if found is None or found.is_read_only:
        directory = found.directory if found is not None else None
        team.problem = (LineOutcome.READ_ONLY_GROUP, f"It belongs to the directory {directory}.")
        return team
    team.present = member_ids(connection, team.id)
    return team


def _outcome(
    team: _Team, line: TeamLine, known: dict[str, list[MemberId]], *, is_first: bool
) -> tuple[LineOutcome, str]:
    key = None if line.member is None else fold(line.member)
    if key in team.named:
        return LineOutcome.DUPLICATE, "An earlier line says the same."
    team.named.add(key)
    creates = LineOutcome.CREATES_GROUP if is_first and team.id is None else None
    if key is None:
        return creates or LineOutcome.NOTHING_NEW, ""
    people_named = known.get(key, [])
    if not people_named:
        return LineOutcome.UNKNOWN_PERSON, f"There is no person {line.member!r} in this organization."
    if len(people_named) > 1:
        return LineOutcome.SEVERAL_PEOPLE, f"{line.member!r} names {len(people_named)} people."
    if people_named[0] in team.present or people_named[0] in team.adding:
        return LineOutcome.NOTHING_NEW, ""
    team.adding[people_named[0]] = None
    return creates or LineOutcome.ADDS_MEMBER, "" if creates is None else "It adds the person too."
