"""Which identity providers an address or an organization has, for somebody whom nobody knows yet."""

from dataclasses import dataclass

from scim_bridge.domain.keys import fold
from scim_bridge.store import identity_providers as store
from scim_bridge.store.database import Database
from scim_bridge.store.organizations import find_organization


@dataclass(frozen=True, slots=True)
class WayIn:
    """An identity provider as the sign-in page shows it."""

    id: str
    name: str


def of_address(database: Database, email: str) -> tuple[WayIn, ...]:
    """Return the identity providers of the domain of an address; of its person nothing is told."""
    domain = fold(email.rpartition("@")[2])
    if "@" not in email or not domain or len(domain) > 253:
        return ()
    with database.read() as connection:
        return tuple(WayIn(each.id, each.name) for each in store.providers_of_domain(connection, domain))


def of_organization(database: Database, named: str) -> tuple[WayIn, ...]:
    """Return an organization's identity providers; none for one that is not there."""
    with database.read() as connection:
        found = find_organization(connection, named)
        providers = [] if found is None else store.list_providers(connection, found.id)
        return tuple(WayIn(each.id, each.name) for each in providers)
