"""The tables that requests are read with are those of the published schemas."""

import pytest

from scim_bridge.scim.attributes import ENTERPRISE_URN, GROUP, USER


@pytest.mark.parametrize(
    ("name", "kind", "many", "exact", "read_only"),
    [
        ("USERNAME", "string", False, False, False),
        ("externalid", "string", False, True, False),
        ("id", "string", False, True, True),
        ("emails", "complex", True, False, False),
        ("active", "boolean", False, False, False),
        ("groups", "complex", True, False, True),
        ("meta", "complex", False, False, True),
    ],
)
def test_an_attribute_is_found_in_any_case(name: str, kind: str, many: bool, exact: bool, read_only: bool) -> None:
    found = USER.find(name)

    assert found is not None
    assert (found.kind, found.many, found.exact, found.read_only) == (kind, many, exact, read_only)


def test_every_schema_has_the_common_attributes_and_only_its_own_others() -> None:
    for schema in (USER, GROUP):
        assert {"id", "externalid", "meta"} <= schema.types.keys()
    assert GROUP.find("userName") is None
    assert USER.find("members") is None


@pytest.mark.parametrize(
    "urn",
    [ENTERPRISE_URN, ENTERPRISE_URN.upper(), "urn:scim:schemas:extension:enterprise:1.0"],
)
def test_the_enterprise_extension_is_known_by_its_old_names_too(urn: str) -> None:
    found = USER.extension(urn)

    assert found is not None
    assert found[0] == ENTERPRISE_URN
    assert "employeenumber" in found[1]
    assert GROUP.extension(urn) is None


@pytest.mark.parametrize(
    ("urn", "is_core"),
    [
        ("urn:ietf:params:scim:schemas:core:2.0:User", True),
        ("URN:IETF:params:scim:schemas:core:2.0:user", True),
        ("urn:scim:schemas:core:1.0", True),
        ("urn:ietf:params:scim:schemas:core:2.0:Group", False),
    ],
)
def test_the_core_schema_is_known_by_its_old_names_too(urn: str, is_core: bool) -> None:
    assert USER.is_core(urn) is is_core
