"""Who has what: as manifests say it, and as it should be by the identity providers' own lists."""

from pathlib import Path

import pytest

from scim_bridge.cli.demo.access import ANYWHERE, Access, files_of, on_disk, right
from scim_bridge.simulator import Client, Company, Entra, Okta

TEMPLATE = "oidc:{user_name}"
ADA, MEI = "oidc:ada.keller@acme.example", "oidc:mei.chen@acme.example"
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: one{namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}
subjects: {subjects}
"""


def okta(**groups: list[str]) -> Okta:
    """Return Okta with a company of these groups, which it has sent."""
    named = {name.replace("_", "-"): people for name, people in groups.items()}
    made = Okta(Client("http://127.0.0.1:1/scim/v2", "token"), Company.of(named, "acme.example"))
    made.group_ids = dict.fromkeys(made.company.groups, "sent")
    return made


def write(folder: Path, name: str, *people: str, role: str = "edit", namespace: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    subjects = str([{"kind": "User", "name": each} for each in people])
    place = f", namespace: {namespace}" if namespace else ""
    (folder / name).write_text(BINDING.format(kind=kind, namespace=place, role=role, subjects=subjects))


def test_a_group_gives_its_role_on_each_cluster_of_its_unit() -> None:
    provider = okta(platform_engineers=["Ada Keller"], developers=[])

    found = right([provider], TEMPLATE)

    assert found == {Access(ADA, "prod-eu", ANYWHERE, "edit"), Access(ADA, "prod-us", ANYWHERE, "edit")}


def test_of_two_groups_at_one_place_the_stronger_role_counts() -> None:
    provider = okta(platform_engineers=["Ada Keller"], developers=["Ada Keller"])

    found = right([provider], TEMPLATE)

    assert {(each.cluster, each.role) for each in found} == {
        ("prod-eu", "edit"),
        ("prod-us", "edit"),
        ("staging", "edit"),
    }


def test_who_left_has_nothing_though_the_groups_keep_them() -> None:
    provider = okta(platform_engineers=["Ada Keller"], developers=[])
    provider.company.see_off(provider.company.person("Ada Keller"))

    assert right([provider], TEMPLATE) == frozenset()


def test_what_was_not_sent_yet_gives_nothing() -> None:
    groups = {"auditors": ["Olga Petrov"], "team-shop": ["Mei Chen"]}
    provider = Entra(Client("http://127.0.0.1:1/scim/v2", "token"), Company.of(groups, "acme.example"))

    assert right([provider], TEMPLATE) == frozenset()


def test_entra_gives_a_namespace_to_a_team() -> None:
    groups = {"auditors": [], "team-shop": ["Mei Chen"]}
    provider = Entra(Client("http://127.0.0.1:1/scim/v2", "token"), Company.of(groups, "acme.example"))
    provider.group_ids = dict.fromkeys(provider.company.groups, "sent")

    found = right([provider], TEMPLATE)

    assert found == {Access(MEI, "prod-eu", "shop", "edit"), Access(MEI, "prod-us", "shop", "edit")}


def test_manifests_are_read_with_their_namespaces_from_wherever_they_lie(tmp_path: Path) -> None:
    write(tmp_path / "eu/_cluster", "one.yaml", ADA, MEI)
    write(tmp_path / "us/shop", "two.yaml", MEI, role="view", namespace="shop")

    found = on_disk({"prod-eu": tmp_path / "eu", "prod-us": tmp_path / "us", "staging": tmp_path / "none"})

    assert found == {
        Access(ADA, "prod-eu", ANYWHERE, "edit"),
        Access(MEI, "prod-eu", ANYWHERE, "edit"),
        Access(MEI, "prod-us", "shop", "view"),
    }


@pytest.mark.parametrize("content", ["", "kind: [", "- a list", "kind: ConfigMap\nmetadata: {name: x}"])
def test_what_is_no_binding_gives_nothing(tmp_path: Path, content: str) -> None:
    write(tmp_path, "one.yaml", ADA)
    (tmp_path / "other.yaml").write_text(content)

    assert [file.name for file in files_of(tmp_path)] == ["one.yaml"]
    assert {each.subject for each in on_disk({"prod": tmp_path})} == {ADA}


def test_places_are_told_with_their_namespace() -> None:
    assert (Access(ADA, "prod", ANYWHERE, "edit").place, Access(ADA, "prod", "shop", "edit").place) == (
        "prod",
        "prod/shop",
    )
