"""Invitations: their states, and what may become of one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.domain.roles import KubernetesRole

InvitationId = NewType("InvitationId", str)


class InvitationState(StrEnum):
    """A pending one may still be accepted; a superseded one was: by a directory that brought the person."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who is invited, to what, until when; ``member_id`` is the member in state invited that it made."""

    id: InvitationId
    member_id: MemberId
    email: str
    api_role: str | None
    kubernetes_role: KubernetesRole | None
    groups: tuple[GroupId, ...]
    state: InvitationState
    invited_by: str
    created_at: datetime
    sent_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None

    def state_at(self, at: datetime) -> InvitationState:
        """Return the state at a moment: one that nobody has marked yet has expired all the same."""
        if self.state is InvitationState.PENDING and self.expires_at <= at:
            return InvitationState.EXPIRED
        return self.state
