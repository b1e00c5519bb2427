"""An organization as the document that would bring it about: what plans compare with, and what `export` writes."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from scim_bridge.domain.access import OriginKind
from scim_bridge.domain.document_files import grant_key
from scim_bridge.domain.organization_documents import VERSION, Document, Section
from scim_bridge.domain.organization_settings import read_settings
from scim_bridge.domain.organizations import OrganizationId, Project, TargetKind, Tree
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.errors import Conflict, NotFound
from scim_bridge.identity.names import scope_text, the_group, the_member, the_organization, unit_path
from scim_bridge.store import cluster_registry, grants, people, rules
from scim_bridge.store.cluster_registry import RegisteredCluster
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import OpenOrigin
from scim_bridge.store.organization_documents import HandMadeGroup, hand_made_groups
from scim_bridge.store.organizations import Organization
from scim_bridge.store.roles import custom_roles
from scim_bridge.store.tree import read_tree

Items = dict[str, dict[str, object]]


class Names:
    """What a document calls people and groups: by name where that is enough, by id where several have it."""

    def __init__(self, connection: Connection, organization_id: OrganizationId) -> None:
        self._connection = connection
        self._organization_id = organization_id
        self._members = people.names_of_members(connection, organization_id)
        self._groups = people.names_of_groups(connection, organization_id)
        self._same_member = Counter(name.casefold() for name in self._members.values())
        self._same_group = Counter((each.directory, each.name.casefold()) for each in self._groups.values())
        self._same_name = Counter(each.name.casefold() for each in self._groups.values())

    def member(self, member_id: MemberId) -> str:
        """Return what a person is called."""
        name = self._members.get(member_id, member_id)
        return name if self._same_member[name.casefold()] == 1 else member_id

    def group(self, group_id: GroupId) -> str:
        """Return what a group is called; ``directory/name`` where a directory owns it."""
        found = self._groups.get(group_id)
        if found is None or self._same_group[found.directory, found.name.casefold()] > 1:
            return group_id
        if found.directory is not None:
            return f"{found.directory}/{found.name}"
        return found.name if self._same_name[found.name.casefold()] == 1 else group_id

    def resolved(self, document: Document, *, strict: bool) -> Document:
        """
        Return a document in which everybody is called as here, however its author named them.

        ``strict`` raises NotFound or Conflict for somebody who is not here; else they keep the name they have.
        """
        sections = {name: dict(items) for name, items in document.sections.items()}
        for section in (Section.GROUPS, Section.GRANTS):
            if section in sections:
                items = [self._item(item, strict=strict) for item in sections[section].values()]
                keys = sections[section] if section is Section.GROUPS else [grant_key(item) for item in items]
                sections[section] = dict(zip(keys, items, strict=True))
        return Document(sections, document.prune)

    def _item(self, item: Mapping[str, object], *, strict: bool) -> dict[str, object]:
        named = dict(item)
        if "members" in named:
            members = named["members"]
            assert isinstance(members, list)
            named["members"] = sorted({self._person(str(each), strict=strict) for each in members})
        if "person" in named:
            named["person"] = self._person(str(named["person"]), strict=strict)
        if "group" in named:
            named["group"] = self._group(str(named["group"]))
        return named

    def _person(self, named: str, *, strict: bool) -> str:
        try:
            return self.member(the_member(self._connection, self._organization_id, named).id)
        except (NotFound, Conflict):
            if strict:
                raise
            return named

    def _group(self, named: str) -> str:
        try:
            return self.group(the_group(self._connection, self._organization_id, named).id)
        except (NotFound, Conflict):
            # It may be one that the document itself makes; who grants to it finds out whether it is there.
            return named


def export(database: Database, organization: str) -> dict[str, object]:
    """Return an organization as the tables of a document; credentials are left out."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        return as_tables(owner.slug, read_document(connection, owner))


