"""The list of an organization's people: found by names, narrowed by conditions, and read page by page."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.member_filters import MemberFilter, Place
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity import domains, grants, member_states, organizations, tree
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.member_lists import MemberQuery, list_page
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.member_lists import select_members
from tests.identity.people import hand_group, put_person, was_active
from tests.identity.provider import Provider
from tests.identity.rows import begin, nest, put_cluster, put_membership


def _names(database: Database, **asked: object) -> list[str]:
    page = list_page(database, "acme", MemberQuery(**asked))  # type: ignore[arg-type]
    return [each.user_name for each in page.members]


def test_everybody_is_listed_by_user_name_whatever_the_case(database: Database) -> None:
    for email in ("Carol@x.example", "bob@x.example", "Ana@x.example"):
        put_person(database, email)

    assert _names(database) == ["Ana@x.example", "bob@x.example", "Carol@x.example"]


def test_pages_show_everybody_once_and_the_last_one_has_nothing_behind_it(database: Database) -> None:
    emails = [f"p{number:02d}@x.example" for number in range(7)]
    for email in emails:
        put_person(database, email)

    seen: list[str] = []
    after: Place | None = None
    sizes = []
    while True:
        page = list_page(database, "acme", MemberQuery(), 3, after)
        seen += [each.user_name for each in page.members]
        sizes.append(len(page.members))
        after = page.after
        if after is None:
            break

    assert (seen, sizes) == (emails, [3, 3, 1])


def test_a_person_who_comes_in_while_somebody_pages_moves_nobody(database: Database) -> None:
    for email in ("a@x.example", "c@x.example", "d@x.example"):
        put_person(database, email)
    first = list_page(database, "acme", MemberQuery(), 2)

    put_person(database, "b@x.example")
    second = list_page(database, "acme", MemberQuery(), 2, first.after)

    assert [each.user_name for each in second.members] == ["d@x.example"]


@pytest.mark.parametrize("search", ["ana", "SILVA", "sil an", "ana.silva@x", "ana.silva@x.example"])
def test_a_person_is_found_by_the_beginning_of_any_word(database: Database, search: str) -> None:
    put_person(database, "ana.silva@x.example", "Ana Maria Silva")
    put_person(database, "bob@x.example", "Bob Canasta")

    assert _names(database, search=search) == ["ana.silva@x.example"]


def test_a_person_with_several_words_that_fit_is_listed_once_and_pages_go_on_behind_them(database: Database) -> None:
    put_person(database, "anabel.anand@x.example", "Ana Anand")
    put_person(database, "anton@x.example", "Anton An")
    put_person(database, "zoe@x.example", "Zoe Ant")

    seen: list[str] = []
    after: Place | None = None
    for _ in range(3):
        page = list_page(database, "acme", MemberQuery(search="an"), 1, after)
        seen += [each.user_name for each in page.members]
        after = page.after

    assert sorted(seen) == ["anabel.anand@x.example", "anton@x.example", "zoe@x.example"]
    assert after is None


def test_a_directorys_person_is_found_by_a_new_name_and_no_longer_by_the_old(database: Database) -> None:
    okta = Provider.connect(database)
    user = okta.post("maria@x.example", displayName="Maria Berg")

    okta.patch(user.id, displayName="Maria Stein")

    assert _names(database, search="stein") == ["maria@x.example"]
    assert _names(database, search="berg") == []


def test_conditions_narrow_the_list(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    okta.post("dora@x.example")
    ana, bob = put_person(database, "ana@x.example"), put_person(database, "bob@x.example")
    member_states.deactivate(database, actor, "acme", bob)
    was_active(database, ana, now() - timedelta(days=3))

    assert _names(database, state="deactivated") == ["bob@x.example"]
    assert _names(database, source="scim") == ["dora@x.example"]
    assert _names(database, directory="okta") == ["dora@x.example"]
    assert _names(database, active_since="4d") == ["ana@x.example"]
    assert _names(database, active_before="2d") == ["ana@x.example"]
    assert _names(database, active_before="4d") == []
    assert _names(database, never_active=True) == ["bob@x.example", "dora@x.example"]
    assert _names(database, source="manual", state="active") == ["ana@x.example"]


def test_somebody_removed_is_listed_only_when_asked_for(database: Database, actor: Actor) -> None:
    put_person(database, "ana@x.example")
    member_states.remove(database, actor, "acme", "ana@x.example")

    assert _names(database) == []
    assert _names(database, search="ana") == []
    assert _names(database, state="removed") == ["ana@x.example"]


def test_a_role_is_held_by_oneself_by_a_group_and_by_a_group_in_a_group(database: Database, actor: Actor) -> None:
    outer, inner = hand_group(database, "Outer"), hand_group(database, "Inner")
    ana, bob = put_person(database, "ana@x.example"), put_person(database, "bob@x.example")
    put_person(database, "carol@x.example")
    put_person(database, "nobody@x.example")
    with database.write() as connection:
        change = begin(connection)
        nest(connection, change, outer, inner)
        nest(connection, change, inner, outer)
        put_membership(connection, change, outer, ana)
        put_membership(connection, change, inner, bob)
    grants.add(database, actor, "acme", GrantWanted("organization", group="Outer", api_role="developer"))
    grants.add(database, actor, "acme", GrantWanted("organization", person="carol@x.example", api_role="developer"))
    grants.add(database, actor, "acme", GrantWanted("organization", group="Inner", kubernetes_role="edit"))

    assert _names(database, api_role="developer") == ["ana@x.example", "bob@x.example", "carol@x.example"]
    assert _names(database, kubernetes_role="edit", search="bob") == ["bob@x.example"]
    assert _names(database, api_role="admin") == []


def test_access_in_a_unit_comes_from_above_it_and_from_what_lies_in_it(database: Database, actor: Actor) -> None:
    tree.create_unit(database, actor, "acme", "production")
    tree.create_unit(database, actor, "acme", "production/payments")
    tree.create_unit(database, actor, "acme", "elsewhere")
    put_cluster(database, "prod-eu", "production/payments")
    places = {"org": "organization", "unit": "unit:production", "in": "cluster:prod-eu", "not": "unit:elsewhere"}
    for name, scope in places.items():
        put_person(database, f"{name}@x.example")
        wanted = GrantWanted(scope, person=f"{name}@x.example", kubernetes_role="view")
        grants.add(database, actor, "acme", wanted)

    assert _names(database, unit="production") == ["in@x.example", "org@x.example", "unit@x.example"]
    assert _names(database, unit="elsewhere", kubernetes_role="view") == ["not@x.example", "org@x.example"]


def test_people_in_a_domain_of_the_organization_are_managed(database: Database, actor: Actor) -> None:
    ana = put_person(database, "ana@x.example")
    put_person(database, "bob@elsewhere.example")
    domains.add(database, actor, "acme", "x.example")

    page = list_page(database, "acme", MemberQuery())

    assert page.managed == {ana}


def test_another_organizations_people_are_never_listed(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    put_person(database, "ana@x.example", slug="globex")

    assert _names(database) == []
    assert _names(database, search="ana") == []
    with pytest.raises(NotFound):
        list_page(database, "globex", MemberQuery(directory="okta"))


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"state": "asleep"}, "state"),
        ({"source": "post"}, "source"),
        ({"kubernetes_role": "root"}, "kubernetes_role"),
        ({"active_before": "soon"}, "active_before"),
        ({"active_since": "soon"}, "active_since"),
        ({"dormant_days": 0}, "dormant_days"),
    ],
)
def test_a_condition_that_makes_no_sense_says_which(database: Database, asked: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        _names(database, **asked)

    assert raised.value.field == field


def test_few_among_many_are_paged_like_many(database: Database, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        put_person(database, f"p{number}@x.example")
        grants.add(
            database, actor, "acme", GrantWanted("organization", person=f"p{number}@x.example", api_role="viewer")
        )
    pages = []

    for few in (2000, 2):
        monkeypatch.setattr("scim_bridge.store.member_lists.FEW", few)
        first = list_page(database, "acme", MemberQuery(api_role="viewer", source="manual"), 3)
        second = list_page(database, "acme", MemberQuery(api_role="viewer", source="manual"), 3, first.after)
        pages.append([each.user_name for each in (*first.members, *second.members)])

    assert pages == [[f"p{number}@x.example" for number in range(5)]] * 2


@pytest.mark.parametrize("terms", [(), ("an",)])
def test_a_page_is_read_in_the_order_of_an_index_and_sorts_nobody(database: Database, terms: tuple[str, ...]) -> None:
    query = select_members(OrganizationId("some"), MemberFilter(terms), now(), 100, ("an", "id"))
    with database.read() as connection:
        if not database.is_sqlite:
            # So few people are quicker sorted; that it can do without is what has to be true.
            connection.execute(sa.text("SET LOCAL enable_sort = off"))
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        written = query.compile(connection, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        lines = connection.execute(sa.text(explain + str(written))).all()
    plan = "\n".join(str(line) for line in lines)

    assert "TEMP B-TREE FOR ORDER BY" not in plan
    assert ("pk_member_word" in plan or "sqlite_autoindex_member_word" in plan) if terms else "user_name_key" in plan
