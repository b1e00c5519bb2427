"""D6, roles and permissions: one test a row, named after it."""

import pytest

from scim_bridge.identity import grants, tree
from scim_bridge.identity.catalogue import built_in
from scim_bridge.identity.grants import GrantWanted
from tests.api.rest import ACTOR, Person, Rest, problem

VIEWER = [
    "org:read",
    "members:read",
    "environments:read",
    "clusters:read",
    "kubernetes_versions:read",
    "scheduled_upgrades:read",
    "update_channels:read",
    "compute:read",
    "node_pools:read",
    "cloud_accounts:read",
    "cloud_providers:read",
    "cloud_integrations:read",
    "addons:read",
    "observability.tenants:read",
    "observability.alerts:read",
    "observability.alertmanager_configs:read",
    "observability.silences:read",
    "observability.tokens:read",
    "audit.org:read",
    "audit.cluster:read",
    "validation_status:read",
    "agreements:read",
    "billing.invoices:read",
    "billing.charges:read",
]
DEVELOPER = [
    "environments:create",
    "environments:delete",
    "environments.alertmanager:write",
    "clusters:create",
    "clusters:update",
    "cluster_upgrades:request",
    "node_pools:create",
    "node_pools:update",
    "observability.grafana_integrations:manage",
    "observability.access_tokens:manage",
    "observability.tenant_alertmanager_configs:manage",
]
ADMIN = [
    "org:update",
    "org:delete",
    "vouchers:use",
    "org.integrations:configure",
    "members:invite",
    "members:remove",
    "environment_memberships:manage",
    "clusters:delete",
    "clusters:move_environment",
    "maintenance_windows:schedule",
    "node_pools.byon_join_config:read",
    "cloud_accounts:manage",
    "cloud_credentials:manage",
    "cloud_profiles:manage",
    "k8s_audit_logs:view",
    "k8s_audit_logs:query",
    "billing.setup_intents:manage",
    "billing.payment_methods:manage",
    "billing.invoices:manage",
    "billing.charges:manage",
]
OURS = {
    "environments:update": "developer",
    "observability.silences:manage": "developer",
    "members:update_role": "admin",
    "invitations:manage": "admin",
    "node_pools:delete": "admin",
}


def test_api_roles_viewer_developer_admin_with_the_exact_action_lists_of_e1() -> None:
    roles = built_in().roles

    assert (len(VIEWER), len(DEVELOPER), len(ADMIN)) == (24, 11, 20)
    assert set(VIEWER) <= roles["viewer"]
    assert set(DEVELOPER) <= roles["developer"] - roles["viewer"]
    assert set(ADMIN) <= roles["admin"] - roles["developer"]
    assert roles["viewer"] < roles["developer"] < roles["admin"] < roles["owner"]
    for permission, role in OURS.items():
        assert permission in roles[role], permission
    assert not {"members:update_role", "invitations:manage", "node_pools:delete"} & roles["developer"]
    assert not {"environments:update", "observability.silences:manage"} & roles["viewer"]


# E3: what each single permission of the organization is for, and who holds it beside admins and owners.
E3 = {
    "organization:users:write": set(),
    "organization:groups:write": set(),
    "organization:app_users:write": set(),
    "organization:projects:write": set(),
    "organization:units:write": set(),
    "organization:permissions:write": set(),
    "organization:authentication_policy:write": set(),
    "organization:domains:write": set(),
    "organization:event_logs:read": set(),
    "organization:billing:read": {"billing-admin"},
    "organization:billing:write": {"billing-admin"},
    "organization:networking:read": set(),
    "organization:networking:write": set(),
    "organization:sustainability:read": set(),
}


@pytest.mark.parametrize("permission", E3)
def test_e3_organization_permissions_are_held_by_admins_and_owners(permission: str) -> None:
    holders = {role for role, held in built_in().roles.items() if permission in held}

    assert holders == {"admin", "owner"} | E3[permission]


