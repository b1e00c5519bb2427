"""The rows behind 10,000 bindings: people, groups, and a project with one namespace and one grant for each group."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.bindings import Binding
from scim_bridge.domain.organizations import ScopeKind
from scim_bridge.domain.people import MemberId
from scim_bridge.store.database import Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import (
    applied_binding,
    applied_subject,
    grant,
    grant_origin,
    member,
    membership,
    project,
    project_namespace,
    user_group,
)
from tests.sync.worlds import World

Row = dict[str, Any]
AT_ONCE = 10_000


def put_company(world: World, groups: int, people_in_each: int) -> list[str]:
    """Add as many people as groups, each in so many groups; return the ids of the people."""
    people = [new_id() for _ in range(groups)]
    teams = [new_id() for _ in range(groups)]
    named = [f"team-{number:05}" for number in range(groups)]
    _insert(world, member, (
        {"id": each, "user_name": f"person-{number:05}@example.com", "state": "active", "source": "scim",
         "created_at": world.at}
        for number, each in enumerate(people)
    ))  # fmt: skip
    _insert(world, user_group, (
        {"id": each, "display_name": name, "display_name_key": name, "version": 1, "created_at": world.at,
         "updated_at": world.at}
        for each, name in zip(teams, named, strict=True)
    ))  # fmt: skip
    # A step that has no part in common with the number of people, so that no two are in the same groups.
    _insert(world, membership, (
        {"id": new_id(), "group_id": team, "member_id": people[(number + step * 997) % groups], "origin": "scim",
         "valid_from": world.at}
        for number, team in enumerate(teams)
        for step in range(people_in_each)
    ))  # fmt: skip
    _grant(world, teams, named)
    return people


def put_team(world: World, size: int) -> tuple[str, list[str]]:
    """Add one group of so many people with a role on the whole cluster; return its id and theirs."""
    people, group = [new_id() for _ in range(size)], world.add_group("team")
    _insert(world, member, (
        {"id": each, "user_name": f"person-{number:06}@example.com", "state": "active", "source": "scim",
         "created_at": world.at}
        for number, each in enumerate(people)
    ))  # fmt: skip
    _insert(world, membership, (
        {"id": new_id(), "group_id": group, "member_id": each, "origin": "scim", "valid_from": world.at}
        for each in people
    ))  # fmt: skip
    world.give("edit", group=group)
    return group, people


def join_groups(world: World, count: int) -> None:
    """Put one more person into so many groups."""
    query = sa.select(user_group.c.id).order_by(user_group.c.display_name).limit(count)
    with world.database.read() as connection:
        teams = list(connection.execute(query).scalars())
    newcomer = world.add_member("newcomer@example.com")
    _insert(world, membership, (
        {"id": new_id(), "group_id": team, "member_id": newcomer, "origin": "scim", "valid_from": world.at}
        for team in teams
    ))  # fmt: skip


def record(
    database: Database, world: World, written: list[tuple[Binding, str, str, str]], owners: dict[str, MemberId]
) -> None:
    """Write down what was applied, as the passes that did it would have: (binding, name, uid, version) of each."""
    ids = [new_id() for _ in written]
    _insert(world, applied_binding, (
        {"id": made, "cluster_id": world.cluster_id, "name": name, "namespace": binding.key.family.namespace or "",
         "key": binding.key.canonical, "uid": uid, "resource_version": version, "digest": binding.digest,
         "subject_count": len(binding.subjects), "applied_at": world.at}
        for made, (binding, name, uid, version) in zip(ids, written, strict=True)
    ))  # fmt: skip
    rows = (
        {"cluster_id": world.cluster_id, "subject": subject, "binding_id": made, "member_id": owners[subject]}
        for made, (binding, *_) in zip(ids, written, strict=True)
        for subject in binding.subjects
    )
    _write(database, applied_subject, rows)


def _grant(world: World, teams: list[str], named: list[str]) -> None:
    projects, grants = [new_id() for _ in teams], [new_id() for _ in teams]
    _insert(world, project, (
        {"id": made, "name": name, "created_at": world.at} for made, name in zip(projects, named, strict=True)
    ))  # fmt: skip
    _insert(world, project_namespace, (
        {"id": new_id(), "project_id": made, "namespace": name, "valid_from": world.at}
        for made, name in zip(projects, named, strict=True)
    ))  # fmt: skip
    _insert(world, grant, (
        {"id": made, "group_id": team, "scope_kind": ScopeKind.PROJECT.value, "scope_id": place,
         "kubernetes_role": "edit", "valid_from": world.at}
        for made, team, place in zip(grants, teams, projects, strict=True)
    ))  # fmt: skip
    _insert(world, grant_origin, (
        {"id": new_id(), "grant_id": made, "kind": "manual", "valid_from": world.at} for made in grants
    ))  # fmt: skip


def _insert(world: World, table: sa.Table, rows: Iterator[Row]) -> None:
    _write(world.database, table, ({"organization_id": world.organization_id, **row} for row in rows))


def _write(database: Database, table: sa.Table, rows: Iterator[Row]) -> None:
    found = list(rows)
    for start in range(0, len(found), AT_ONCE):
        with database.write() as connection:
            connection.execute(sa.insert(table), found[start : start + AT_ONCE])
