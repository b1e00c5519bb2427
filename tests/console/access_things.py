"""What the screens of access management are shown with, beside the people and groups of the world."""

from typing import TYPE_CHECKING

from scim_bridge.domain.identity_providers import IdentityProviderWanted
from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.identity import (
    domains,
    grants,
    hand_members,
    identity_providers,
    invitations,
    roles,
    rule_drafts,
    rules,
    tree,
)
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.invitations import InvitationWanted
from scim_bridge.identity.letters import Letters
from scim_bridge.identity.tree import NewProject
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
    edit = {"name": "Payments edit", "directory": "okta", "group": "Payments developers", "scope": "cluster:staging-eu"}
    idle = {"name": "Nobody", "directory": "okta", "group": "No such group", "scope": "cluster:prod-eu"}
    rules.apply(*named, {"rules": [{**edit, "kubernetes_role": "edit"}, {**idle, "kubernetes_role": "view"}]})
    rules.apply(*named, {"rules": [{**edit, "kubernetes_role": "view"}, {**idle, "kubernetes_role": "view"}]})
    rule_drafts.edit(*named, [{**edit, "kubernetes_role": "edit", "priority": 50}], ["Nobody"])
    for path in ("production", "staging", "production/payments"):
        tree.create_unit(*named, path, EnvironmentType.PRODUCTION if path == "production" else None)
    tree.create_project(*named, NewProject("shop", "production/payments", ("shop", "shop-jobs")))
    tree.create_service(*named, "shop", "web", "shop")
    domains.add(*named, "acme.example")
    okta = IdentityProviderWanted("okta", "okta", "https://login.acme.example", "bridge")
    identity_providers.add(console.database, console.runtime.keyring, TERMINAL, "acme", okta)
    return {
        "domain": "acme.example",
        "provider": "okta",
        "draft": "draft",
        "rule": "Payments edit",
        "version": "1",
        "child": "On call",
        "invitation": invited.id,
        "role": "auditor",
        "permission": "members:read",
        "grant": grant.id,
    }
