"""Small organizations to reason about, and strategies that make them up."""

from collections.abc import Iterable

from hypothesis import strategies as st

from scim_bridge.domain.access import Grant, GrantId, Origin, OriginKind, Snapshot
from scim_bridge.domain.organizations import (
    Cluster,
    ClusterId,
    NamespaceClaim,
    OrganizationId,
    Project,
    ProjectId,
    Scope,
    ScopeKind,
    Service,
    ServiceId,
    Tree,
    Unit,
    UnitId,
)
from scim_bridge.domain.people import GroupId, Member, MemberId, MemberState
from scim_bridge.domain.roles import KubernetesRole

ACME = OrganizationId("acme")
PRODUCTION, EU = UnitId("u1"), UnitId("u2")
PROD, STAGE = ClusterId("c1"), ClusterId("c2")
SHOP, BLOG = ProjectId("p1"), ProjectId("p2")
WEB = ServiceId("s1")


def tree(*, allow_cluster_admin: bool = False, allow_label_selectors: bool = False) -> Tree:
    """Return: production/eu holds cluster prod and project shop (service web); staging's cluster has no unit."""
    prod = Cluster(
        PROD,
        EU,
        "prod",
        allow_cluster_admin=allow_cluster_admin,
        allow_label_selectors=allow_label_selectors,
    )
    return Tree(
        ACME,
        units={PRODUCTION: Unit(PRODUCTION, None, "production"), EU: Unit(EU, PRODUCTION, "eu")},
        projects={
            SHOP: Project(SHOP, EU, "shop", namespaces=(NamespaceClaim(name="shop"),)),
            BLOG: Project(BLOG, None, "blog", frozenset({PROD}), (NamespaceClaim(name="blog"),)),
        },
        services={WEB: Service(WEB, SHOP, "web", "shop-web")},
        clusters={PROD: prod, STAGE: Cluster(STAGE, None, "stage")},
    )


ORGANIZATION = Scope(ScopeKind.ORGANIZATION, ACME)
UNIT, INNER_UNIT = Scope(ScopeKind.UNIT, PRODUCTION), Scope(ScopeKind.UNIT, EU)
CLUSTER = Scope(ScopeKind.CLUSTER, PROD)
PROJECT, SERVICE = Scope(ScopeKind.PROJECT, SHOP), Scope(ScopeKind.SERVICE, WEB)
SCOPES = (ORGANIZATION, UNIT, INNER_UNIT, CLUSTER, PROJECT, SERVICE)


def grant(
    scope: Scope,
    role: KubernetesRole | None = None,
    *,
    api: str | None = None,
    rule: int | None = None,
    member: str | None = None,
    group: str | None = None,
    name: str = "g",
) -> Grant:
    """Return a grant by hand, or by a rule of priority ``rule``."""
    origin = Origin(OriginKind.MANUAL) if rule is None else Origin(OriginKind.RULE, f"r{rule}", rule)
    return Grant(
        GrantId(name),
        scope,
        MemberId(member) if member else None,
        GroupId(group) if group else None,
        api,
        role,
        (origin,),
    )


def person(name: str, state: MemberState = MemberState.ACTIVE, user_name: str | None = None) -> Member:
    """Return a member whose userName is the name."""
    return Member(MemberId(name), state, user_name or name)


def snapshot(
    members: Iterable[Member],
    grants: Iterable[Grant],
    groups_of: dict[str, tuple[str, ...]] | None = None,
    parents_of: dict[str, tuple[str, ...]] | None = None,
    the_tree: Tree | None = None,
) -> Snapshot:
    """Return a snapshot of these people, grants and groups."""
    own: dict[MemberId, tuple[Grant, ...]] = {}
    of_group: dict[GroupId, tuple[Grant, ...]] = {}
    for each in grants:
        if each.member_id:
            own[each.member_id] = (*own.get(each.member_id, ()), each)
        if each.group_id:
            of_group[each.group_id] = (*of_group.get(each.group_id, ()), each)
    return Snapshot(
        ACME,
        "revision",
        the_tree or tree(),
        {member.id: member for member in members},
        {MemberId(m): tuple(map(GroupId, g)) for m, g in (groups_of or {}).items()},
        {GroupId(c): tuple(map(GroupId, p)) for c, p in (parents_of or {}).items()},
        own,
        of_group,
    )


roles = st.sampled_from(list(KubernetesRole))
priorities = st.one_of(st.none(), st.integers(1, 3))


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    """Draw a grant of a Kubernetes role to nobody in particular."""
    number = draw(st.integers(0, 10**6))
    return grant(draw(st.sampled_from(SCOPES)), draw(roles), rule=draw(priorities), name=f"g{number}")


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Draw a few people in a few groups, nested perhaps in a circle, with grants to both."""
    names = [f"m{index}" for index in range(draw(st.integers(1, 6)))]
    groups = ["ga", "gb", "gc"]
    states = st.sampled_from([MemberState.ACTIVE, MemberState.ACTIVE, MemberState.DEACTIVATED])
    user_names = st.sampled_from(["ann", "bob", "cid", "dot", ""])
    members = [person(name, draw(states), draw(user_names) or f"user-{name}") for name in names]
    held = []
    for number in range(draw(st.integers(0, 8))):
        holder = draw(st.sampled_from(names + groups))
        held.append(
            grant(
                draw(st.sampled_from(SCOPES)),
                draw(roles),
                rule=draw(priorities),
                name=f"g{number}",
                member=holder if holder in names else None,
                group=holder if holder in groups else None,
            )
        )
    some_groups = st.lists(st.sampled_from(groups), unique=True).map(tuple)
    in_groups = {name: draw(some_groups) for name in names}
    nested = {name: draw(some_groups) for name in groups}
    return snapshot(members, held, in_groups, nested, tree(allow_cluster_admin=draw(st.booleans())))
