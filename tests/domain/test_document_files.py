"""Organizations as people write them down: every default filled in, every mistake told with its place."""

from typing import Any

import pytest

from scim_bridge.domain.document_files import Credential, parse_organization
from scim_bridge.domain.organization_documents import Section
from scim_bridge.errors import Invalid


def test_what_a_file_leaves_out_has_its_default() -> None:
    found = parse_organization(
        {
            "organization": "acme",
            "units": [{"path": "production"}],
            "projects": [{"name": "shop", "services": [{"name": "db", "namespace": "shop-db"}]}],
            "clusters": [{"name": "prod", "in_cluster": True}],
            "groups": [{"name": "ops"}],
            "grants": [{"scope": "organization", "group": "ops", "api_role": "viewer"}],
        }
    )

    assert found.slug == "acme"
    assert found.document.sections == {
        Section.UNITS: {"production": {"environment": None}},
        Section.PROJECTS: {"shop": {"unit": "", "namespaces": [], "selectors": [], "clusters": []}},
        Section.SERVICES: {"shop/db": {"namespace": "shop-db"}},
        Section.CLUSTERS: {
            "prod": {
                "unit": "",
                "user_template": "{user_name}",
                "case": "keep",
                "bridge_namespace": "scim-bridge",
                "allow_cluster_admin": False,
                "allow_label_selectors": False,
            }
        },
        Section.GROUPS: {"ops": {"description": "", "members": []}},
        Section.GRANTS: {
            "api_role viewer at organization to group ops": {
                "scope": "organization",
                "group": "ops",
                "api_role": "viewer",
                "kubernetes_role": None,
            }
        },
    }


def test_a_section_that_is_left_out_is_not_the_documents_business() -> None:
    found = parse_organization({"units": []}).document

    assert found.sections == {Section.UNITS: {}}


def test_lists_are_in_no_order_and_without_repetition() -> None:
    one = parse_organization({"projects": [{"name": "shop", "namespaces": ["b", "a", "b"]}]}).document
    other = parse_organization({"projects": [{"name": "shop", "namespaces": ["a", "b"]}]}).document

    assert one.digest == other.digest


def test_a_credential_is_only_referred_to_and_no_part_of_the_document() -> None:
    clusters = [{"name": "a", "kubeconfig": {"env": "A_CONFIG"}}, {"name": "b", "kubeconfig": {"file": "b.yaml"}}]
    found = parse_organization({"clusters": clusters})

    assert found.credentials == {"a": Credential("env", "A_CONFIG"), "b": Credential("file", "b.yaml")}
    assert "A_CONFIG" not in found.document.canonical


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ({"unit": []}, "unit"),
        ({"services": []}, "services"),
        ({"version": 2}, "version"),
        ({"version": True}, "version"),
        ({"organization": 5}, "organization"),
        ({"organization": {"colour": "red"}}, "organization.colour"),
        ({"units": {}}, "units"),
        ({"units": ["production"]}, "units[0]"),
        ({"units": [{}]}, "units[0].path"),
        ({"units": [{"path": "a"}, {"path": "a"}]}, "units[1]"),
        ({"units": [{"path": "a", "environment": "live"}]}, "units[0].environment"),
        ({"units": [{"path": "a\nb"}]}, "units[0].path"),
        ({"projects": [{"name": "a", "namespaces": "b"}]}, "projects[0].namespaces"),
        ({"projects": [{"name": "a", "namespaces": [1]}]}, "projects[0].namespaces"),
        ({"projects": [{"name": "a", "services": {}}]}, "projects[0].services"),
        ({"projects": [{"name": "a", "services": [{"name": "s"}]}]}, "projects[0].services[0].namespace"),
        ({"clusters": [{"name": "a", "kubeconfig": "apiVersion: v1"}]}, "clusters[0].kubeconfig"),
        ({"clusters": [{"name": "a", "kubeconfig": {"file": 1}}]}, "clusters[0].kubeconfig.file"),
        ({"clusters": [{"name": "a", "in_cluster": True, "manifests": "x"}]}, "clusters[0]"),
        ({"clusters": [{"name": "a", "allow_cluster_admin": "yes"}]}, "clusters[0].allow_cluster_admin"),
        ({"grants": [{"scope": "organization", "api_role": "viewer"}]}, "grants[0]"),
        ({"grants": [{"scope": "organization", "person": "a", "group": "b", "api_role": "viewer"}]}, "grants[0]"),
        ({"grants": [{"scope": "organization", "person": "a"}]}, "grants[0]"),
        (
            {"grants": [{"scope": "organization", "person": "a", "kubernetes_role": "root"}]},
            "grants[0].kubernetes_role",
        ),
        ({"rules": [{"name": "x"}]}, "rules[0]"),
        ({"units": [], "prune": ["grants"]}, "prune"),
        ({"organization": "acme", "prune": ["organization"]}, "prune"),
    ],
)
def test_a_mistake_is_told_with_its_place(table: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_organization(table)

    assert caught.value.field == field
