"""A filter means the same in SQL, on both databases, as `domain.filters.matches` says; and the usual ones are quick."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scim_bridge.domain.filters import (
    Attribute,
    Compare,
    Either,
    Every,
    Filter,
    Not,
    Operator,
    Path,
    Present,
    Some,
    matches,
)
from scim_bridge.domain.paging import Window
from scim_bridge.domain.people import DirectoryId
from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import Invalid
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.filters import group_condition, user_condition
from scim_bridge.store.groups import find_groups, insert_group
from scim_bridge.store.members import insert_provisioned
from scim_bridge.store.schema import scim_user, user_group
from scim_bridge.store.users import find_users, insert_user
from tests.identity.provider import Provider, group_record, user_record
from tests.identity.rows import begin

URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
EMAIL = "ann@acme.example"

# Letters whose case is not one letter's, accents in both encodings, and what LIKE and JSON treat as special.
letters = st.sampled_from(
    ["a", "A", "b", "ß", "S", "é", "É", "e\u0301", "σ", "ς", "Σ", "İ", "%", "_", "'", '"', "\\", "🐈"]
)
texts = st.lists(letters, max_size=4).map("".join)
numbers = st.one_of(st.integers(-3, 3), st.sampled_from([0.5, -1.5]))
emails = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "value": texts,
            "type": st.sampled_from(["work", "home", "WORK"]),
            "primary": st.booleans(),
        },
    ),
    max_size=3,
)
documents = st.fixed_dictionaries(
    {"active": st.booleans()},
    optional={
        "externalId": texts,
        "displayName": texts,
        "emails": emails,
        "size": st.one_of(numbers, texts, st.booleans()),
        "name": st.fixed_dictionaries({}, optional={"givenName": texts}),
        URN: st.fixed_dictionaries({}, optional={"department": texts, "manager": st.just({"value": "m"})}),
    },
)

TEXT_PLACES: list[tuple[Path, bool]] = [
    (("userName",), False),
    (("externalId",), True),
    (("displayName",), False),
    (("name", "givenName"), False),
    (("name", "givenName"), True),
    (("size",), False),
    ((URN, "department"), False),
    ((URN, "manager", "value"), True),
    (("nothing",), False),
    (("emails",), False),
]
ENTRY_PLACES: list[tuple[Path, bool]] = [(("value",), False), (("type",), False), (("value",), True)]


def compares(places: list[tuple[Path, bool]], flag: Path) -> st.SearchStrategy[Filter]:
    attribute = st.sampled_from(places).map(lambda place: Attribute(*place))
    return st.one_of(
        st.builds(Compare, attribute, st.sampled_from(list(Operator)), texts),
        st.builds(Compare, attribute, st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL]), st.none()),
        st.builds(
            Compare, st.just(Attribute(flag)), st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL]), st.booleans()
        ),
        st.builds(Present, attribute),
    )


def nested(leaves: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(lambda *terms: Every(terms), inner, inner),
            st.builds(lambda *terms: Either(terms), inner, inner),
        ),
        max_leaves=3,
    )


numeric = st.builds(
    Compare,
    st.just(Attribute(("size",))),
    st.sampled_from([each for each in Operator if each.value not in ("co", "sw", "ew")]),
    numbers,
)
some_email = st.builds(Some, st.just(("emails",)), nested(compares(ENTRY_PLACES, ("primary",))))
filters = nested(st.one_of(compares(TEXT_PLACES, ("active",)), numeric, some_email))


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider."""
    return Provider.connect(database)


