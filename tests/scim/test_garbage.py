"""Whatever is sent, the answer is SCIM, never a 5xx, and what is stored stays readable."""

from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scim.doors import ENTERPRISE_URN, Directory, World, document, refusal

# Derandomized: a red run must be one that can be repeated.
MODEST = settings(
    max_examples=50,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

NAMES = st.sampled_from(
    [
        "userName",
        "USERNAME",
        "displayName",
        "name",
        "name.givenName",
        "emails",
        'emails[type eq "work"].value',
        'emails[type eq "work"]',
        "emails.value",
        "roles",
        "active",
        "externalId",
        "members",
        "members.value",
        'members[value eq "x"]',
        "groups",
        "id",
        "meta",
        "schemas",
        "password",
        "manager",
        ENTERPRISE_URN,
        f"{ENTERPRISE_URN}:manager",
        f"{ENTERPRISE_URN}:manager.value",
        "urn:example:unknown",
        "urn:example:unknown:thing",
        "unknown.part",
        "",
        "a[b",
        'x[y eq "z"].w.v',
    ]
)
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.sampled_from(["True", "false", "", "\x00", "{}", '{"value":', "x" * 1100, '{"password":"p"}', "💥"]),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(NAMES, st.sampled_from(["value", "type", "primary", "$ref"]), TEXTS), inner, max_size=3
        ),
    ),
    max_leaves=8,
)
OPERATIONS = st.fixed_dictionaries(
    {},
    optional={
        "op": st.one_of(st.sampled_from(["add", "Replace", "remove"]), SCALARS),
        "path": st.one_of(NAMES, TEXTS, SCALARS),
        "value": VALUES,
    },
)
BODIES = st.one_of(
    VALUES,
    st.dictionaries(NAMES, VALUES, max_size=5),
    st.fixed_dictionaries({"userName": TEXTS, "displayName": TEXTS}, optional={"members": VALUES, "emails": VALUES}),
    st.fixed_dictionaries({"Operations": st.one_of(st.lists(OPERATIONS, max_size=4), VALUES)}),
)
FILTERS = st.one_of(
    TEXTS,
    st.lists(
        st.one_of(NAMES, st.sampled_from(["eq", "co", "gt", "pr", "and", "or", "not", "(", ")", '"x"', "true", "1e3"])),
        max_size=9,
    ).map(" ".join),
    st.tuples(NAMES, st.sampled_from(["eq", "ne", "co", "sw", "gt", "le"]), SCALARS).map(
        lambda parts: f"{parts[0]} {parts[1]} {_literal(parts[2])}"
    ),
)


def _literal(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "null" if value is None else str(value).lower()


def _places(okta: Directory) -> dict[str, list[tuple[str, str]]]:
    user, group = okta.create_user("ada@acme.example"), okta.create_group("Engineers")
    return {
        "bodies": [
            ("POST", "/Users"),
            ("POST", "/Groups"),
            ("PUT", f"/Users/{user}"),
            ("PUT", f"/Groups/{group}"),
            ("PATCH", f"/Users/{user}"),
            ("PATCH", f"/Groups/{group}"),
            ("POST", "/Users/.search"),
            ("POST", "/Groups/.search"),
            ("POST", "/.search"),
            ("POST", "/Bulk"),
        ],
        "lists": [("GET", "/Users"), ("GET", "/Groups"), ("GET", "/ResourceTypes")],
    }


def test_no_body_makes_the_door_fail(okta: Directory) -> None:
    places = _places(okta)["bodies"]

    @MODEST
    @given(BODIES)
    def send(body: Any) -> None:
        for method, target in places:
            answer = okta.request(method, target, body)

            assert answer.status_code < 500, (method, target, answer.text)
            if answer.status_code != 204:
                document(answer)
        wrapped = [{"method": "POST", "path": each, "bulkId": each, "data": body} for each in ("/Users", "/Groups")]
        many = document(okta.post("/Bulk", {"Operations": wrapped}))
        assert all(int(each["status"]) < 500 for each in many.get("Operations", ())), many

    send()
    for target in ("/Users?filter=title pr or not (nickName eq 1)", "/Groups", '/Users?filter=emails.value co "x"'):
        # One document that cannot be read would take the whole list with it.
        assert okta.get(target).status_code == 200


def test_no_query_makes_the_door_fail(okta: Directory) -> None:
    places = _places(okta)["lists"]
    okta.create_user("eve@acme.example", emails=[{"value": "e@x"}], roles=["Admin"], title="")

    @MODEST
    @given(FILTERS, st.one_of(TEXTS, st.integers()), st.one_of(NAMES, TEXTS))
    def ask(filter_: str, number: object, names: str) -> None:
        pairs = {"filter": filter_, "startIndex": number, "count": number, "attributes": names}
        pairs |= {"excludedAttributes": names, "sortBy": names, "sortOrder": names, "cursor": names}
        for method, target in places:
            for name, value in pairs.items():
                answer = okta.request(method, f"{target}?{name}={quote(str(value), safe='', errors='replace')}")

                assert answer.status_code < 500, (target, name, value, answer.text)
                document(answer)

    ask()


def test_an_id_that_no_database_can_store_is_refused_and_logged_without_it(okta: Directory, world: World) -> None:
    # Found by the fuzzer: PostgreSQL takes no NUL, and the entry about the refusal failed in its turn.
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = okta.request(method, "/Groups/a%00b", {} if method in ("PUT", "PATCH") else None)

        assert refusal(answer) == (404, None)

    assert [(entry["status"], entry["object_id"]) for entry in world.log()] == [(404, None)] * 4
