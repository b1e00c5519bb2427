"""
An organization's access at a moment, from nothing but its audit: folded entry by entry, then decided naively.

It shares no code with the bridge: what it finds is a second opinion. Each effect of a change has a line in `_HANDLERS`;
one that has none fails, so that nothing new goes unnoticed.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.store.database import Database
from scim_bridge.store.schema import audit_entry

Effect = dict[str, Any]
STRENGTH = {"none": 0, "view": 1, "edit": 2, "cluster-admin": 3}


@dataclass
class Replayed:
    """What access is derived from, as the audit up to a moment has it."""

    organization_id: str
    at: datetime
    facts: dict[tuple[str, str], str | None] = field(default_factory=dict)
    nouns: dict[str, str] = field(default_factory=dict)
    members: dict[str, str | None] = field(default_factory=dict)
    users: dict[str, Effect] = field(default_factory=dict)
    groups: dict[str, str | None] = field(default_factory=dict)
    memberships: dict[tuple[str, str, str], Effect] = field(default_factory=dict)
    nestings: set[tuple[str, str, str]] = field(default_factory=set)
    origins: dict[str, Effect] = field(default_factory=dict)
    rules: dict[str, Effect] = field(default_factory=dict)
    namespaces: list[Effect] = field(default_factory=list)
    project_clusters: set[tuple[str, str]] = field(default_factory=set)
    roles: dict[str, list[str]] = field(default_factory=dict)

    def fact(self, about: str, attribute: str, otherwise: str | None = None) -> str | None:
        """Return what was said of something."""
        return self.facts.get((about, attribute), otherwise)

    def known(self, noun: str, attribute: str) -> list[str]:
        """Return everything of which something is said."""
        return sorted(about for about, named in self.facts if named == attribute and self.nouns[about] == noun)


def replay(database: Database, organization_id: str, at: datetime) -> Replayed:
    """Play the audit up to a moment, in the order in which it was made."""
    query = (
        sa.select(audit_entry.c.detail)
        .where(
            audit_entry.c.organization_id == organization_id,
            audit_entry.c.action == "access.changed",
            audit_entry.c.at <= at,
        )
        .order_by(audit_entry.c.at, audit_entry.c.id)
    )
    with database.read() as connection:
        details = [json.loads(text) for text in connection.execute(query).scalars()]
    state = Replayed(organization_id, at)
    for detail in details:
        for effect in detail["effects"]:
            _HANDLERS[effect["effect"]](state, effect)
    return state


def _fact(state: Replayed, e: Effect) -> None:
    state.facts[e["object"], e["attribute"]] = e.get("value")
    state.nouns[e["object"]] = e["noun"]


def _facts_ended(state: Replayed, e: Effect) -> None:
    state.facts = {key: value for key, value in state.facts.items() if key[0] != e["object"]}


def _memberships_began(state: Replayed, e: Effect) -> None:
    for member, user in e["members"].items():
        state.memberships[e["group"], member, e["origin"]] = {"user": user, "expires_at": e.get("expires_at")}


def _memberships_ended(state: Replayed, e: Effect) -> None:
    def goes(key: tuple[str, str, str], row: Effect) -> bool:
        group, member, origin = key
        if "member" in e:
            return bool(member == e["member"])
        if "user" in e:
            return bool(row["user"] == e["user"])
        return bool(group == e["group"] and member in e["members"] and origin == e.get("origin", origin))

    state.memberships = {key: row for key, row in state.memberships.items() if not goes(key, row)}


def _nestings_began(state: Replayed, e: Effect) -> None:
    state.nestings |= {(e["parent"], child, e["origin"]) for child in e["children"]}


def _nestings_ended(state: Replayed, e: Effect) -> None:
    if "group" in e:
        state.nestings = {each for each in state.nestings if e["group"] not in each[:2]}
        return
    state.nestings = {
        (parent, child, origin)
        for parent, child, origin in state.nestings
        if parent != e["parent"] or child not in e["children"] or origin != e.get("origin", origin)
    }


def _directory_emptied(state: Replayed, e: Effect) -> None:
    gone = {group for group, directory in state.groups.items() if directory == e["directory"]}
    users = {user for user, row in state.users.items() if row["directory"] == e["directory"]}
    state.memberships = {
        key: row for key, row in state.memberships.items() if key[0] not in gone and row["user"] not in users
    }
    state.nestings = {each for each in state.nestings if not gone & set(each[:2])}
    for group in gone:
        del state.groups[group]


def _namespace_ended(state: Replayed, e: Effect) -> None:
    told = {**e, "effect": "namespace.began"}
    state.namespaces = [each for each in state.namespaces if each != told]


def _project_cluster_ended(state: Replayed, e: Effect) -> None:
    state.project_clusters = {
        (project, cluster)
        for project, cluster in state.project_clusters
        if cluster != e["cluster"] or project != e.get("project", project)
    }


def _organization_ended(state: Replayed, e: Effect) -> None:
    empty = Replayed(state.organization_id, state.at)
    for name in Replayed.__dataclass_fields__:
        setattr(state, name, getattr(empty, name))


def _origins_ended(state: Replayed, e: Effect) -> None:
    for origin in e["origins"]:
        del state.origins[origin]


_HANDLERS: dict[str, Callable[[Replayed, Effect], object]] = {
    "fact": _fact,
    "facts.ended": _facts_ended,
    "member.began": lambda state, e: state.members.update({e["member"]: e.get("directory")}),
    "user.began": lambda state, e: state.users.update({e["user"]: e}),
    "group.began": lambda state, e: state.groups.update({e["group"]: e.get("directory")}),
    "group.ended": lambda state, e: state.groups.pop(e["group"]),
    "memberships.began": _memberships_began,
    "memberships.ended": _memberships_ended,
    "nestings.began": _nestings_began,
    "nestings.ended": _nestings_ended,
    "directory.emptied": _directory_emptied,
    "origin.began": lambda state, e: state.origins.update({e["origin"]: dict(e)}),
    "origin.expires": lambda state, e: state.origins[e["origin"]].update(expires_at=e.get("expires_at")),
    "origins.ended": _origins_ended,
    "rule.began": lambda state, e: state.rules.update({e["rule"]: e}),
    "rule.ended": lambda state, e: None,
    "role.began": lambda state, e: state.roles.update({e["role"]: e["permissions"]}),
    "role.ended": lambda state, e: state.roles.pop(e["role"], None),
    "namespace.began": lambda state, e: state.namespaces.append(e),
    "namespace.ended": _namespace_ended,
    "project_cluster.ended": _project_cluster_ended,
    "organization.ended": _organization_ended,
    "project_cluster.began": lambda state, e: state.project_clusters.add((e["project"], e["cluster"])),
}


@dataclass(frozen=True)
class Opinion:
    """What one person has, by ids: cluster-wide roles, roles in namespaces, API roles at the places of their grants."""

    clusters: dict[str, str]
    namespaces: dict[tuple[str, str], str]
    api_roles: dict[str, set[str]]


def opinion(state: Replayed, member: str) -> Opinion:
    """Decide what a person has, one small rule after the other, without any cleverness."""
    held = _grants_of(state, member)
    clusters, namespaces = {}, {}
    for cluster in _clusters(state):
        role = _cluster_role(state, held, cluster)
        if role is not None:
            clusters[cluster] = role
        for namespace, added in _namespaces(state, held, cluster).items():
            namespaces[cluster, namespace] = added
    places = {state.organization_id} | {grant["scope"][1] for grant in held if grant.get("api_role")}
    api = {place: _api_roles(state, held, place) for place in places}
    return Opinion(clusters, namespaces, {place: roles for place, roles in api.items() if roles})


def _is_pending(state: Replayed, directory: str | None) -> bool:
    return directory is not None and state.fact(directory, "state") == "pending"


def _is_over(state: Replayed, expires_at: str | None) -> bool:
    return expires_at is not None and datetime.fromisoformat(expires_at) <= state.at


def _counts(state: Replayed, member: str, row: Effect) -> bool:
    if _is_over(state, row["expires_at"]):
        return False
    if row["user"] is None:
        return True
    user = state.users[row["user"]]
    says_active = state.fact(row["user"], "active", "true" if user["active"] else "false") == "true"
    authority = state.fact(member, "directory", state.members.get(member))
    return says_active or authority is None or authority == user["directory"]


def _groups_of(state: Replayed, member: str) -> set[str]:
    def gives(group: str) -> bool:
        return group in state.groups and not _is_pending(state, state.groups[group])

    found = {
        group
        for (group, who, _), row in state.memberships.items()
        if who == member and gives(group) and _counts(state, member, row)
    }
    while True:
        above = {parent for parent, child, _ in state.nestings if child in found and gives(parent)}
        if above <= found:
            return found
        found |= above


def _grants_of(state: Replayed, member: str) -> list[Effect]:
    """Return the grants that a person holds, each with its origins that count."""
    if state.fact(member, "state") != "active":
        return []
    groups = _groups_of(state, member)
    grants: dict[str, Effect] = {}
    for origin in state.origins.values():
        mine = origin.get("member") == member or origin.get("group") in groups
        rule = state.rules.get(origin.get("rule") or "")
        if (
            not mine
            or _is_over(state, origin.get("expires_at"))
            or _is_pending(state, rule["directory"] if rule else None)
        ):
            continue
        grant = grants.setdefault(origin["grant"], {**origin, "priorities": [], "by_hand": False})
        if origin["kind"] == "rule":
            assert rule is not None
            grant["priorities"].append(rule["priority"])
        else:
            grant["by_hand"] = True
    return list(grants.values())


def _standing(grants: Iterable[Effect]) -> list[Effect]:
    found = list(grants)
    lowest = min((each for grant in found for each in grant["priorities"]), default=None)
    return [grant for grant in found if grant["by_hand"] or lowest in grant["priorities"]]


def _units_above(state: Replayed, unit: str | None) -> list[str]:
    found = []
    while unit is not None:
        found.append(unit)
        unit = state.fact(unit, "parent")
    return found


def _clusters(state: Replayed) -> list[str]:
    return [each for each in state.known("cluster", "state") if state.fact(each, "state") != "removed"]


def _cluster_role(state: Replayed, held: list[Effect], cluster: str) -> str | None:
    for place in [cluster, *_units_above(state, state.fact(cluster, "unit")), state.organization_id]:
        there = _standing(g for g in held if g["scope"][1] == place and g.get("kubernetes_role"))
        if there:
            return str(max((g["kubernetes_role"] for g in there), key=lambda role: STRENGTH[role]))
    return None


def _namespaces(state: Replayed, held: list[Effect], cluster: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, owned in _owned(state, cluster).items():
        there = _standing(g for g in held if g["scope"][1] == place and g.get("kubernetes_role"))
        roles = [g["kubernetes_role"] for g in there if g["kubernetes_role"] not in ("cluster-admin",)]
        role = max(roles, key=lambda each: STRENGTH[each], default="none")
        for namespace in owned if role != "none" else ():
            found[namespace] = max(role, found.get(namespace, "none"), key=lambda each: STRENGTH[each])
    return found


def _owned(state: Replayed, cluster: str) -> dict[str, set[str]]:
    """Return the namespaces of each project and service on a cluster; the earlier of two that claim one has it."""
    found: dict[str, set[str]] = {}
    taken: set[str] = set()
    for project in state.known("project", "unit"):
        listed = {each for owner, each in state.project_clusters if owner == project}
        here = cluster in listed if listed else state.fact(cluster, "unit") == state.fact(project, "unit")
        if not here:
            continue
        services = {
            service: state.fact(service, "namespace") or ""
            for service in state.known("service", "project")
            if state.fact(service, "project") == project
        }
        claimed = {e["namespace"] for e in state.namespaces if e["project"] == project} | set(services.values())
        found[project] = claimed - taken
        found |= {service: {name} for service, name in services.items() if name in found[project]}
        taken |= claimed
    return found


def _api_roles(state: Replayed, held: list[Effect], place: str) -> set[str]:
    return {
        grant["api_role"]
        for above in _lineage(state, place)
        for grant in _strongest_of_equals(_standing(g for g in held if g["scope"][1] == above and g.get("api_role")))
    }


def _strongest_of_equals(standing: list[Effect]) -> list[Effect]:
    order = ["viewer", "developer", "admin", "owner"]
    by_rule = [order.index(g["api_role"]) for g in standing if g["priorities"]]
    return [g for g in standing if g["by_hand"] or order.index(g["api_role"]) == max(by_rule, default=0)]


def _lineage(state: Replayed, place: str) -> list[str]:
    if place == state.organization_id:
        return [place]
    noun = state.nouns[place]
    unit = place if noun == "unit" else state.fact(state.fact(place, "project") or place, "unit")
    inside = [place] if noun != "unit" else []
    if noun == "service":
        inside.append(state.fact(place, "project") or "")
    return [*inside, *_units_above(state, unit), state.organization_id]
