"""What the screens of access management are shown with, beside the people and groups of the world."""

from typing import TYPE_CHECKING

from scim_bridge.identity import grants, hand_members, invitations, roles
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.invitations import InvitationWanted
from scim_bridge.identity.letters import Letters
from tests.identity.signing_in import TERMINAL

if TYPE_CHECKING:
    from tests.console.world import Console


def access_things(console: "Console", group_id: str) -> dict[str, str]:
    """Put something of everything into acme's rooms of access management, and return one of each."""
    named = (console.database, TERMINAL, "acme")
    hand_members.add(*named, group_id, ["elif.yılmaz@acme.example", "grace.kim@acme.example"], "60d")
    grants.add(*named, GrantWanted("organization", group=group_id, api_role="developer", kubernetes_role="edit"))
    hand_members.nest(*named, group_id, "On call")
    wanted = InvitationWanted("new.hire@partner.example", "developer", "view", (group_id,))
    invited = invitations.invite(console.database, Letters.of(console.runtime), TERMINAL, "acme", wanted)
    roles.put(*named, "auditor", ["members:read", "org:read"])
    grant = grants.add(*named, GrantWanted("organization", person="grace.kim@acme.example", kubernetes_role="view"))
    return {
        "child": "On call",
        "invitation": invited.id,
        "role": "auditor",
        "permission": "members:read",
        "grant": grant.id,
    }
