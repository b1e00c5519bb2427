"""What identity providers demand of every conversation: ids, time, tokens, addresses, and words for refusals."""

import urllib3

from scim_bridge.identity import directory_tokens
from scim_bridge.identity.directory_tokens import TokenWanted
from scim_bridge.simulator.wire import render
from tests.conversations.talk import PERSON, Talk, entries, person
from tests.scim.doors import ACTOR, Directory, World, document, refusal
from tests.scim.live import served

# A large push of Okta's, cut to what a test may cost.
MANY = 1000


def test_an_id_is_the_servers_and_never_given_twice(okta: Talk, entra: Talk) -> None:
    # Row 1.8.
    first = okta.create("okta/user-create", external_id="bulkId:1")
    before = document(okta.say("okta/user-get", id=first))["id"]
    okta.say("okta/user-deactivate", id=first)
    other = entra.create("entra/user-create")
    entra.say("entra/user-delete", id=other)

    again = entra.create("entra/user-create")

    assert before == first
    assert document(okta.say("okta/user-get", id=first))["id"] == first
    assert len({first, other, again}) == 3
    assert not any("bulkid" in each.lower() for each in (first, other, again))


def test_a_group_of_many_is_never_sent_back_for_a_change(okta: Talk) -> None:
    # Row 1.29: what took longer than a minute was big groups, answered whole.
    people = [okta.create("okta/user-create", **person(f"p{number}@acme.example")) for number in range(3)]
    group = okta.create("okta/group-create", group_name="Everybody")
    unknown = [f"not-here-yet-{number}" for number in range(MANY)]
    okta.say("okta/group-members-add", id=group, added=entries(*people, *unknown))

    answer = okta.say("okta/group-members-change", id=group, added=entries("one-more"), removed=entries(people[0]))

    assert (answer.status_code, answer.data) == (204, b"")
    assert okta.members(group) == set(people[1:])
    assert okta.parked(group) == {*unknown, "one-more"}


def test_a_burst_is_served_without_a_refusal(entra: Talk) -> None:
    # Row 1.30: four seconds' worth of what Entra may send, one after the other.
    entra.create("entra/user-create")

    answers = [entra.say("entra/user-lookup") for _ in range(100)]

    assert {answer.status_code for answer in answers} == {200}


def test_who_is_told_to_come_later_is_told_when_in_whole_seconds(okta: Talk) -> None:
    # Row 1.31: a date, or nothing, is five minutes for Okta.
    directory = okta.world.rows("directory")[0]["id"]
    okta.world.put_values("directory", directory, state="paused")

    answer = okta.say("okta/user-create")

    assert refusal(answer) == (503, None)
    assert 0 < int(answer.headers["Retry-After"]) <= 300


def test_a_wrong_token_is_answered_with_a_status_and_a_reason(okta: Talk) -> None:
    # Row 1.32.
    okta.directory.token = "guessed"

    answer = okta.say("okta/user-lookup")

    assert refusal(answer) == (401, None)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_comes_with_its_scheme_or_alone(okta: Talk) -> None:
    # Row 1.33: header authentication sends what the administrator typed.
    sent = render("okta", "user-lookup", PERSON)

    statuses = [
        okta.directory.client.get(f"/scim/v2{sent.target}", headers={**dict(sent.headers), "Authorization": value})
        for value in (okta.directory.token, f"Bearer {okta.directory.token}", f"bearer {okta.directory.token}")
    ]

    assert [answer.status_code for answer in statuses] == [200, 200, 200]


def test_two_tokens_are_valid_while_an_administrator_changes_them_over(okta: Talk, world: World) -> None:
    # Row 1.34.
    made = directory_tokens.create(world.database, ACTOR, "acme", "okta", TokenWanted("next"))
    new = Talk(world, Directory(okta.directory.client, made.text, "okta"))

    both = [okta.say("okta/user-lookup"), new.say("okta/user-lookup"), okta.say("okta/user-lookup")]

    assert [answer.status_code for answer in both] == [200, 200, 200]


def test_a_slash_behind_the_base_url_changes_nothing(okta: Talk) -> None:
    # Row 1.35.
    user_id = okta.create("okta/user-create")
    target = render("okta", "user-get", {"id": user_id}).target
    headers = {"Authorization": f"Bearer {okta.directory.token}"}

    with served(okta.world.app) as base_url, urllib3.PoolManager(retries=False) as http:
        answers = [http.request("GET", f"{url}{target}", headers=headers) for url in (base_url, f"{base_url}/")]

    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert "_" not in base_url
