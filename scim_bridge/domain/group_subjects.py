"""
Groups that stand for their members in a cluster's bindings, where that cannot give anybody more than they have.

A group's subject is one line for a thousand people, and its price is that it ends with their tokens. So a group is
used for a role only while the bridge knows everybody in it, its members' tokens carry it, and each of them may have
that role there anyway; else its members are named one by one, and the reason is told.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from scim_bridge.domain.access import Grant, Snapshot
from scim_bridge.domain.bindings import MAX_SUBJECT, Binding, Family, SubjectKind
from scim_bridge.domain.organizations import CaseRule, Cluster, SubjectMode
from scim_bridge.domain.people import GroupFacts, GroupId, MemberId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid

GROUP_FIELDS = ("group", "external_id")
MAX_TEMPLATE = 255
EXPANDED = "GroupExpanded"

Families = frozenset[Family]
Place = tuple[Family, str]
"""A group's subject in a family of group subjects."""


def checked_group_template(text: str) -> str:
    """Return a template of group names; raises Invalid for one that does not name the group."""
    names = re.findall(r"\{([^{}]*)\}", text)
    rest = re.sub(r"\{[^{}]*\}", "", text)
    if (
        len(names) != 1
        or names[0] not in GROUP_FIELDS
        or {"{", "}"} & set(rest)
        or len(text) > MAX_TEMPLATE
        or text != text.strip()
        or not text.isprintable()
    ):
        raise Invalid(
            "A group template is a text with {group}, its name, or {external_id}, the id that its identity provider "
            "has for it, e.g. oidc:{group}.",
            field="group_template",
        )
    if text.lower().startswith("system:"):
        raise Invalid("A group template may not make system: names.", field="group_template")
    return text


def render_group(cluster: Cluster, name: str, external_id: str | None) -> str:
    """
    Render the group string that the cluster's authenticator would produce.

    Raises Invalid where nobody said how, for an empty result and for a ``system:`` one.
    """
    if not cluster.group_template:
        raise Invalid("nobody has said how this cluster's tokens name groups")
    value = (external_id or "") if "{external_id}" in cluster.group_template else name
    text = re.sub(r"\{[^{}]*\}", lambda _: value, cluster.group_template)
    if cluster.group_case is CaseRule.LOWER:
        text = text.lower()
    if not value.strip():
        raise Invalid(f"the group template {cluster.group_template!r} has no value for it")
    if text.lower().startswith("system:") or text != text.strip() or not text.isprintable() or len(text) > MAX_SUBJECT:
        raise Invalid(f"{text[:80]!r} cannot be a subject: it is reserved, too long or has blanks at its ends")
    return text


def why_not_sent(cluster: Cluster, facts: GroupFacts) -> str | None:
    """Return why a group is not in this cluster's tokens, None where it is."""
    if facts.directory_id is None:
        return "it is kept by hand here, and no token carries it"
    if facts.directory_id != cluster.group_directory:
        return "this cluster's tokens carry the groups of another directory, or nobody said of which"
    if not fnmatchcase(facts.name, cluster.group_filter):
        return f"this cluster's tokens carry only groups named {cluster.group_filter}"
    return None


def groups_in_token(cluster: Cluster, groups: Iterable[GroupFacts]) -> tuple[str, ...]:
    """
    Return by what names somebody's groups are in their token.

    Where nobody said of which directory those are, all count: a question of what somebody may do must not be too small.
    """
    found = set()
    for facts in groups:
        if cluster.group_directory and why_not_sent(cluster, facts) is not None:
            continue
        with suppress(Invalid):
            found.add(render_group(cluster, facts.name, facts.external_id))
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class StandIns:
    """
    Which groups stand for whom, by the group's subject and its family.

    ``groups`` says which group each subject is; ``reasons`` are why others stand for nobody, by the group's name.
    ``unheard`` are people for whom a group stands although they are in too many for their token to carry any.
    """

    through: Mapping[Place, frozenset[MemberId]] = field(default_factory=dict)
    groups: Mapping[str, GroupId] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    unheard: frozenset[MemberId] = frozenset()

    def covered(self) -> dict[Family, set[MemberId]]:
        """Return who need not be named in a family of users."""
        found: dict[Family, set[MemberId]] = {}
        for (family, _), members in self.through.items():
            found.setdefault(family.of_users, set()).update(members)
        return found


