"""The moment that access is asked about, and who was there then."""

from datetime import datetime

from scim_bridge.domain.moments import read_moment
from scim_bridge.domain.people import Member
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity.names import the_member
from scim_bridge.store.audit_chain import read_ends
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection
from scim_bridge.store.explain import When
from scim_bridge.store.organizations import Organization
from scim_bridge.store.people import find_former


def the_moment(connection: Connection, owner: Organization, text: str | None) -> When:
    """
    Return the moment that somebody names; now if they name none.

    Raises Invalid for a time that lies ahead, and for one of which nobody kept what access was derived from.
    """
    at = now()
    if text is None:
        return When(at)
    try:
        moment = read_moment(text, at)
    except Invalid as error:
        raise Invalid(str(error), field="at") from None
    if moment > at:
        raise Invalid(f"{text} lies ahead: nobody knows yet.", field="at")
    since = known_since(connection, owner)
    if moment < since:
        raise Invalid(f"What access was derived from is known since {since.isoformat()}.", field="at")
    return When(moment, is_past=True)


def the_person(connection: Connection, owner: Organization, named: str, when: When) -> Member:
    """Return the person who is called so; of the past also somebody who was removed since. Raises NotFound."""
    try:
        return the_member(connection, owner.id, named)
    except NotFound:
        former = find_former(connection, owner.id, named) if when.is_past else None
        if former is None:
            raise
        return former


def known_since(connection: Connection, owner: Organization) -> datetime:
    """Return since when it is known what access was derived from."""
    ends = read_ends(connection, owner.id)
    return owner.created_at if ends is None or ends.history_since is None else ends.history_since
