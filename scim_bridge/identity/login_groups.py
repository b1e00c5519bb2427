"""What the groups of a sign-in do: memberships of origin login, beside whatever the directory itself provisioned."""

from scim_bridge.domain.identity_providers import GroupSync, Identity, IdentityProvider
from scim_bridge.domain.people import MemberId
from scim_bridge.log import get_logger
from scim_bridge.store import groups
from scim_bridge.store import login_matches as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change
from scim_bridge.store.database import Connection

SHOWN = 20

log = get_logger(__name__)


def sync_groups(
    connection: Connection, change: Change, provider: IdentityProvider, identity: Identity, member_id: MemberId
) -> None:
    """
    Bring a member's login memberships in step with a sign-in, as far as the provider's mode goes.

    A claim that is absent is not an empty one, and of an overage nothing is known: what is stored stays. Groups that
    the directory does not have are made by nobody here.
    """
    if provider.group_sync is GroupSync.OFF:
        return
    if identity.groups is None:
        _note_unknown(connection, change, provider, identity, member_id)
        return
    attribute = provider.groups_attribute
    known = store.groups_called(connection, provider.directory_id, attribute, identity.groups)
    wanted = set(known.values())
    groups.lock_groups(connection, wanted)
    held = store.login_groups_of(connection, provider.directory_id, member_id)
    entering = sorted(wanted - held)
    leaving = sorted(held - wanted) if provider.group_sync is GroupSync.AUTHORITATIVE else []
    if not entering and not leaving:
        return
    add_change(connection, change, "groups at login")
    store.enter_groups(connection, change, member_id, entering)
    store.leave_groups(connection, change, member_id, leaving)
    unknown = [each for each in identity.groups if each not in known]
    detail = {"added": entering, "left": leaving, "unknown": unknown[:SHOWN], "identity_provider": provider.name}
    add_audit(connection, change, "member.groups_at_login", "member", member_id, detail)


def _note_unknown(
    connection: Connection, change: Change, provider: IdentityProvider, identity: Identity, member_id: MemberId
) -> None:
    why = "too many groups for the token" if identity.overage else f"no claim {provider.groups_claim}"
    detail = {"kept_because": why, "identity_provider": provider.name}
    add_audit(connection, change, "member.groups_unknown_at_login", "member", member_id, detail)
    log.warning("groups of a sign-in are unknown", identity_provider=provider.name, member=member_id, reason=why)
