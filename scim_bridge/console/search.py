"""One box for everything: people, groups, projects, clusters, directories and roles, as far as one may see them."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response

from scim_bridge.console.pages import page, to, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import clusters, directories, group_lists, member_lists, roles, tree
from scim_bridge.identity.group_lists import GroupQuery
from scim_bridge.identity.member_lists import MemberQuery

MOST_OF_A_KIND = 8
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: how it is called, what else is to be said of it, and where it is shown."""

    name: str
    more: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Kind:
    """What was found of one kind; ``all_at`` leads to the whole list."""

    label: str
    icon: str
    hits: tuple[Hit, ...]
    all_at: str | None = None


@screen("GET", "/search", title="Search")
def show(visit: Visit) -> Response:
    """Show what is called so."""
    wanted = (visit.asked("q") or "")[:LONGEST]
    return page(visit, "search", wanted=wanted, kinds=find(visit, wanted) if wanted else [])


def find(visit: Visit, wanted: str) -> list[Kind]:
    """Return what is called so, kind by kind, of what the visitor may see."""
    found = [_people(visit, wanted), _groups(visit, wanted)] if visit.may("members:read") else []
    found += [_projects(visit, wanted), _clusters(visit, wanted)]
    if visit.may("organization:directories:read"):
        named = [(each.name, each.kind.value) for each in directories.list_all(visit.database, visit.organization)]
        found.append(_named("Directories", "directory", "directories", "directory", named, wanted))
    if visit.may("org:read"):
        named = [
            (each.name, "built in" if each.built_in else "custom")
            for each in roles.list_all(visit.database, visit.organization)
        ]
        found.append(_named("Roles", "role", "roles", "role", named, wanted))
    return [each for each in found if each.hits]


def _people(visit: Visit, wanted: str) -> Kind:
    page_ = member_lists.list_page(visit.database, visit.organization, MemberQuery(search=wanted), MOST_OF_A_KIND)
    hits = tuple(
        Hit(each.display_name or each.user_name, each.user_name, url("members.show", member=each.id))
        for each in page_.members
    )
    return Kind("Members", "people", hits, url("members.list", search=wanted))


def _groups(visit: Visit, wanted: str) -> Kind:
    page_ = group_lists.list_page(visit.database, visit.organization, GroupQuery(search=wanted), MOST_OF_A_KIND)
    hits = tuple(
        Hit(each.name, each.directory or "made by hand", _to("groups", group=each.id)) for each in page_.groups
    )
    return Kind("Groups", "group", hits, to("groups.list", search=wanted))


def _projects(visit: Visit, wanted: str) -> Kind:
    found = tree.list_projects(visit.database, visit.organization, visit.actor)
    return _named("Projects", "project", "projects", "project", [(each.name, each.unit) for each in found], wanted)


def _clusters(visit: Visit, wanted: str) -> Kind:
    found = clusters.list_all(visit.database, visit.organization, visit.actor)
    named = [(each.name, each.unit or "the organization") for each in found]
    return _named("Clusters", "cluster", "clusters", "cluster", named, wanted)


def _named(label: str, icon: str, room: str, key: str, named: Iterable[tuple[str, str]], wanted: str) -> Kind:
    folded = wanted.casefold()
    hits = [Hit(name, more, _to(room, **{key: name})) for name, more in named if folded in name.casefold()]
    return Kind(label, icon, tuple(hits[:MOST_OF_A_KIND]), to(f"{room}.list"))


def _to(room: str, **path: str) -> str | None:
    return to(f"{room}.show", **path) or to(f"{room}.list")