# E4, row by row: whoever of read_only, developer, operator and project admin has a dot in it.
E4 = {
    "project:services:read": "rdoa",
    "project:tags:read": "rdoa",
    "project:permissions:read": "rdoa",
    "project:event_logs:read": "rdoa",
    "project:integrations:read": "rdoa",
    "project:static_ips:read": "rdoa",
    "project:networking:read": "doa",
    "service:users:read": "doa",
    "service:logs:read": "doa",
    "service:metrics:read": "doa",
    "service:secrets:read": "da",
    "service:data:write": "da",
    "project:services:write": "oa",
    "service:configuration:write": "oa",
    "project:networking:write": "oa",
    "project:integrations:write": "oa",
    "service:users:write": "doa",
    "service:backups:write": "oa",
    "project:tags:write": "oa",
    "service:maintenance:write": "oa",
    "service:recover:read": "oa",
    "service:recover:write": "a",
    "project:permissions:write": "a",
}
COLUMNS = {"r": "read_only", "d": "developer", "o": "operator", "a": "project_admin"}


@pytest.mark.parametrize("permission", E4)
def test_e4_project_permissions_are_held_by_the_roles_with_a_dot(permission: str) -> None:
    roles = built_in().roles

    holders = {letter for letter, role in COLUMNS.items() if permission in roles[role]}

    assert holders == set(E4[permission])


def test_every_permission_of_a_project_is_a_row_of_e4() -> None:
    named = {name for name in built_in().descriptions if name.startswith(("project:", "service:"))}

    assert named == set(E4)


def test_owner_above_admin_few_and_for_people_alone(rest: Rest, owner: Person) -> None:
    ada = rest.person("ada")
    owner.ok("POST", "/application-users", {"name": "robot"})

    made = owner.ok("POST", "/grants", {"person": ada.name, "api_role": "owner"})
    robot = owner.inside("POST", "/grants", {"person": "robot", "api_role": "owner"})
    ending = owner.inside("POST", "/grants", {"person": ada.name, "api_role": "owner", "expires": "1d"})
    below = owner.inside("POST", "/grants", {"person": ada.name, "api_role": "owner", "scope": "unit:x"})

    assert made["api_role"] == "owner"
    assert problem(robot) == problem(ending) == (403, "refused")
    assert problem(below)[0] in (404, 422)


@pytest.mark.parametrize("role", ["billing-admin", "console-viewer"])
def test_billing_admin_and_console_viewer_presets(rest: Rest, role: str) -> None:
    person = rest.with_role(role)

    assert person.inside("GET", "").status_code == 200
    assert problem(person.inside("POST", "/application-users", {"name": "x"})) == (403, "refused")
    sees_members = person.inside("GET", "/grants").status_code == 200
    assert sees_members is (role == "console-viewer")


@pytest.mark.parametrize("scope", ["organization", "unit:payments", "project:shop", "service:shop/web"])
@pytest.mark.parametrize("holder", ["person", "group"])
def test_grants_to_user_or_group_at_org_unit_project_service(
    rest: Rest, owner: Person, scope: str, holder: str
) -> None:
    from tests.identity.rows import begin, directory_id, put_group, put_membership, put_user

    tree.create_unit(rest.database, ACTOR, "acme", "payments")
    tree.create_project(rest.database, ACTOR, "acme", tree.NewProject("shop", "payments", ("shop-web",)))
    tree.create_service(rest.database, ACTOR, "acme", "shop", "web", "shop-web")
    from scim_bridge.domain.people import DirectoryKind
    from scim_bridge.identity import directories

    directories.create(rest.database, ACTOR, "acme", "okta", DirectoryKind.OKTA)
    with rest.database.write() as connection:
        change = begin(connection)
        _, member = user = put_user(connection, change, "ana@acme.example", directory_id(connection))
        assert user[1] == member
        put_membership(connection, change, put_group(connection, change, "Team", directory_id(connection)), member)
    named = {"person": "ana@acme.example"} if holder == "person" else {"group": "Team"}

    owner.ok("POST", "/grants", {"scope": scope, "api_role": "read_only", **named})

    question = {"person": "ana@acme.example", "permission": "project:services:read", "scope": scope}
    [decision] = owner.ok("POST", "/authorize", {"checks": [question]})
    assert decision["allowed"] is True
    assert decision["because"][0]["group"] == (None if holder == "person" else "Team")


