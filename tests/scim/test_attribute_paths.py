"""The paths that a mapping may name, with the door's own grammar; and that who maps nothing sees nothing change."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.attribute_files import read_mapping
from scim_bridge.domain.attributes import derive
from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import USER
from scim_bridge.scim.documents import read_document
from scim_bridge.scim.filters import attribute_path
from scim_bridge.scim.translate import user_record

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ADA = read_document(
    {
        "userName": "ada",
        "name": {"GIVENNAME": "Ada"},
        "emails": [
            {"value": "h@x", "type": "home"},
            {"value": "w@x", "type": "Work", "primary": True},
            {"value": "v@x", "type": "work"},
        ],
        "addresses": [{"type": "work", "country": "GB"}],
        "urn:acme:2.0:User": {"costCenter": 42, "site": {"code": "LON"}},
        ENTERPRISE: {"department": "Engines", "manager": {"value": "26118915", "displayName": "Boss"}},
    },
    USER,
)


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("userName", ("ada",)),
        ("USERNAME", ("ada",)),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", ("ada",)),
        ("name.givenName", ("Ada",)),
        ("emails", ("h@x", "w@x", "v@x")),
        ('emails[type eq "work"].value', ("w@x", "v@x")),
        ('emails[type eq "work" and not (primary eq true)].value', ("v@x",)),
        ('emails[value ew "@x" and primary eq "True"]', ("w@x",)),
        ("emails.type", ("home", "Work", "work")),
        ('addresses[type eq "work"].country', ("GB",)),
        ('addresses[type eq "home"].country', ()),
        ("department", ("Engines",)),
        (f"{ENTERPRISE}:department", ("Engines",)),
        ("manager", ("26118915",)),
        (f"{ENTERPRISE}:manager.displayName", ("Boss",)),
        ("urn:acme:2.0:User:costCenter", ("42",)),
        ("urn:acme:2.0:User:site.code", ("LON",)),
        ("urn:acme:2.0:User:nothing", ()),
        ("title", ()),
    ],
)
def test_a_path_finds_its_values_in_a_stored_document(path: str, texts: tuple[str, ...]) -> None:
    assert attribute_path(path).texts(ADA) == texts


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x y",
        "emails[",
        "emails[0].value",
        "emails[type xx 1].value",
        'userName eq "ada"',
        "name",
        ENTERPRISE,
        "id",
        "groups",
        "groups.value",
        "meta.created",
        "password",
        "schemas",
        "x" * 5000,
    ],
)
def test_what_no_document_can_have_is_refused_in_a_sentence(path: str) -> None:
    with pytest.raises(Invalid) as caught:
        attribute_path(path)

    assert str(caught.value).endswith(".")


EMPTY = st.sampled_from([None, ""])
TEXT = st.one_of(EMPTY, st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8))
ADDRESS = st.fixed_dictionaries(
    {},
    optional={
        "value": TEXT,
        "type": st.sampled_from(["work", "WORK", "home", None]),
        "primary": st.sampled_from([True, False, None]),
    },
)
PERSON = st.fixed_dictionaries(
    {"userName": st.just("ada")},
    optional={
        "emails": st.one_of(st.none(), st.lists(ADDRESS, max_size=4)),
        "displayName": TEXT,
        "externalId": TEXT,
        "name": st.one_of(
            st.none(),
            st.fixed_dictionaries({}, optional={"formatted": TEXT, "givenName": TEXT, "familyName": TEXT}),
        ),
    },
)


def best_address(entries: list[dict[str, Any]]) -> str | None:
    """Return the address a person is known by, as releases before mappings chose it."""
    known = [each for each in entries if each.get("value")]
    for chosen in (
        [each for each in known if each.get("primary") is True],
        [each for each in known if str(each.get("type")).lower() == "work"],
        known,
    ):
        if chosen:
            return str(chosen[0]["value"])
    return None


def best_name(document: dict[str, Any]) -> str | None:
    """Return the name that is shown of a person, as releases before mappings chose it."""
    parts = document.get("name") or {}
    whole = " ".join(parts[key] for key in ("givenName", "familyName") if parts.get(key))
    return document.get("displayName") or parts.get("formatted") or whole or None


@given(PERSON)
def test_whoever_maps_nothing_sees_nothing_change(sent: dict[str, Any]) -> None:
    document = read_document(sent, USER)

    record = user_record(document, active=True)
    derived = derive(read_mapping(None, attribute_path), document).values

    assert record.email == best_address(document.get("emails") or []) == derived.get("email")
    assert record.display_name == best_name(document) == derived.get("display_name")
    assert (record.names.user_name, record.names.external_id) == ("ada", document.get("externalId") or None)
    assert (record.mapped, derived.get("external_id")) == (None, record.external_id)
