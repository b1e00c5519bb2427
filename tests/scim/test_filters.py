"""Filter and path texts become trees bound to our attributes."""

from typing import Any

import pytest

from scim_bridge.domain.filters import Attribute, Compare, Either, Every, Not, Operator, Present, Some, matches
from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import ENTERPRISE_URN, GROUP, USER
from scim_bridge.scim.filters import parse_filter, parse_path

ADA: dict[str, Any] = {
    "userName": "Ada",
    "externalId": "Ext",
    "active": True,
    "title": 'Countess "of" Lovelace',
    "emails": [{"value": "a@x", "type": "work", "primary": True}, {"value": "b@x", "type": "home"}],
    "roles": [{"value": "Admin", "primary": True}],
    ENTERPRISE_URN: {"department": "Engines", "manager": {"value": "Boss"}},
    "urn:example:badge": {"No": 7},
    "costCode": "X1",
}
ACTIVE = Compare(Attribute(("active",)), Operator.EQUAL, True)
DEPARTMENT = (ENTERPRISE_URN, "department")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('userName eq "x"', Compare(Attribute(("userName",)), Operator.EQUAL, "x")),
        ('EXTERNALID Eq "x"', Compare(Attribute(("externalId",), exact=True), Operator.EQUAL, "x")),
        ("title pr", Present(Attribute(("title",)))),
        ("not (title pr)", Not(Present(Attribute(("title",))))),
        (
            "title pr and active eq true",
            Every((Present(Attribute(("title",))), Compare(Attribute(("active",)), Operator.EQUAL, True))),
        ),
        ('emails co "x"', Some(("emails",), Compare(Attribute(("value",)), Operator.CONTAINS, "x"))),
        ("emails pr", Present(Attribute(("emails",)))),
        ('manager eq "m"', Compare(Attribute((ENTERPRISE_URN, "manager", "value"), exact=True), Operator.EQUAL, "m")),
        (
            f'{ENTERPRISE_URN}:department eq "d"',
            Compare(Attribute((ENTERPRISE_URN, "department")), Operator.EQUAL, "d"),
        ),
    ],
)
def test_a_text_is_a_tree(text: str, tree: object) -> None:
    assert parse_filter(text, USER, 4096) == tree


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('userName eq "ADA"', True),
        ('externalId eq "ext"', False),
        ('title co "\\"OF\\""', True),
        ('emails[type eq "work" and primary eq true].value eq "A@x"', True),
        ('emails[type eq "home" and primary eq true]', False),
        ('roles[primary eq "True"].value eq "admin"', True),
        ('active eq "true"', True),
        ('manager eq "boss"', False),
        ('manager.value eq "Boss"', True),
        (f'{ENTERPRISE_URN}:manager eq "Boss"', True),
        ("urn:example:badge:No gt 6", True),
        ('costCode eq "x1"', True),
        ("nothing pr or costCode pr", True),
        ("nothing eq null and not (costCode eq null)", True),
        ('userName eq "a" or userName eq "ada" and title pr', True),
        ('(userName eq "ada" or title pr) and nothing pr', False),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "a"', True),
        ('userName ne "bob"', True),
        ('nickName ne "bob"', True),
    ],
)
def test_a_filter_holds_where_the_rfc_says(text: str, holds: bool) -> None:
    assert matches(parse_filter(text, USER, 4096), ADA) is holds


@pytest.mark.parametrize(
    "text",
    [
        "userName",
        "userName eq",
        "eq eq eq",
        'userName eq "x',
        'userName is "x"',
        'userName eq "x" and',
        "((((userName pr)",
        "active gt true",
        'active co "t"',
        "userName co 7",
        "userName gt null",
        "title eq [1]",
        'userName eq "\\u0000"',
        'schemas eq "x"',
        'meta.version eq "W/1"',
        "meta.location pr",
        "meta pr",
        "not " * 200 + "(a pr)",
        "not (" * 200 + "a pr" + ")" * 200,
        "a pr " + "or a pr " * 700,
    ],
)
def test_what_cannot_be_understood_is_an_invalid_filter(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_filter(text, USER, 4096)

    assert refused.value.scim_type == "invalidFilter"
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("text", "path", "part"),
    [
        ("displayname", ("displayName",), None),
        ("members.value", ("members",), ("value",)),
        ("urn:ietf:params:scim:schemas:core:2.0:Group:members", ("members",), None),
        ("unknown.Part", ("unknown",), ("Part",)),
        ("urn:example:x:y", ("urn:example:x", "y"), None),
    ],
)
def test_a_path_names_a_place(text: str, path: tuple[str, ...], part: tuple[str, ...] | None) -> None:
    target = parse_path(text, GROUP, 4096)

    assert target.place.path == path
    assert (target.part.path if target.part else None) == part
    assert target.selector is None


@pytest.mark.parametrize("text", ["a[", "a b", "]", "a..b", "a[b]", 'userName eq "x"', "", "x" * 99])
def test_what_names_no_place_is_an_invalid_path(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_path(text, USER, 50)

    assert refused.value.scim_type in ("invalidPath", "invalidFilter")


def test_alternatives_are_kept_in_their_order() -> None:
    tree = parse_filter('userName eq "a" or userName eq "b" or userName eq "c"', USER, 4096)

    assert isinstance(tree, Either)
    assert [term.value for term in tree.terms if isinstance(term, Compare)] == ["a", "b", "c"]


@pytest.mark.parametrize("number", ["9223372036854775808", "-99999999999999999999999"])
def test_a_number_that_no_document_can_hold_is_read_as_json_reads_it(number: str) -> None:
    found = parse_filter(f"size gt {number}", USER, 4096)

    assert isinstance(found, Compare)
    assert (type(found.value), found.value) == (float, float(number))


def test_a_number_beyond_any_is_refused() -> None:
    with pytest.raises(Invalid, match="too large") as refused:
        parse_filter(f"size eq {'9' * 400}", USER, 4096)

    assert refused.value.scim_type == "invalidFilter"
