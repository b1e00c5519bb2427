"""Use cases of how people sign in to a cluster themselves: what their kubeconfigs say of it."""

from dataclasses import asdict, dataclass, replace

from scim_bridge.clusters.member_kubeconfig import authority_in, checked_authority
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.kubeconfigs import ClusterSignIn, checked_sign_in
from scim_bridge.domain.organizations import Scope, ScopeKind
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity.authority import require
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.runtime import Keyring
from scim_bridge.store import cluster_sign_in as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import RegisteredCluster, find_cluster
from scim_bridge.store.database import Connection, Database

READING = "clusters:read"
WRITING = "clusters:update"


@dataclass(frozen=True, slots=True)
class SignInWanted:
    """
    How people are to sign in to a cluster, by the issuer and the client of its API server's own OIDC flags.

    Without a ``server`` it is the address, with the certificates, of the credential that the bridge itself has.
    """

    issuer: str
    client_id: str
    scopes: tuple[str, ...] = ()
    server: str | None = None
    authority: str | None = None


def show(database: Database, actor: Actor, organization: str, cluster: str) -> ClusterSignIn:
    """Return how people sign in to a cluster; raises NotFound where nobody has said."""
    with database.read() as connection:
        found = _the_cluster(connection, actor, organization, cluster, READING)
        said = store.read_sign_in(connection, found.id)
        if said is None:
            raise NotFound(f"Nobody has said how people sign in to {found.name}.")
        return said


def change(
    database: Database,
    keyring: Keyring,
    actor: Actor,
    organization: str,
    cluster: str,
    wanted: SignInWanted,
    request_id: str | None = None,
) -> ClusterSignIn:
    """Say how people sign in to a cluster, in place of what was said; raises Invalid."""
    with database.write() as connection:
        found = _the_cluster(connection, actor, organization, cluster, WRITING)
        said, now_on = store.read_sign_in(connection, found.id), _read(keyring, found, wanted)
        if said != now_on:
            noted = new_change(found.organization_id, actor, "cluster.sign_in_changed", now(), request_id)
            add_change(connection, noted, found.name)
            store.write_sign_in(connection, noted, found.id, now_on)
            old, new = ({} if each is None else asdict(each) for each in (said, now_on))
            detail = {key: {"from": old.get(key), "to": new[key]} for key in new if old.get(key) != new[key]}
            add_audit(connection, noted, noted.kind, "cluster", found.id, {"name": found.name, **detail})
        return now_on


def remove(database: Database, actor: Actor, organization: str, cluster: str, request_id: str | None = None) -> None:
    """Leave a cluster out of people's kubeconfigs."""
    with database.write() as connection:
        found = _the_cluster(connection, actor, organization, cluster, WRITING)
        if store.remove_sign_in(connection, found.id):
            noted = new_change(found.organization_id, actor, "cluster.sign_in_removed", now(), request_id)
            add_change(connection, noted, found.name)
            add_audit(connection, noted, noted.kind, "cluster", found.id, {"name": found.name})


def _read(keyring: Keyring, found: RegisteredCluster, wanted: SignInWanted) -> ClusterSignIn:
    server, authority = wanted.server, wanted.authority
    if server is None:
        if found.sealed_credential is None:
            raise Invalid(f"{found.name} was registered without an address: name its server.", field="server")
        server = found.address
        authority = authority or authority_in(keyring.open(found.sealed_credential))
    asked = ClusterSignIn(server, wanted.issuer, wanted.client_id, wanted.scopes, authority)
    checked = checked_sign_in(asked)
    return checked if authority is None else replace(checked, authority=checked_authority(authority))


def _the_cluster(
    connection: Connection, actor: Actor, organization: str, named: str, permission: str
) -> RegisteredCluster:
    owner = the_organization(connection, organization)
    found = find_cluster(connection, owner.id, named)
    if found is None:
        raise NotFound(f"There is no cluster {named!r} in the organization {owner.slug}.")
    require(connection, actor, owner.id, permission, Scope(ScopeKind.CLUSTER, found.id))
    return found
