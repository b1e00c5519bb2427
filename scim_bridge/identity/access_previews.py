"""
What a change of groups or of a grant does to people's access, seen before it is done.

The change is carried out in a transaction, compared with what was before, and rolled back: never an estimate.
"""

from collections.abc import Callable, Collection
from functools import cache

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.effects import Effects, Names, Standing, effects, standing
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.identity import grants, hand_groups, hand_members
from scim_bridge.identity.comparing import EVERYBODY_FROM
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.names import scope_text, the_group, the_member, the_organization
from scim_bridge.store import people
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.memberships import people_below
from scim_bridge.store.namesakes import namesakes_of
from scim_bridge.store.rehearsal import rehearse
from scim_bridge.store.snapshot import read_members, read_organization
from scim_bridge.store.tree import read_tree

Work = Callable[[Database], object]
Whom = Callable[[Connection, OrganizationId], Collection[MemberId]]


def of_delete(database: Database, actor: Actor, organization: str, group: str) -> Effects:
    """Return what deleting a group would do; raises what that raises."""
    return _rehearsed(
        database,
        organization,
        lambda connection, owner: people_below(connection, [the_group(connection, owner, group).id]),
        lambda rehearsal: hand_groups.delete(rehearsal, actor, organization, group),
    )


def of_remove(database: Database, actor: Actor, organization: str, group: str, member: str) -> Effects:
    """Return what taking somebody out of a group would do; raises what that raises."""
    return _rehearsed(
        database,
        organization,
        lambda connection, owner: [the_member(connection, owner, member).id],
        lambda rehearsal: hand_members.remove(rehearsal, actor, organization, group, [member]),
    )


def of_unnest(database: Database, actor: Actor, organization: str, group: str, child: str) -> Effects:
    """Return what taking a group out of another would do; raises what that raises."""
    return _rehearsed(
        database,
        organization,
        lambda connection, owner: people_below(connection, [the_group(connection, owner, child).id]),
        lambda rehearsal: hand_members.unnest(rehearsal, actor, organization, group, child),
    )


def of_revoke(database: Database, actor: Actor, organization: str, wanted: GrantWanted) -> Effects:
    """Return what taking a grant away would do; raises what that raises."""

    def holders(connection: Connection, owner: OrganizationId) -> Collection[MemberId]:
        if wanted.group is not None:
            return people_below(connection, [the_group(connection, owner, wanted.group).id])
        return [the_member(connection, owner, wanted.person or "").id]

    return _rehearsed(
        database, organization, holders, lambda rehearsal: grants.remove(rehearsal, actor, organization, wanted)
    )


def _rehearsed(database: Database, organization: str, whom: Whom, work: Work) -> Effects:
    with rehearse(database) as rehearsal:
        with rehearsal.read() as connection:
            owner = the_organization(connection, organization)
            concerned = frozenset(whom(connection, owner.id))
            called = {key: each.name for key, each in people.names_of_groups(connection, owner.id).items()}
            before = _standing(connection, owner.id, concerned, called)
        work(rehearsal)
        with rehearsal.read() as connection:
            return effects(before, _standing(connection, owner.id, concerned, called))


def _standing(
    connection: Connection, organization_id: OrganizationId, concerned: frozenset[MemberId], called: dict[GroupId, str]
) -> Standing:
    """Return how things stand for some people; whoever may share a subject with one of them is read along."""
    if len(concerned) > EVERYBODY_FROM:
        snapshot = read_organization(connection, organization_id, now())
    else:
        clusters = read_tree(connection, organization_id).clusters.values()
        read = namesakes_of(connection, organization_id, concerned, clusters)
        snapshot = read_members(connection, organization_id, read, now())
    return standing(snapshot, Names(cache(lambda scope: scope_text(snapshot.tree, scope)), called), concerned)
