"""What happens to an account is told in the audit of every organization that it may enter."""

from collections.abc import Mapping
from datetime import datetime

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import AccountId, MemberState
from scim_bridge.store.api_tokens import organizations_of
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.credentials import get_account
from scim_bridge.store.database import Connection


def note(
    connection: Connection,
    account_id: AccountId,
    action: str,
    at: datetime,
    detail: Mapping[str, object] | None = None,
    actor: Actor | None = None,
) -> None:
    """Write one entry for each organization in which the account is an active member."""
    who = actor or Actor.of_account(get_account(connection, account_id).name, account_id)
    for organization_id, state in organizations_of(connection, account_id):
        if state is MemberState.ACTIVE:
            change = new_change(organization_id, who, action, at)
            add_audit(connection, change, action, "account", account_id, detail)
