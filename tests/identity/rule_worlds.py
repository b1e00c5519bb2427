"""An organization in which rules have something to do, and rules to do it."""

from hypothesis import strategies as st

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.effects import Names, Standing, standing
from scim_bridge.domain.organizations import CaseRule
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import directories, grants, tree
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.names import scope_text
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.people import names_of_groups
from scim_bridge.store.schema import member
from scim_bridge.store.snapshot import read_organization
from tests.identity.rows import (
    begin,
    directory_id,
    nest,
    organization_id,
    put_cluster,
    put_group,
    put_membership,
    put_user,
)

VIEW: dict[str, object] = {
    "name": "view",
    "directory": "okta",
    "group": "alpha",
    "scope": "unit:production",
    "kubernetes_role": "view",
    "api_role": "viewer",
}
EDIT = VIEW | {"name": "edit", "kubernetes_role": "edit", "api_role": "developer", "priority": 50}


def make_world(database: Database, actor: Actor) -> None:
    """Give acme two directories, four clusters of different templates, a project, and people in nested groups."""
    directories.create(database, actor, "acme", "okta", DirectoryKind.OKTA)
    directories.create(database, actor, "acme", "entra", DirectoryKind.ENTRA, pending=True)
    tree.create_unit(database, actor, "acme", "production")
    tree.create_unit(database, actor, "acme", "staging")
    put_cluster(database, "prod", "production", template="oidc:{user_name}")
    put_cluster(database, "mail", "production", template="{email}", case=CaseRule.LOWER)
    put_cluster(database, "ids", "staging", template="{member_id}")
    put_cluster(database, "both", None, template="{user_name}/{email}")
    project = tree.NewProject("shop", "production", namespaces=("shop", "till"))
    tree.create_project(database, actor, "acme", project)
    with database.write() as connection:
        change = begin(connection)
        okta, entra = directory_id(connection), directory_id(connection, "entra")
        groups = [put_group(connection, change, name, okta) for name in ("alpha", "beta", "gamma", "team-shop")]
        pending = put_group(connection, change, "alpha", entra)
        for index in range(12):
            where = {"department": "Sales" if index % 2 else "Finance"}
            _, member_id = put_user(connection, change, f"p{index}@acme.example", okta, **where)
            # Every third has the address of the one before: the same subject where the address is the subject.
            if index % 3 == 2:
                address = f"P{index - 1}@acme.example"
                same = member.update().where(member.c.id == member_id)
                connection.execute(same.values(email=address, email_key=address.lower()))
            for group in {groups[index % 4], groups[index % 3]}:
                put_membership(connection, change, group, member_id)
            put_membership(connection, change, pending, member_id)
        nest(connection, change, groups[0], groups[1])
        nest(connection, change, groups[1], groups[0])
    grants.add(database, actor, "acme", GrantWanted("organization", group="okta/beta", kubernetes_role="none"))


def everything(database: Database) -> Standing:
    """Return what stands for everybody, read whole."""
    with database.read() as connection:
        snapshot = read_organization(connection, organization_id(connection), now())
        groups = {key: each.name for key, each in names_of_groups(connection, snapshot.organization_id).items()}
    return standing(snapshot, Names(lambda scope: scope_text(snapshot.tree, scope), groups))


matches: st.SearchStrategy[dict[str, object]] = st.sampled_from(
    [
        {"group": "alpha"},
        {"group": "beta"},
        {"group_prefix": "ga"},
        {"group_pattern": "team-(?P<team>[a-z]+)", "scope": "project:{team}"},
        {"attribute": {"path": "department", "equals": "Finance"}},
    ]
)


@st.composite
def rule_rows(draw: st.DrawFn) -> list[dict[str, object]]:
    """Draw a few rules that do not tie."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        scope = draw(
            st.sampled_from(["organization", "unit:production", "cluster:prod", "project:shop", "unit:staging"])
        )
        row: dict[str, object] = {
            "name": f"rule {number}",
            "directory": draw(st.sampled_from(["okta", "okta", "entra"])),
            "scope": scope,
            "priority": number * 10 + draw(st.integers(0, 1)),
            "kubernetes_role": draw(st.sampled_from(["view", "edit", "none"])),
            "allow_privileged": True,
        }
        if draw(st.booleans()):
            row["api_role"] = draw(st.sampled_from(["viewer", "developer", "admin"]))
        found.append(row | draw(matches))
    return found
