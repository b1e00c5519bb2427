"""What being in a group gives: whoever puts somebody in grants all of it."""

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId
from scim_bridge.identity.authority import require, require_grantable
from scim_bridge.store import grants
from scim_bridge.store.database import Connection
from scim_bridge.store.nestings import groups_around

GROUPS = "organization:groups:write"


def require_putting_in(
    connection: Connection,
    actor: Actor,
    organization_id: OrganizationId,
    group_ids: list[GroupId],
    asking: str = GROUPS,
) -> None:
    """Raise Refused for whoever does not hold what these groups, and all groups around them, give."""
    if actor.is_trusted:
        return
    require(connection, actor, organization_id, asking)
    origins = grants.origins_of_groups(connection, groups_around(connection, group_ids))
    given = {(each.key.scope, each.key.api_role, each.key.kubernetes_role) for each in origins}
    require_grantable(connection, actor, organization_id, sorted(given, key=repr), asking=asking)
