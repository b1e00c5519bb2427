"""Creating an organization from afar: by people with an account of their own, and by nobody else."""

import sqlalchemy as sa

from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import directories, organizations
from scim_bridge.store.schema import member
from tests.api.rest import ACTOR, Person, Rest, document, fields, problem
from tests.identity.rows import begin, directory_id, put_user


def test_whoever_creates_an_organization_is_its_owner(rest: Rest, owner: Person) -> None:
    answer = owner.request("POST", "/organizations", {"slug": "globex", "name": "Globex"})

    made = document(answer)
    assert answer.status_code == 201
    assert (made["slug"], made["name"], made["owner"]) == ("globex", "Globex", owner.name)
    assert organizations.show(rest.database, "globex").owners == (owner.name,)
    assert rest.token_of(owner.name, organization="globex").inside("GET", "").status_code == 200


def test_the_token_of_one_organization_does_not_open_the_new_one(owner: Person) -> None:
    owner.request("POST", "/organizations", {"slug": "globex"})

    assert problem(owner.request("GET", "/organizations/globex")) == (404, "not-found")


def test_a_name_that_is_taken_is_a_conflict_whosever_it_is(rest: Rest, owner: Person) -> None:
    rest.person("eve", organization="evil")

    assert problem(owner.request("POST", "/organizations", {"slug": "evil"})) == (409, "not-unique")
    assert organizations.show(rest.database, "evil").owners == ()


def test_a_slug_that_is_none_is_marked(owner: Person) -> None:
    answer = owner.request("POST", "/organizations", {"slug": "No Slug"})

    assert problem(answer) == (422, "invalid")
    assert fields(answer) == {"name"}


def test_programs_and_limited_tokens_create_none(rest: Rest, owner: Person) -> None:
    owner.ok("POST", "/application-users", {"name": "robot"})
    robot = Person(rest.app, "robot", owner.ok("POST", "/members/robot/tokens", {})["token"], "acme")
    limited = rest.token_of(owner.name, permissions=("org:read",))

    for each in (robot, limited):
        assert problem(each.request("POST", "/organizations", {"slug": "globex"})) == (403, "refused")


def test_people_of_a_directory_create_none(rest: Rest) -> None:
    directories.create(rest.database, ACTOR, "acme", "okta", DirectoryKind.OKTA)
    with rest.database.write() as connection:
        put_user(connection, begin(connection), "ana@acme.example", directory_id(connection))
        connection.execute(
            sa.update(member)
            .where(member.c.user_name == "ana@acme.example")
            .values(directory_id=directory_id(connection))
        )

    ana = rest.token_of("ana@acme.example")

    assert problem(ana.request("POST", "/organizations", {"slug": "globex"})) == (403, "refused")