def stored(connection: Connection, directory: DirectoryId, document: Document, number: int) -> Document:
    """Store a user and return its document."""
    document = {"userName": f"{document.get('displayName', '')}é{number}", **document}
    change = begin(connection)
    record = replace(user_record(document), external_id=document.get("externalId"))
    insert_user(connection, change, directory, insert_provisioned(connection, change, directory, record), record)
    return document


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents, min_size=1, max_size=4), st.lists(filters, min_size=1, max_size=12))
@example(
    # By code points "_" is greater than "%"; by the language of people it is not.
    [{"active": False, "externalId": "", "name": {"givenName": "_"}}],
    [Compare(Attribute(("name", "givenName")), Operator.GREATER, "%")],
)
def test_sql_finds_whom_the_meaning_of_the_filter_finds(
    okta: Provider, given_documents: list[Document], given_filters: list[Filter]
) -> None:
    directory = okta.caller.directory_id
    with okta.database.engine.connect() as connection:
        wanted = [stored(connection, directory, each, number) for number, each in enumerate(given_documents)]

        for filter_ in given_filters:
            found = find_users(connection, directory, filter_, Window(100))

            expected = [each["userName"] for each in wanted if matches(filter_, each)]
            assert ([user.user_name for user in found.rows], found.total) == (expected, len(expected)), filter_
        connection.rollback()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(texts.filter(bool), st.one_of(st.none(), texts)), max_size=4, unique_by=lambda each: each[0]),
    st.lists(
        nested(compares([(("displayName",), False), (("externalId",), True)], ("nothing",))), min_size=1, max_size=8
    ),
)
def test_sql_finds_the_groups_that_the_meaning_of_the_filter_finds(
    okta: Provider, names: list[tuple[str, str | None]], given_filters: list[Filter]
) -> None:
    directory = okta.caller.directory_id
    with okta.database.engine.connect() as connection:
        records = [group_record(f"{name}{number}", key) for number, (name, key) in enumerate(names)]
        for record in records:
            insert_group(connection, begin(connection), directory, record)

        for filter_ in given_filters:
            found = find_groups(connection, directory, filter_, Window(100))

            expected = [each.display_name for each in records if matches(filter_, each.document)]
            assert [group.display_name for group in found.rows] == expected, filter_
        connection.rollback()


def eq(*path: str, value: Any, exact: bool = False) -> Compare:
    return Compare(Attribute(path, exact), Operator.EQUAL, value)


def names(okta: Provider, filter_: Filter) -> list[str]:
    with okta.database.read() as connection:
        return [user.user_name for user in find_users(connection, okta.caller.directory_id, filter_, Window(100)).rows]


WORK_EMAIL = Some(("emails",), Every((eq("type", value="work"), eq("value", value=EMAIL.upper()))))


def test_any_of_several_addresses_is_found_in_any_case(okta: Provider) -> None:
    okta.post("one", emails=[{"value": EMAIL, "type": "work"}])
    okta.post("two", emails=[{"value": "x@y", "type": "home"}, {"value": EMAIL, "type": "work"}])
    okta.post("three", emails=[{"value": EMAIL, "type": "home"}])
    okta.post("four", emails=[{"value": "x" * 1100, "type": "home"}, {"value": EMAIL, "type": "work"}][::-1])
    okta.post("five")

    assert names(okta, WORK_EMAIL) == ["one", "two", "four"]
    assert names(okta, Some(("emails",), eq("value", value=EMAIL))) == ["one", "two", "three", "four"]
    assert names(okta, Not(WORK_EMAIL)) == ["three", "five"]


def test_an_address_that_was_changed_is_found_no_more(okta: Provider) -> None:
    ann = okta.post("ann", emails=[{"value": EMAIL, "type": "work"}])

    okta.patch(ann.id, emails=[{"value": "new@acme.example", "type": "work"}])

    assert names(okta, WORK_EMAIL) == []


def test_another_directorys_users_are_never_found(okta: Provider) -> None:
    entra = Provider.connect(okta.database, "entra")
    entra.post("ann", emails=[{"value": EMAIL, "type": "work"}], externalId="e1")

    for filter_ in (WORK_EMAIL, eq("userName", value="ann"), eq("externalId", value="e1", exact=True)):
        assert names(okta, filter_) == []
        assert names(entra, filter_) == ["ann"]


def test_members_and_groups_are_filtered_as_the_directory_sees_them(okta: Provider) -> None:
    users = [okta.post(f"user{number}") for number in range(10)]
    group = okta.post_group("Admins", *(user.id for user in users))
    inner = okta.post_group("Inner")
    okta.post_group("Outer", inner.id)
    in_group = Some(("groups",), eq("value", value=group.id, exact=True))

    def groups_with(member: str) -> list[str]:
        filter_ = Some(("members",), eq("value", value=member, exact=True))
        with okta.database.read() as connection:
            found = find_groups(connection, okta.caller.directory_id, filter_, Window(10))
        return [each.display_name for each in found.rows]

    assert names(okta, in_group) == [user.user_name for user in users]
    assert (groups_with(users[0].id), groups_with(inner.id)) == (["Admins"], ["Outer"])

    okta.replace(group.id, [])

    # All ten are held: in force for access, gone for whoever asks over SCIM.
    assert names(okta, in_group) == []
    assert groups_with(users[0].id) == []


