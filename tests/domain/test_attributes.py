"""How a field of a person is filled from what an identity provider says, and how a mapping is read."""

from typing import Any

import pytest

from scim_bridge.domain.attribute_files import canonical, parse_mapping, read_mapping
from scim_bridge.domain.attributes import DEFAULTS, AttributePath, Derived, FieldTrace, Origin, derive, trace
from scim_bridge.errors import Invalid

ADA = {
    "userName": "Ada@Acme.example",
    "externalId": "EXT-1815",
    "title": "  ",
    "name": {"givenName": "Ada", "familyName": "King"},
    "roles": [{"value": "dev", "primary": True}, {"value": ""}, {"value": "ops"}],
    "level": 7,
    "badge": {"value": {"no": 1}},
    "remote": True,
}


def read_path(text: str) -> AttributePath:
    """Read plain paths: the grammar is the SCIM door's."""
    if text.startswith("?"):
        raise Invalid("The path cannot be understood.")
    whole, _, part = text.partition(".")
    return AttributePath(text, (whole,), part=(part,) if part else ())


def value(document: dict[str, Any] = ADA, **field: Any) -> str | None:
    """Return what a field that is defined so is filled with."""
    row = {"from" if key == "sources" else key: each for key, each in field.items()}
    mapping = parse_mapping({"fields": {"nick": row}}, read_path)
    return derive(mapping, document).values.get("nick")


def traced(name: str, field: dict[str, Any], document: dict[str, Any] = ADA) -> FieldTrace:
    mapping = parse_mapping({"fields": {name: field}}, read_path)
    return next(each for each in trace(mapping, document) if each.name == name)


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ("userName", "Ada@Acme.example"),
        (["nothing", "title", "userName"], "  "),
        (["name.givenName"], "Ada"),
        (["roles"], "dev"),
        (["roles.value"], "dev"),
        ([{"join": ["name.givenName", "name.familyName"]}], "Ada King"),
        ([{"join": ["name.familyName", "name.middleName", "name.givenName"], "with": ", "}], "King, Ada"),
        ([{"join": ["roles.value"], "with": "+"}], "dev+ops"),
        ([{"join": ["nothing"]}, "externalId"], "EXT-1815"),
        ("level", "7"),
        ("remote", "true"),
        ("badge", None),
        ("name", None),
        ([], None),
    ],
)
def test_a_field_takes_the_first_source_that_has_a_value(sources: Any, found: str | None) -> None:
    assert value(sources=sources) == found


@pytest.mark.parametrize(
    ("transforms", "found"),
    [
        (["lower"], "ada@acme.example"),
        (["upper"], "ADA@ACME.EXAMPLE"),
        ([{"before": "@"}], "Ada"),
        ([{"after": "@"}, "lower"], "acme.example"),
        ([{"before": "#"}], "Ada@Acme.example"),
        ([{"after": "#"}], "Ada@Acme.example"),
        ([{"replace_prefix": ["Ada@", "x-"]}], "x-Acme.example"),
        ([{"replace_prefix": ["ada@", "x-"]}], "Ada@Acme.example"),
        ([{"replace_prefix": ["Ada@Acme", ""]}, {"replace_prefix": [".", "@"]}], "@example"),
    ],
)
def test_transforms_are_done_in_their_order(transforms: list[Any], found: str) -> None:
    assert value(sources="userName", transforms=transforms) == found


def test_a_source_of_which_nothing_is_left_is_passed_over() -> None:
    assert value(sources=["title", "externalId"], transforms=["trim"]) == "EXT-1815"


def test_a_value_that_no_index_holds_is_passed_over() -> None:
    long = ADA | {"title": "é" * 513}

    assert value(long, sources=["title", "externalId"]) == "EXT-1815"
    assert value(ADA | {"title": "é" * 512}, sources=["title"]) == "é" * 512


def test_a_default_stands_for_what_is_missing_and_is_not_transformed() -> None:
    assert value(sources="nothing", default="None", transforms=["lower"]) == "None"
    assert value(sources="userName", default="None", transforms=["lower"]) == "ada@acme.example"


def test_the_trace_tells_what_was_looked_at_and_what_became_of_it() -> None:
    found = traced("nick", {"from": ["nothing", "title", "userName"], "transforms": ["trim", {"before": "@"}]})

    assert (found.value, found.origin, found.error) == ("Ada", Origin.SOURCE, None)
    assert [(each.source, each.raw, each.passed_over) for each in found.tried] == [
        ("nothing", None, "there is no value"),
        ("title", "  ", "nothing is left of it"),
        ("userName", "Ada@Acme.example", None),
    ]
    assert found.tried[2].steps == (("trim", "Ada@Acme.example"), ("before '@'", "Ada"))


def test_what_is_required_and_missing_is_an_error_of_the_trace_and_lacks() -> None:
    field = {"from": ["nothing"], "required": True}
    mapping = parse_mapping({"fields": {"department": field}}, read_path)

    found = traced("department", field)

    assert (found.value, found.origin) == (None, Origin.NOTHING)
    assert found.error == "It is required, and nothing has a value."
    assert derive(mapping, ADA).lacks == ("department",)


