"""Whether an organization accepts how somebody came in: its policy, asked in the transaction in which they act."""

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.sessions import SignIn
from scim_bridge.errors import SignInNotAccepted
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection
from scim_bridge.store.policies import is_break_glass, read_policy
from scim_bridge.store.sessions import sessions_ended_at


def require_accepted(
    connection: Connection, actor: Actor, organization_id: OrganizationId, member_id: MemberId
) -> None:
    """Raise SignInNotAccepted, with a sentence that says what is missing, for who did not come in as is asked for."""
    admission = actor.admission
    if admission is None:
        return
    at = now()
    policy = read_policy(connection, organization_id)
    if not isinstance(admission, SignIn):
        objection = policy.token_objection(admission, at)
    else:
        objection = policy.objection(admission, at)
        if objection is not None and is_break_glass(connection, member_id):
            objection = policy.objection(admission, at, break_glass=True)
        ended_at = sessions_ended_at(connection, member_id)
        if ended_at is not None and admission.created_at <= ended_at:
            objection = "Your session has ended; sign in again."
    if objection is not None:
        raise SignInNotAccepted(objection)
