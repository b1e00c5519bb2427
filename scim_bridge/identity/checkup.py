"""A look over the keys, the identity providers and the rules: whether people can arrive, and get what they should."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from scim_bridge.domain.findings import Finding, Level
from scim_bridge.domain.people import DirectoryState
from scim_bridge.errors import BridgeError
from scim_bridge.identity.directory_alarms import look_at
from scim_bridge.identity.mapping import unmapped
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.readiness import require_ready
from scim_bridge.identity.runtime import Database, Keyring, Runtime
from scim_bridge.store import cluster_registry, directories, organizations, rules
from scim_bridge.store.clock import now
from scim_bridge.store.directories import Directory, DirectoryToken

SOON = timedelta(days=14)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_database(database: Database) -> Finding:
    """Say whether the database can be used; everything else needs it."""
    try:
        require_ready(database)
    except BridgeError as error:
        return Finding(Level.PROBLEM, "database", str(error))
    return Finding(Level.OK, "database", f"{database.safe_url} is reachable and migrated.")


def check_address(base_url: str) -> Finding:
    """Say whether an identity provider on the internet could reach the public address."""
    parts = urlsplit(base_url)
    remedy = "Set SCIM_BRIDGE_BASE_URL to the address that the identity providers are given."
    if parts.hostname in LOOPBACK:
        return Finding(Level.WARNING, "base_url", f"{base_url} can be reached from this machine only.", remedy)
    if parts.scheme != "https":
        return Finding(Level.PROBLEM, "base_url", f"{base_url} sends tokens in the clear.", remedy)
    return Finding(Level.OK, "base_url", f"Identity providers are given {base_url}.")


def check_keys(runtime: Runtime) -> Finding:
    """Say whether the present keys open every stored credential."""
    with runtime.database.read() as connection:
        lost = [
            f"{owner.slug}/{each.name}"
            for owner in organizations.list_organizations(connection)
            for each in cluster_registry.list_clusters(connection, owner.id)
            if each.sealed_credential and not _opens(runtime.keyring, each.sealed_credential)
        ]
    if lost:
        sentence = f"The credentials of {', '.join(lost)} were sealed with a key that is not here."
        return Finding(Level.PROBLEM, "encryption_keys", sentence, "Restore the key, or give them new credentials.")
    return Finding(Level.OK, "encryption_keys", "They open every stored credential.")


def check_directories(database: Database, organization: str) -> Iterator[Finding]:
    """Yield what is found about an organization's identity providers and rules."""
    at = now()
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = directories.list_directories(connection, owner.id)
        conditions = {each.id: look_at(connection, each, at) for each in found}
        tokens = {each.id: directories.list_tokens(connection, each.id) for each in found}
        without_rules = rules.current_rule_set(connection, owner.id) is None
        names = [each.name for each in unmapped(connection, owner.id)]
    if not found:
        remedy = "scim-bridge directory create --help"
        yield Finding(Level.WARNING, organization, "No identity provider is connected.", remedy)
    for each in found:
        yield _directory(organization, each, tokens[each.id], at)
        for condition in conditions[each.id]:
            yield Finding(Level.WARNING, f"{organization}/{each.name}", f"{condition.kind}: {condition.message}")
    if without_rules and found:
        remedy = "scim-bridge rule apply FILE"
        yield Finding(Level.WARNING, organization, "There are no mapping rules: groups give nobody anything.", remedy)
    for name in dict.fromkeys(names):
        sentence = f"A rule matches the group {name!r}, and the place that it names does not exist."
        yield Finding(Level.WARNING, organization, sentence, "scim-bridge rule list")


def list_organizations(database: Database) -> list[str]:
    """Return the organizations' slugs."""
    with database.read() as connection:
        return [each.slug for each in organizations.list_organizations(connection)]


def _directory(organization: str, found: Directory, tokens: list[DirectoryToken], at: datetime) -> Finding:
    about = f"{organization}/{found.name}"
    remedy = f"scim-bridge directory token create {found.name}"
    live = [each for each in tokens if each.revoked_at is None and (each.expires_at is None or each.expires_at > at)]
    if not live:
        return Finding(Level.PROBLEM, about, "It has no token that is valid: every request is refused.", remedy)
    ends = [each.expires_at for each in live if each.expires_at is not None]
    if len(ends) == len(live) and max(ends) < at + SOON:
        return Finding(Level.WARNING, about, f"Its last token ends on {max(ends):%Y-%m-%d}.", remedy)
    if found.state is not DirectoryState.ACTIVE:
        return Finding(Level.WARNING, about, f"It is {found.state.value}.")
    used = max((each.last_used_at for each in tokens if each.last_used_at is not None), default=None)
    if used is None:
        return Finding(
            Level.WARNING, about, "It has not sent a request yet.", "Its guide in docs/guides says what to click."
        )
    return Finding(Level.OK, about, f"Its last request came at {used:%Y-%m-%d %H:%M} UTC.")


def _opens(keyring: Keyring, sealed: str) -> bool:
    try:
        keyring.open(sealed)
    except BridgeError:
        return False
    return True