def test_a_default_fulfils_what_is_required() -> None:
    mapping = parse_mapping({"fields": {"department": {"default": "none", "required": True}}}, read_path)

    assert derive(mapping, ADA).lacks == ()
    assert derive(mapping, ADA).values["department"] == "none"


def test_nobody_is_without_a_name() -> None:
    mapping = parse_mapping({"fields": {"user_name": {"from": ["nothing"], "required": True}}}, read_path)

    found = derive(mapping, ADA)

    assert (found.values["user_name"], found.lacks) == ("Ada@Acme.example", ("user_name",))


def test_who_lacks_what_is_required_keeps_it_from_before_and_nothing_else() -> None:
    found = Derived({"email": "new"}, ("department", "title")).keeping({"department": "Engines", "email": "old"})

    assert found == Derived({"email": "new", "department": "Engines"}, ("department", "title"))


def test_a_field_that_is_left_out_has_its_default() -> None:
    mapping = parse_mapping({"fields": {"email": {"from": "userName"}}}, read_path)

    names = [rule.name for rule in mapping.fields]
    assert set(DEFAULTS) == set(names)
    assert mapping.own == {"email"}
    assert derive(mapping, ADA).values["external_id"] == "EXT-1815"


@pytest.mark.parametrize("document", [{}, {"version": 1}, {"fields": {}}, {"version": 1, "fields": dict(DEFAULTS)}])
def test_what_says_no_more_than_the_defaults_is_nothing_of_its_own(document: dict[str, Any]) -> None:
    assert canonical(parse_mapping(document, read_path)) is None


def test_a_mapping_is_the_same_when_it_is_read_again() -> None:
    field = {
        "from": ["userName", {"join": ["name.givenName", "title"], "with": "-"}],
        "transforms": ["trim", {"after": "@"}, {"replace_prefix": ["a", ""]}],
        "default": "nobody",
        "required": True,
    }
    made = parse_mapping({"fields": {"nick": field, "title": {"from": []}}}, read_path)
    text = canonical(made)

    assert text is not None
    assert read_mapping(text, read_path) == made
    assert canonical(read_mapping(text, read_path)) == text
    assert made.definition["nick"] == field


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"rules": []}, "rules"),
        ({"version": 2}, "version"),
        ({"version": True}, "version"),
        ({"fields": []}, "fields"),
        ({"fields": {f"f{number}": {} for number in range(51)}}, "fields"),
        ({"fields": {"Email": {}}}, "fields"),
        ({"fields": {"active": {}}}, "fields.active"),
        ({"fields": {"groups": {}}}, "fields.groups"),
        ({"fields": {"email": []}}, "fields.email"),
        ({"fields": {"email": {"form": "x"}}}, "fields.email.form"),
        ({"fields": {"email": {"from": {"join": ["x"]}}}}, "fields.email.from"),
        ({"fields": {"email": {"from": ["x"] * 11}}}, "fields.email.from"),
        ({"fields": {"email": {"from": ["userName", 7]}}}, "fields.email.from[1]"),
        ({"fields": {"email": {"from": ["?"]}}}, "fields.email.from[0]"),
        ({"fields": {"email": {"from": ["x\x00"]}}}, "fields.email.from[0]"),
        ({"fields": {"email": {"from": [{"join": []}]}}}, "fields.email.from[0].join"),
        ({"fields": {"email": {"from": [{"join": ["x"], "by": "y"}]}}}, "fields.email.from[0]"),
        ({"fields": {"email": {"from": [{"join": ["x", "?"]}]}}}, "fields.email.from[0].join[1]"),
        ({"fields": {"email": {"from": [{"join": ["x"], "with": "\n"}]}}}, "fields.email.from[0].with"),
        ({"fields": {"email": {"transforms": ["shout"]}}}, "fields.email.transforms[0]"),
        ({"fields": {"email": {"transforms": ["trim", {"before": ""}]}}}, "fields.email.transforms[1].before"),
        ({"fields": {"email": {"transforms": [{"replace_prefix": ["a"]}]}}}, "fields.email.transforms[0]"),
        ({"fields": {"email": {"transforms": [{"before": "a", "after": "b"}]}}}, "fields.email.transforms[0]"),
        ({"fields": {"email": {"transforms": ["trim"] * 11}}}, "fields.email.transforms"),
        ({"fields": {"email": {"default": ""}}}, "fields.email.default"),
        ({"fields": {"email": {"default": "x" * 1025}}}, "fields.email.default"),
        ({"fields": {"email": {"default": "\ud800"}}}, "fields.email.default"),
        ({"fields": {"email": {"required": "yes"}}}, "fields.email.required"),
    ],
)
def test_a_mistake_is_named_with_its_place(document: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_mapping(document, read_path)

    assert caught.value.field == place
    assert str(caught.value).endswith(".")