def stand_ins(
    snapshot: Snapshot,
    cluster: Cluster,
    held: Mapping[MemberId, Families],
    families_of: Callable[[Iterable[Grant]], Families],
) -> StandIns:
    """
    Return which groups stand for their members on a cluster.

    ``held`` are the families of users in which everybody is to be who has a subject there at all, ``families_of`` says
    what some grants alone give. Nothing stands for anybody in a snapshot that does not hold everybody.
    """
    if cluster.subject_mode is SubjectMode.USER or not snapshot.groups:
        return StandIns()
    people = _People(snapshot, cluster, held)
    through: dict[Place, frozenset[MemberId]] = {}
    groups: dict[str, GroupId] = {}
    reasons: dict[str, list[str]] = {}
    for group_id in sorted(snapshot.groups.keys() & snapshot.grants_of_group.keys()):
        facts = snapshot.groups[group_id]
        given = families_of(snapshot.grants_of_group[group_id])
        if not given or not people.of.get(group_id):
            continue
        try:
            found, problems = _of_group(cluster, facts, given, people)
        except Invalid as error:
            found, problems = {}, [str(error)]
        through |= found
        groups |= {subject: group_id for _, subject in found}
        if problems:
            reasons.setdefault(facts.name, []).extend(problems)
    told = {name: "; ".join(dict.fromkeys(problems)) for name, problems in reasons.items()}
    unheard = frozenset(each for members in through.values() for each in members if each in people.silent)
    return StandIns(through, groups, told, unheard)


class _People:
    """Who is in which group, and what each has."""

    def __init__(self, snapshot: Snapshot, cluster: Cluster, held: Mapping[MemberId, Families]) -> None:
        self.held = held
        self.of: dict[GroupId, list[MemberId]] = {}
        self.silent: set[MemberId] = set()
        self.names = {member_id: member.user_name for member_id, member in snapshot.members.items()}
        for member_id in sorted(snapshot.members):
            groups = snapshot.groups_of.get(member_id, ())
            if not snapshot.members[member_id].is_active:
                continue
            for group_id in groups:
                self.of.setdefault(group_id, []).append(member_id)
            if len(groups) > cluster.group_limit:
                self.silent.add(member_id)

    def weaker(self, group_id: GroupId, family: Family) -> list[MemberId]:
        """Return who in a group may have less there than its binding would give."""
        return [each for each in self.of[group_id] if self._strength(each, family) < family.role.strength]

    def _strength(self, member_id: MemberId, family: Family) -> int:
        held = self.held.get(member_id, frozenset())
        return max((each.role.strength for each in held if each.namespace == family.namespace), default=-1)


def _of_group(
    cluster: Cluster, facts: GroupFacts, given: Families, people: _People
) -> tuple[dict[Place, frozenset[MemberId]], list[str]]:
    reason = why_not_sent(cluster, facts)
    if reason is not None or facts.doubts:
        return {}, [reason] if reason is not None else list(facts.doubts)
    subject = render_group(cluster, facts.name, facts.external_id)
    found: dict[Place, frozenset[MemberId]] = {}
    problems = []
    by_id = "{external_id}" in cluster.group_template
    for family in sorted(given, key=lambda each: each.sort_key):
        if family.role is KubernetesRole.CLUSTER_ADMIN and not by_id:
            # Identity providers let people make groups, and not all of them keep names apart.
            problems.append("cluster-admin is given to groups by their ids only, with {external_id}: names can be had")
            continue
        weaker = people.weaker(facts.id, family)
        if weaker:
            place = family.namespace or "the whole cluster"
            more = f" and {len(weaker) - 1} more" if len(weaker) > 1 else ""
            problems.append(
                f"{people.names[weaker[0]]}{more} in it may have less than {family.role.value} in {place}, or has no "
                "name of their own here"
            )
            continue
        # Who is in too many groups is named by AUTO; GROUP names nobody, and they are told of.
        named = facts.held | (people.silent if cluster.subject_mode is SubjectMode.AUTO else frozenset())
        covered = frozenset(each for each in people.of[facts.id] if each not in named and family in people.held[each])
        if covered:
            found[(family.of_groups, subject)] = covered
    return found, problems


def strengths_at(
    bindings: Iterable[Binding], through: Mapping[Place, frozenset[str]]
) -> dict[tuple[str | None, str], int]:
    """Return how strong a role each user's subject has in each place, by their own or a group's binding."""
    found: dict[tuple[str | None, str], int] = {}

    def note(family: Family, subjects: Iterable[str]) -> None:
        for subject in subjects:
            at = (family.namespace, subject)
            found[at] = max(found.get(at, -1), family.role.strength)

    for binding in bindings:
        if binding.key.family.subject_kind is SubjectKind.USER:
            note(binding.key.family, binding.subjects)
    for (family, _), subjects in through.items():
        note(family, subjects)
    return found
