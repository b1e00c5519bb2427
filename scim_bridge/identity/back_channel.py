"""What an identity provider says behind the browser's back: that a session, or a person's every session, is over."""

from collections.abc import Mapping
from datetime import timedelta

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.identity_providers import IdentityProvider
from scim_bridge.errors import NotAuthenticated
from scim_bridge.identity.sessions import digest_of
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.identity_providers import first_seen
from scim_bridge.store.sessions import end_sessions_of_provider

KEPT = timedelta(days=1)


def end(database: Database, provider: IdentityProvider, claims: Mapping[str, object]) -> int:
    """End what a verified sign-out token names, and return how many sessions; raises NotAuthenticated for a replay."""
    sid, subject = claims.get("sid"), claims.get("sub")
    with database.write() as connection:
        actor = Actor(ActorKind.SYSTEM, f"identity provider {provider.name}")
        change = new_change(provider.organization_id, actor, "session.ended_by_provider", now())
        if not first_seen(connection, provider.id, digest_of(str(claims["jti"])), change.at, change.at - KEPT):
            raise NotAuthenticated("This sign-out token was used already.", "The jti was seen before.")
        ended = end_sessions_of_provider(
            connection,
            provider.id,
            change.at,
            sid=sid[:255] if isinstance(sid, str) and sid else None,
            subject=subject[:255] if isinstance(subject, str) and subject else None,
        )
        if ended:
            detail = {"sessions": ended, "subject": subject}
            add_audit(connection, change, change.kind, "identity_provider", provider.id, detail)
        return ended
