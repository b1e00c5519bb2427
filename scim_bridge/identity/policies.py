"""Use cases of what an organization accepts of those who sign in, and of the accounts that stand outside it."""

from dataclasses import asdict, replace

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.sessions import AuthenticationPolicy, PolicyWanted, changed
from scim_bridge.identity.authority import require
from scim_bridge.identity.names import the_organization
from scim_bridge.store import policies as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database

PERMISSION = "organization:authentication_policy:write"


def show(database: Database, organization: str) -> AuthenticationPolicy:
    """Return what an organization accepts."""
    with database.read() as connection:
        return store.read_policy(connection, the_organization(connection, organization).id)


def change(
    database: Database, actor: Actor, organization: str, wanted: PolicyWanted, request_id: str | None = None
) -> AuthenticationPolicy:
    """Change what an organization accepts; it holds for every session and token from the next request on."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        policy = store.read_policy(connection, owner.id)
        now_on = changed(policy, wanted)
        if now_on != policy:
            noted = new_change(owner.id, actor, "authentication_policy.changed", now(), request_id)
            write(connection, noted, policy, now_on)
        return now_on


def with_sso(policy: AuthenticationPolicy, *, enforced: bool) -> AuthenticationPolicy:
    """Return a policy that lets people in by identity providers only, or not only."""
    return replace(policy, sso_enforced=enforced)


def write(connection: Connection, change: Change, policy: AuthenticationPolicy, now_on: AuthenticationPolicy) -> None:
    """Replace a policy within a change, with its audit entry."""
    add_change(connection, change, "authentication policy")
    store.write_policy(connection, change, now_on)
    old, new = asdict(policy), asdict(now_on)
    detail = {name: {"from": old[name], "to": new[name]} for name in new if old[name] != new[name]}
    add_audit(connection, change, change.kind, "organization", change.organization_id, detail)
