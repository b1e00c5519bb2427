"""What people must show before they change how they sign in."""

from scim_bridge.domain.people import AccountId
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.errors import NotAuthenticated, Refused
from scim_bridge.identity import passwords
from scim_bridge.identity.sessions import Visitor
from scim_bridge.store import credentials
from scim_bridge.store.database import Database


def require_own(visitor: Visitor) -> AccountId:
    """
    Return the account whose methods a visitor may change.

    Raises Refused for one who came by an organization's identity provider: it opens that organization, and must not
    lead to an account that is elsewhere too.
    """
    if visitor.session.method is SignInMethod.OIDC or visitor.session.organization_id is not None:
        raise Refused("Your company's identity provider keeps how you sign in; change it there.")
    return visitor.session.account_id


def require_password(database: Database, account_id: AccountId, password: str) -> None:
    """Raise NotAuthenticated unless this is the account's password: an open browser alone changes no method."""
    with database.read() as connection:
        stored = credentials.password_of(connection, account_id)
    if not passwords.is_right(stored, password):
        raise NotAuthenticated("The password is wrong.")