def read_document(connection: Connection, owner: Organization) -> Document:
    """Return what an organization is now, every section of it."""
    tree = read_tree(connection, owner.id)
    names = Names(connection, owner.id)
    settings = read_settings(owner.settings)
    about: dict[str, object] = {"name": owner.name, "contact": settings.contact, "description": settings.description}
    return Document(
        {
            Section.ORGANIZATION: {"organization": about},
            Section.ROLES: {
                each.name: {"permissions": sorted(each.permissions)} for each in custom_roles(connection, owner.id)
            },
            Section.UNITS: _units(tree),
            Section.CLUSTERS: _clusters(tree, cluster_registry.list_clusters(connection, owner.id)),
            Section.PROJECTS: {each.name: _project(tree, each) for each in tree.projects.values()},
            Section.SERVICES: {
                f"{tree.projects[each.project_id].name}/{each.name}": {"namespace": each.namespace}
                for each in tree.services.values()
            },
            Section.GROUPS: _groups(names, hand_made_groups(connection, owner.id)),
            Section.GRANTS: _grants(tree, names, grants.origins_of_organization(connection, owner.id)),
            Section.RULES: {
                each.name: json.loads(each.definition) for each in rules.rules_in_force(connection, owner.id)
            },
        }
    )


def as_tables(slug: str, document: Document) -> dict[str, object]:
    """Return a document as it stands in a file."""
    sections = document.sections
    services: dict[str, list[dict[str, object]]] = {}
    for key, item in sorted(sections[Section.SERVICES].items()):
        project, _, name = key.partition("/")
        services.setdefault(project, []).append({"name": name, **item})
    projects = [
        {"name": name, **item, **({"services": services[name]} if name in services else {})}
        for name, item in sorted(sections[Section.PROJECTS].items())
    ]
    return {
        "version": VERSION,
        "organization": _said({"slug": slug, **sections[Section.ORGANIZATION]["organization"]}),
        "roles": [{"name": name, **item} for name, item in sorted(sections[Section.ROLES].items())],
        "units": [_said({"path": path, **item}) for path, item in sorted(sections[Section.UNITS].items())],
        "clusters": [{"name": name, **item} for name, item in sorted(sections[Section.CLUSTERS].items())],
        "projects": projects,
        "groups": [{"name": name, **item} for name, item in sorted(sections[Section.GROUPS].items())],
        "grants": [_said(item) for _, item in sorted(sections[Section.GRANTS].items())],
        "rules": [dict(item) for _, item in sorted(sections[Section.RULES].items())],
    }


def _said(item: Mapping[str, object]) -> dict[str, object]:
    # TOML has no way to say "nothing".
    return {key: value for key, value in item.items() if value is not None}


def _units(tree: Tree) -> Items:
    return {
        unit_path(tree, each.id): {"environment": each.environment_type.value if each.environment_type else None}
        for each in tree.units.values()
    }


def _clusters(tree: Tree, registered: Iterable[RegisteredCluster]) -> Items:
    found: Items = {}
    for each in registered:
        address = {"manifests" if each.kind is TargetKind.MANIFESTS else "server": each.folder or each.address}
        found[each.name] = {
            "unit": unit_path(tree, each.cluster.unit_id),
            **address,
            "user_template": each.cluster.user_template,
            "case": each.cluster.case_rule.value,
            "allow_cluster_admin": each.cluster.allow_cluster_admin,
            "allow_label_selectors": each.cluster.allow_label_selectors,
            "bridge_namespace": each.cluster.bridge_namespace,
        }
    return found


def _project(tree: Tree, project: Project) -> dict[str, object]:
    return {
        "unit": unit_path(tree, project.unit_id),
        "namespaces": sorted(claim.name for claim in project.namespaces if claim.name is not None),
        "selectors": sorted(claim.selector for claim in project.namespaces if claim.selector is not None),
        "clusters": sorted(tree.clusters[each].name for each in project.cluster_ids if each in tree.clusters),
    }


def _groups(names: Names, found: Iterable[HandMadeGroup]) -> Items:
    return {
        each.name: {"description": each.description, "members": sorted(names.member(member) for member in each.members)}
        for each in found
    }


def _grants(tree: Tree, names: Names, origins: Iterable[OpenOrigin]) -> Items:
    """Return the grants that are made by hand; what else gives them is nobody's who writes documents."""
    found: Items = {}
    for origin in origins:
        key = origin.key
        # What ends by itself is no document's business.
        if origin.kind is not OriginKind.MANUAL or origin.expires_at is not None:
            continue
        holder = (
            {"group": names.group(key.group_id)}
            if key.group_id
            else {"person": names.member(MemberId(key.member_id or ""))}
        )
        item: dict[str, object] = {
            "scope": scope_text(tree, key.scope),
            **holder,
            "api_role": key.api_role,
            "kubernetes_role": key.kubernetes_role.value if key.kubernetes_role else None,
        }
        found[grant_key(item)] = item
    return found
