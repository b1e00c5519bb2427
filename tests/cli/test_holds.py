"""`scim-bridge hold`: what a directory only implied, seen and approved at a terminal."""

from collections.abc import Iterator

import pytest

from scim_bridge.store.database import Database
from tests.cli.bridge import Bridge
from tests.identity.provider import Provider, removals


@pytest.fixture
def okta(acme: Bridge) -> Iterator[Provider]:
    """Connect an identity provider that has just lost the members of its group Admins."""
    database = Database(acme.environment["SCIM_BRIDGE_DATABASE_URL"])
    provider = Provider.connect(database)
    group = provider.post_group("Admins", *(provider.post(f"user{number:02}").id for number in range(10)))
    acme.json("grant", "add", "--group", "Admins", "--scope", "organization", "--kubernetes-role", "edit")
    provider.replace(group.id, [])
    yield provider
    database.dispose()


@pytest.mark.usefixtures("okta")
def test_what_is_held_is_listed_for_people_and_machines(acme: Bridge) -> None:
    listed = acme.json("hold", "list")

    assert [(each["group"], each["directory"], each["kind"]) for each in listed] == [("Admins", "okta", "person")] * 10
    assert "okta/Admins" in acme.text("hold", "list")
    assert "person user00" in acme.text("hold", "list")


def test_an_approval_lets_it_go_and_says_how_much(acme: Bridge, okta: Provider) -> None:
    said = acme.text("hold", "approve", "--group", "okta/Admins")

    assert said == "10 people and 0 groups are no longer in Admins.\n"
    assert acme.json("hold", "list") == []
    assert len(removals(okta.database, cause="membership")) == 10


@pytest.mark.usefixtures("okta")
def test_all_is_approved_at_once_and_again_there_is_nothing(acme: Bridge) -> None:
    assert acme.json("hold", "approve", "--all") == {"groups": ["Admins"], "people": 10, "nested_groups": 0}
    assert acme.text("hold", "approve", "--all") == "Nothing was held.\n"
    assert acme.text("hold", "list") == "Nothing is held.\n"


@pytest.mark.parametrize("words", [(), ("--all", "--group", "Admins")])
def test_one_must_say_what_to_approve(acme: Bridge, okta: Provider, words: tuple[str, ...]) -> None:
    result = acme.run("hold", "approve", *words)

    assert result.exit_code == 2
    assert "either --group GROUP or --all" in result.stderr
    assert removals(okta.database) == []


@pytest.mark.usefixtures("okta")
def test_a_group_that_is_not_there_is_not_found(acme: Bridge) -> None:
    assert acme.refused("hold", "approve", "--group", "nobody")[0] == 3


@pytest.mark.usefixtures("okta")
def test_who_is_kept_is_held_no_more_and_the_rest_still_is(acme: Bridge) -> None:
    said = acme.text("hold", "reject", "--all", "--who", "user00", "--who", "USER01")

    assert said == "2 people and 0 groups stay in Admins.\n"
    assert len(acme.json("hold", "list")) == 8
    assert acme.refused("hold", "approve", "--all", "--who", "user00")[0] == 3


@pytest.mark.usefixtures("okta")
def test_the_list_says_which_request_held_somebody_and_why(acme: Bridge) -> None:
    first = acme.json("hold", "list")[0]

    assert first["request_id"].startswith("request-")
    assert first["why"] in acme.text("hold", "list")
