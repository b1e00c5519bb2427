"""Use cases of where one's own account leads: organizations, and the tokens that act there as oneself."""

from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.api_tokens import ApiToken
from scim_bridge.domain.people import MemberState
from scim_bridge.errors import NotFound, SignInNotAccepted
from scim_bridge.identity import api_tokens, organizations
from scim_bridge.identity.sessions import Visitor
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database


@dataclass(frozen=True, slots=True)
class OwnOrganization:
    """
    An organization of one's own; ``tokens`` are those that still open it, the newest first.

    ``objection`` says why it does not open for the session in use, None where it does.
    """

    slug: str
    name: str
    state: MemberState
    tokens: tuple[ApiToken, ...] = ()
    objection: str | None = None

    @property
    def is_open(self) -> bool:
        """Say whether something can be done there now."""
        return self.state is MemberState.ACTIVE and self.objection is None


def list_all(database: Database, visitor: Visitor) -> list[OwnOrganization]:
    """Return one's own organizations, by slug; who came by one organization's identity provider sees that one alone."""
    opens = visitor.session.organization_id
    mine = organizations.list_mine(database, visitor.actor)
    return [
        _view(database, visitor, each.slug, each.name, state)
        for each, state in mine
        if state is not None and opens in (None, each.id)
    ]


def the_open_one(database: Database, visitor: Visitor, slug: str) -> OwnOrganization:
    """Return one of one's own organizations in which something can be done now; raises NotFound."""
    found = next((each for each in list_all(database, visitor) if each.slug == slug and each.is_open), None)
    if found is None:
        raise NotFound("There is no such organization of yours, or it does not open for you now.")
    return found


def _view(database: Database, visitor: Visitor, slug: str, name: str, state: MemberState) -> OwnOrganization:
    if state is not MemberState.ACTIVE:
        return OwnOrganization(slug, name, state)
    try:
        found = api_tokens.list_all(database, visitor.actor, slug, api_tokens.ME)
    except SignInNotAccepted as error:
        return OwnOrganization(slug, name, state, objection=str(error))
    at = now()
    return OwnOrganization(slug, name, state, tuple(each for each in reversed(found) if _is_live(each, at)))


def _is_live(token: ApiToken, at: datetime) -> bool:
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > at)
