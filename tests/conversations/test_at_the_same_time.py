"""Requests overlap in practice, over real connections: nothing is lost by it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3

from scim_bridge.simulator import Client
from scim_bridge.simulator.wire import render
from tests.conversations.talk import Talk, entries, person
from tests.scim.live import served


def test_overlapping_pushes_to_one_group_lose_nobody(okta: Talk) -> None:
    # Row 2.5: read-modify-write of a member list loses members for good.
    people = [okta.create("okta/user-create", **person(f"p{number}@acme.example")) for number in range(20)]
    group = okta.create("okta/group-create", group_name="Engineers")
    okta.say("okta/group-members-add", id=group, added=entries(*people[10:]))

    with served(okta.world.app) as base_url, ThreadPoolExecutor(10) as pool:
        client = Client(base_url, okta.directory.token)

        def hand_over(number: int) -> int:
            added, removed = entries(people[number]), entries(people[number + 10])
            values: dict[str, Any] = {"id": group, "added": added, "removed": removed}
            return client.send(render("okta", "group-members-change", values)).status

        statuses = list(pool.map(hand_over, range(10)))
        client.close()

    assert statuses == [204] * 10
    assert okta.members(group) == set(people[:10])
    assert okta.group(group)["version"] == 12


def test_of_two_creates_at_the_same_time_one_is_a_conflict(okta: Talk) -> None:
    with served(okta.world.app) as base_url, ThreadPoolExecutor(8) as pool:
        http = urllib3.PoolManager(retries=False, maxsize=8)

        def create(_: int) -> int:
            headers = {"Authorization": f"Bearer {okta.directory.token}", "Content-Type": "application/scim+json"}
            return http.request("POST", f"{base_url}/Users", body=b'{"userName":"ada"}', headers=headers).status

        statuses = sorted(pool.map(create, range(8)))
        http.clear()

    assert statuses == [201] + [409] * 7
    assert [row["user_name"] for row in okta.world.rows("scim_user")] == ["ada"]
    assert len(okta.world.rows("member")) == 1
