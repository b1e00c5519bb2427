"""Who does something: every mutation has an actor."""

from dataclasses import dataclass
from enum import StrEnum

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId
from scim_bridge.domain.sessions import SignIn, TokenUse


class ActorKind(StrEnum):
    """What sort of actor it is."""

    PERSON = "person"
    TOKEN = "token"
    DIRECTORY = "directory"
    SCHEDULER = "scheduler"
    CLI = "cli"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """
    Who does something; ``name`` is what a person reads in the audit.

    Whoever comes in by a sign-in or a token acts as an account: only in ``organization_id`` if it opens one alone, and
    within ``permissions`` where the token has some only. ``admission`` is what each organization's policy judges (None:
    nothing that a policy is about). All others are the installation's own hands, and are not
    asked what they may do.
    """

    kind: ActorKind
    name: str
    id: str | None = None
    account_id: AccountId | None = None
    organization_id: OrganizationId | None = None
    permissions: frozenset[str] | None = None
    admission: SignIn | TokenUse | None = None

    @classmethod
    def of_account(cls, name: str, account_id: AccountId, session_id: str | None = None) -> "Actor":
        """Return a person who does something about their own account or session."""
        return cls(ActorKind.PERSON, name, session_id, account_id)

    @property
    def is_trusted(self) -> bool:
        """Say whether it is the installation itself: its terminal, its scheduler, a directory at its own door."""
        return self.kind not in (ActorKind.PERSON, ActorKind.TOKEN)
