"""PATCH means what scim2-models says it means, whatever the operations, and the same twice as once."""

from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, Group, PatchOp, SCIMException, ScimPolicy, User

from scim_bridge.errors import Invalid
from scim_bridge.scim.attributes import GROUP, USER
from scim_bridge.scim.members import part_members
from scim_bridge.scim.patching import apply_operations, read_operations
from tests.scim.doors import ENTERPRISE_URN, USER_URN, Directory, document

MODEST = settings(max_examples=50)
# Over HTTP an example costs a dozen requests.
FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

# The tolerances of the library that Entra needs: the same that we have.
TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
ANY: Any = PatchOp
GROUP_PATCH = ANY[Group]
PERSON: Any = User
USER_MODEL = PERSON[EnterpriseUser]
USER_PATCH = ANY[USER_MODEL]

# --- Groups -------------------------------------------------------------------------------------------------------

LETTERS = "abcde"
LISTS = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=3)
GROUP_OPERATIONS = st.lists(
    st.one_of(
        st.builds(
            lambda op, ids: _about_members(op, ids), st.sampled_from(["add", "Add", "replace", "Replace"]), LISTS
        ),
        st.builds(lambda ids: _about_members("Remove", ids), LISTS),
        st.sampled_from(LETTERS).map(lambda each: {"op": "remove", "path": f'members[value eq "{each}"]'}),
        st.just({"op": "remove", "path": "members"}),
        st.builds(lambda ids: {"op": "replace", "value": {"members": _entries(ids)}}, LISTS),
        st.builds(lambda ids: {"op": "add", "value": {"members": _entries(ids)}}, LISTS),
        st.sampled_from(["Engineers", "Makers"]).map(lambda n: {"op": "replace", "path": "displayName", "value": n}),
        st.sampled_from(["Engineers", "Makers"]).map(lambda n: {"op": "replace", "value": {"displayName": n}}),
    ),
    min_size=1,
    max_size=6,
)
STARTS = st.sets(st.sampled_from(LETTERS))


def _entries(ids: list[str]) -> list[dict[str, str]]:
    return [{"value": each} for each in ids]


def _about_members(op: str, ids: list[str]) -> dict[str, Any]:
    return {"op": op, "path": "members", "value": _entries(ids)}


def patched_group(start: set[str], operations: list[dict[str, Any]]) -> tuple[str, set[str]]:
    """Return the name and the members that the library leaves a group with."""
    group = Group.model_validate({"displayName": "Start", "members": _entries(sorted(start))})
    with TOLERANT:
        GROUP_PATCH.model_validate({"Operations": deepcopy(operations)}).patch(group)
    return str(group.display_name), {str(each.value) for each in group.members or ()}


@MODEST
@given(STARTS, GROUP_OPERATIONS)
def test_a_change_of_members_means_what_the_library_makes_of_the_whole_list(
    start: set[str], operations: list[dict[str, Any]]
) -> None:
    change, rest = part_members(read_operations({"Operations": operations}, 100), 100)

    left = set() if change.replace else start - set(change.remove)
    named = apply_operations({"displayName": "Start"}, rest, GROUP)["displayName"]
    assert (named, left | set(change.add)) == patched_group(start, operations)


def test_groups_are_kept_as_the_library_would_keep_them(okta: Directory) -> None:
    ids = {letter: okta.create_user(letter) for letter in LETTERS}

    @FEW
    @given(STARTS, GROUP_OPERATIONS)
    def patch(start: set[str], operations: list[dict[str, Any]]) -> None:
        started = {ids[letter] for letter in start}
        group = okta.create_group("Start", *started)
        meant = [_with_ids(each, ids) for each in operations]
        try:
            answers = [okta.patch(f"/Groups/{group}", *meant) for _ in range(2)]
            found = document(okta.get(f"/Groups/{group}"))

            assert [each.status_code for each in answers] == [204, 204]
            members = {each["value"] for each in found["members"]}
            assert (found["displayName"], members) == patched_group(started, meant)
        finally:
            okta.delete(f"/Groups/{group}")

    patch()


def test_the_same_change_of_members_twice_counts_once(okta: Directory) -> None:
    ids = {letter: okta.create_user(letter) for letter in LETTERS}
    group = okta.create_group("Start", *ids.values())

    @FEW
    @given(GROUP_OPERATIONS.map(lambda operations: operations[:1]))
    def patch(operations: list[dict[str, Any]]) -> None:
        meant = [_with_ids(each, ids) for each in operations]
        okta.patch(f"/Groups/{group}", *meant)
        once = document(okta.get(f"/Groups/{group}"))

        okta.patch(f"/Groups/{group}", *meant)

        # RFC 7644 §3.5.2.1: what is there already "SHALL NOT" change the modify timestamp.
        assert document(okta.get(f"/Groups/{group}")) == once

    patch()


