"""A look over the keys, the identity providers and the rules: whether people can arrive, and get what they should."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from scim_bridge.domain.findings import Finding, Level
from scim_bridge.domain.people import DirectoryState
from scim_bridge.identity.directory_alarms import look_at
from scim_bridge.identity.mapping import unmapped
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.runtime import Database, Runtime
from scim_bridge.store import cluster_registry, directories, organizations, rules, sealed
from scim_bridge.store.clock import now
from scim_bridge.store.directories import Directory, DirectoryToken

SOON = timedelta(days=14)
REMEDIES = {
    "Stale": "Look at the identity provider whether provisioning is on: its guide in docs/guides says where.",
    "OnlyRefused": "`scim-bridge directory log {name}` says of each request what to mend.",
    "MembersHeld": "scim-bridge hold list",
    "AttributeMissing": "scim-bridge directory map show {name}",
    "TokenExpired": "scim-bridge directory token rotate {name}",
    "TokenExpires": "scim-bridge directory token rotate {name}",
}


def check_keys(runtime: Runtime) -> Iterator[Finding]:
    """Say whether the present keys open every stored secret, and which ones they do not."""
    with runtime.database.read() as connection:
        lost = [
            f"the credential of {owner.slug}/{each.name}"
            for owner in organizations.list_organizations(connection)
            for each in cluster_registry.list_clusters(connection, owner.id)
            if each.sealed_credential and not runtime.keyring.opens(each.sealed_credential)
        ]
        counted = sealed.count_lost(connection, runtime.keyring)
    lost += [f"{number} of {what}" for what, number in counted.items() if number]
    if lost:
        sentence = f"Sealed with a key that is not here: {', '.join(lost)}."
        remedy = "Put the key back behind the present ones; without it they have to be given anew."
        yield Finding(Level.PROBLEM, "encryption_keys", sentence, remedy)
        return
    yield Finding(Level.OK, "encryption_keys", "They open every stored secret.")


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
            remedy = REMEDIES.get(condition.kind, "").format(name=each.name)
            sentence = f"{condition.kind}: {condition.message}"
            yield Finding(Level.WARNING, f"{organization}/{each.name}", sentence, remedy)
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
