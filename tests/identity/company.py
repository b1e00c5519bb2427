"""A small company on clusters, whose tree tests change: who is in it, and what they hold."""

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.domain.previews import Shift
from scim_bridge.identity import access, grants, tree, tree_drafts
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.tree import NewProject
from scim_bridge.identity.tree_drafts import TreeDraft, TreePreview
from scim_bridge.store.database import Database
from scim_bridge.store.people import insert_account, insert_member
from tests.identity.provider import HANDS, Provider
from tests.identity.rows import begin, put_cluster

ANA, BOB = "ana@acme.example", "bob@acme.example"


def found_company(database: Database) -> Provider:
    """
    Found acme: production with prod-eu and the project shop, staging with stage; Ana edits production, Bob stages.

    The project is in production and owns shop-web on its clusters.
    """
    okta = Provider.connect(database)
    for person in (ANA, BOB):
        okta.post(person, emails=[{"value": person}])
    tree.create_unit(database, HANDS, "acme", "production", EnvironmentType.PRODUCTION)
    tree.create_unit(database, HANDS, "acme", "staging", EnvironmentType.STAGING)
    put_cluster(database, "prod-eu", unit="production")
    put_cluster(database, "stage", unit="staging")
    tree.create_project(database, HANDS, "acme", NewProject("shop", "production", ("shop-web",)))
    give(database, "unit:production", ANA, kubernetes="edit")
    give(database, "unit:staging", BOB, kubernetes="view", api="admin")
    return okta


def give(database: Database, scope: str, person: str, *, api: str | None = None, kubernetes: str | None = None) -> None:
    """Grant a person roles by hand."""
    grants.add(database, HANDS, "acme", GrantWanted(scope, person, None, api, kubernetes))


def look(database: Database, draft: TreeDraft, slug: str = "acme") -> TreePreview:
    """Preview a change."""
    return tree_drafts.preview(database, HANDS, slug, draft)


def do(database: Database, draft: TreeDraft, seen: str | None = None, slug: str = "acme") -> TreePreview:
    """Carry a change out, with the outcome that was seen, or that is seen now."""
    return tree_drafts.carry_out(database, HANDS, slug, draft, seen or look(database, draft, slug).hash)


def shown(shifts: tuple[Shift, ...]) -> dict[str, list[str]]:
    """Return what each person gains or loses."""
    return {each.person: list(each.what) for each in shifts}


def role_on(database: Database, person: str, cluster: str) -> str | None:
    """Return a person's cluster-wide role on a cluster."""
    (found,) = access.explain(database, HANDS, "acme", person, cluster).clusters
    return found.role


def acting(database: Database, name: str, role: str | None = None, scope: str = "organization") -> Actor:
    """Return somebody who signed in: an active member with a role somewhere, and with nothing else."""
    email = f"{name}@acme.example"
    with database.write() as connection:
        change = begin(connection)
        account = insert_account(connection, change, email)
        insert_member(connection, change, account, email)
    if role is not None:
        give(database, scope, email, api=role)
    return Actor(ActorKind.PERSON, email, account_id=account)