@pytest.mark.parametrize("role", ["cluster-admin", "edit", "view", "none"])
def test_cluster_role_per_member_cluster_admin_edit_view_none(owner: Person, viewer: Person, role: str) -> None:
    made = owner.ok("POST", "/grants", {"person": viewer.name, "kubernetes_role": role})

    assert (made["kubernetes_role"], made["api_role"]) == (role, None)


def test_custom_roles_are_named_permission_sets(rest: Rest, owner: Person) -> None:
    made = owner.ok("PUT", "/roles/auditor", {"permissions": ["audit.org:read", "org:read"]})
    person = rest.with_role("auditor")

    assert made == {"name": "auditor", "built_in": False, "permissions": ["audit.org:read", "org:read"], "scopes": []}
    assert person.inside("GET", "").status_code == 200
    assert problem(person.inside("GET", "/grants")) == (403, "refused")
    assert problem(owner.inside("DELETE", "/roles/auditor")) == (409, "conflict")


def test_a_custom_role_means_something_else_from_the_moment_it_is_edited(rest: Rest, owner: Person) -> None:
    owner.ok("PUT", "/roles/auditor", {"permissions": ["audit.org:read"]})
    person = rest.with_role("auditor")
    before = person.inside("GET", "").status_code

    owner.ok("PUT", "/roles/auditor", {"permissions": ["audit.org:read", "org:read"]})

    assert (before, person.inside("GET", "").status_code) == (403, 200)


def test_escalation_guard_nobody_grants_what_they_do_not_hold(rest: Rest, owner: Person) -> None:
    owner.ok("PUT", "/roles/granter", {"permissions": ["organization:permissions:write", "org:read"]})
    granter = rest.with_role("granter")
    other = rest.person("other")

    viewer = granter.inside("POST", "/grants", {"person": other.name, "api_role": "viewer"})
    kubernetes = granter.inside("POST", "/grants", {"person": other.name, "kubernetes_role": "view"})
    widened = granter.inside("PUT", "/roles/granter", {"permissions": ["org:read", "org:update"]})
    within = granter.inside("POST", "/grants", {"person": other.name, "api_role": "granter"})

    assert problem(viewer) == problem(kubernetes) == problem(widened) == (403, "refused")
    assert within.status_code == 201


def test_escalation_guard_covers_tokens_of_application_users(rest: Rest, owner: Person) -> None:
    owner.ok("PUT", "/roles/robots", {"permissions": ["organization:app_users:write", "members:read"]})
    keeper = rest.with_role("robots")
    keeper.ok("POST", "/application-users", {"name": "weak"})
    keeper.ok("POST", "/application-users", {"name": "strong"})
    owner.ok("POST", "/grants", {"person": "strong", "api_role": "admin"})

    weak = keeper.inside("POST", "/members/weak/tokens", {})
    strong = keeper.inside("POST", "/members/strong/tokens", {})
    anothers = keeper.inside("POST", f"/members/{owner.name}/tokens", {})

    assert weak.status_code == 201
    assert problem(strong) == problem(anothers) == (403, "refused")
    assert owner.inside("POST", "/members/strong/tokens", {}).status_code == 201


def test_permission_catalogue_endpoint_shows_the_role_by_action_grid(owner: Person) -> None:
    found = owner.ok("GET", "/permissions")

    assert found["descriptions"]["org:read"] == "see the organization"
    assert "org:read" in found["roles"]["viewer"]
    assert "compute:read" in found["external"]
    assert "org:read" not in found["external"]


def test_the_same_grant_by_hand_and_by_rule_outlives_the_rule(rest: Rest, viewer: Person) -> None:
    wanted = GrantWanted("organization", person=viewer.name, api_role="developer")
    grants.add(rest.database, ACTOR, "acme", wanted)

    left = grants.remove(rest.database, ACTOR, "acme", wanted)

    assert left == ()