def _with_ids(operation: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """Return an operation about the people that stand for these letters."""

    def entries(value: Any) -> Any:
        return [{"value": ids[each["value"]]} for each in value] if isinstance(value, list) else value

    made = dict(operation)
    if "[" in made.get("path", ""):
        made["path"] = f'members[value eq "{ids[made["path"][-3]]}"]'
    if isinstance(made.get("value"), dict):
        made["value"] = {name: entries(each) for name, each in made["value"].items()}
    elif "value" in made:
        made["value"] = entries(made["value"])
    return made


# --- People -------------------------------------------------------------------------------------------------------

ADA: dict[str, Any] = {
    "schemas": [USER_URN, ENTERPRISE_URN],
    "userName": "ada",
    "active": True,
    "title": "Analyst",
    "name": {"givenName": "Ada", "familyName": "King"},
    "emails": [{"value": "w@x.example", "type": "work", "primary": True}, {"value": "h@x.example", "type": "home"}],
    "phoneNumbers": [{"value": "1", "type": "work"}, {"value": "2", "type": "mobile"}],
    "roles": [{"value": "Viewer"}],
    ENTERPRISE_URN: {"department": "Engines", "employeeNumber": "1815"},
}
TEXTS = st.sampled_from(["x", "y", "Ada", "Analyst"])
SIMPLE = st.sampled_from(
    [
        *("title", "TITLE", "nickName", "displayName", "name.givenName", "name.middleName", "preferredLanguage"),
        *(f"{ENTERPRISE_URN}:department", f"{ENTERPRISE_URN}:division", f"{USER_URN}:title"),
    ]
)
SELECTED = st.sampled_from(
    [
        *('phoneNumbers[type eq "work"].value', 'phoneNumbers[type eq "fax"].value', 'roles[value eq "x"].display'),
        *('PhoneNumbers[TYPE eq "work"].value', 'phoneNumbers[value eq "2"].type', 'addresses[type eq "a"].locality'),
    ]
)
LISTED = st.sampled_from(["phoneNumbers", "roles", "entitlements"])
ENTRIES = st.lists(
    st.fixed_dictionaries({"value": TEXTS}, optional={"type": st.sampled_from(["work", "other"])}),
    min_size=1,
    max_size=2,
)
WHOLE = st.sampled_from(['phoneNumbers[type eq "work"]', 'phoneNumbers[type eq "mobile" or value eq "1"]', "name"])
USER_OPERATION = st.one_of(
    st.builds(
        lambda op, path, value: {"op": op, "path": path, "value": value},
        st.sampled_from(["add", "Replace"]),
        SIMPLE,
        TEXTS,
    ),
    st.builds(
        lambda op, path, value: {"op": op, "path": path, "value": value},
        st.sampled_from(["Add", "replace"]),
        SELECTED,
        TEXTS,
    ),
    st.builds(
        lambda op, path, value: {"op": op, "path": path, "value": value},
        st.sampled_from(["add", "replace"]),
        LISTED,
        ENTRIES,
    ),
    st.builds(lambda path: {"op": "remove", "path": path}, st.one_of(SIMPLE, SELECTED, LISTED, WHOLE)),
    st.builds(
        lambda value: {"op": "Replace", "path": "active", "value": value}, st.sampled_from([True, "False", "true"])
    ),
    st.dictionaries(SIMPLE, TEXTS, min_size=1, max_size=3).map(lambda value: {"op": "replace", "value": value}),
)


def patched_user(operations: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the user that the library leaves; None where it refuses."""
    try:
        with TOLERANT:
            model = USER_MODEL.model_validate(deepcopy(ADA))
            USER_PATCH.model_validate({"Operations": deepcopy(operations)}).patch(model)
            left = model.model_dump()
    except (SCIMException, ValueError):
        return None
    return {key: each for key, each in left.items() if key not in ("schemas", "meta", "id")}


def ours(operations: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the document that we leave; None where we refuse."""
    start = {key: each for key, each in ADA.items() if key != "schemas"}
    try:
        return apply_operations(start, read_operations({"Operations": operations}, 100), USER)
    except Invalid:
        return None


@MODEST
@given(st.lists(USER_OPERATION, min_size=1, max_size=4))
def test_people_are_changed_as_the_library_changes_them(operations: list[dict[str, Any]]) -> None:
    theirs, mine = patched_user(operations), ours(operations)
    assume(theirs is not None)

    assert mine is not None, "we refuse what the library takes"
    assert _plain(mine) == _plain(theirs)


@MODEST
@given(USER_OPERATION)
def test_one_operation_twice_is_the_operation_once(operation: dict[str, Any]) -> None:
    assert ours([operation, operation]) == ours([operation])


def _plain(value: Any) -> Any:
    """Leave out what is empty: absent and empty are the same (RFC 7643 §2.5)."""
    if isinstance(value, dict):
        read = {key: _plain(each) for key, each in value.items() if key != "$ref"}
        return {key: each for key, each in read.items() if each not in (None, [], {})}
    return [_plain(each) for each in value] if isinstance(value, list) else value