def test_of_a_member_only_the_value_can_be_asked(okta: Provider) -> None:
    filter_ = Some(("members",), eq("display", value="x"))

    with okta.database.read() as connection, pytest.raises(Invalid):
        find_groups(connection, okta.caller.directory_id, filter_, Window(10))


def test_a_time_is_compared_as_a_time_and_a_word_is_none(okta: Provider) -> None:
    okta.post("ann")
    later = Compare(Attribute(("meta", "created")), Operator.GREATER, "2020-01-01T00:00:00+02:00")

    assert names(okta, later) == ["ann"]
    assert names(okta, Not(later)) == []
    with pytest.raises(Invalid, match="date and time"):
        names(okta, Compare(Attribute(("meta", "created")), Operator.GREATER, "yesterday"))


def test_pages_are_parts_of_one_stable_list(okta: Provider) -> None:
    made = [okta.post(f"user{number}").user_name for number in range(7)]
    directory = okta.caller.directory_id

    with okta.database.read() as connection:
        pages = [find_users(connection, directory, None, Window(3, offset)) for offset in (0, 3, 6, 9)]
        counted = find_users(connection, directory, None, Window(0))

    assert [user.user_name for page in pages for user in page.rows] == made
    assert {page.total for page in (*pages, counted)} == {7}
    assert counted.rows == []


@pytest.mark.parametrize(
    ("filter_", "index"),
    [
        (eq("userName", value="user7"), "uq_scim_user_directory_id_user_name_key"),
        (eq("externalId", value="e7", exact=True), "ix_scim_user_directory_id_external_id"),
        (WORK_EMAIL, "ix_scim_user_directory_id_email_key"),
        (Some(("emails",), eq("value", value=EMAIL)), "ix_scim_user_directory_id_email_key"),
    ],
)
def test_the_usual_look_ups_of_users_go_by_an_index(okta: Provider, filter_: Filter, index: str) -> None:
    fill(okta)
    where = (scim_user.c.directory_id == okta.caller.directory_id, scim_user.c.removed_at.is_(None))

    with okta.database.read() as connection:
        condition = user_condition(connection, okta.caller.directory_id, filter_)
        plan = explained(connection, sa.select(scim_user.c.document).where(*where, condition).limit(100))

    assert index in plan
    assert "SCAN scim_user" not in plan
    assert "Seq Scan on scim_user" not in plan


def test_a_usual_look_up_among_other_conditions_still_goes_by_its_index(okta: Provider) -> None:
    fill(okta)
    filter_ = Every((eq("userName", value="user7"), Not(eq("title", value="x")), eq("active", value=True)))
    where = (scim_user.c.directory_id == okta.caller.directory_id, scim_user.c.removed_at.is_(None))

    with okta.database.read() as connection:
        condition = user_condition(connection, okta.caller.directory_id, filter_)
        plan = explained(connection, sa.select(scim_user.c.document).where(*where, condition).limit(100))

    assert "uq_scim_user_directory_id_user_name_key" in plan


def test_a_group_is_looked_up_by_its_name_by_an_index(okta: Provider) -> None:
    fill(okta)
    where = (user_group.c.directory_id == okta.caller.directory_id, user_group.c.removed_at.is_(None))

    with okta.database.read() as connection:
        condition = group_condition(connection, eq("displayName", value="group7"))
        plan = explained(connection, sa.select(user_group.c.document).where(*where, condition).limit(100))

    assert "ix_user_group_directory_id_display_name_key" in plan


def fill(okta: Provider) -> None:
    """Add enough users and groups that a database would rather use an index."""
    directory = okta.caller.directory_id
    with okta.database.write() as connection:
        change = begin(connection)
        for number in range(400):
            document = {"userName": f"user{number}", "externalId": f"e{number}", "emails": [{"value": f"{number}@x"}]}
            record = user_record(document)
            insert_user(
                connection, change, directory, insert_provisioned(connection, change, directory, record), record
            )
            insert_group(connection, change, directory, group_record(f"group{number}"))
    with okta.database.write() as connection:
        connection.exec_driver_sql("ANALYZE")


def explained(connection: Connection, query: sa.Select[Any]) -> str:
    text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    prefix = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    rows = connection.exec_driver_sql(f"{prefix} {text.replace('%', '%%')}")
    return "\n".join(" ".join(map(str, row)) for row in rows)
