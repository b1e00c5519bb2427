"""A whole company's life, played over HTTP, leaves the world that its identity provider believes in."""

import pytest

from scim_bridge.simulator import Client, Company, play, provider_for
from scim_bridge.simulator.life import Life
from scim_bridge.simulator.wire import Dialect
from tests.scim.doors import World
from tests.scim.live import served


@pytest.mark.parametrize("dialect", ["okta", "okta-aiw", "entra", "entra-flag"])
def test_a_life_leaves_the_world_that_its_identity_provider_believes_in(world: World, dialect: Dialect) -> None:
    kind = dialect.partition("-")[0]
    directory = world.connect("acme", dialect)
    company = Company.generate(30, 5, 3, "acme.example")

    with served(world.app) as base_url:
        client = Client(base_url, directory.token)
        provider = provider_for(kind, client, company, dialect)  # type: ignore[arg-type]
        report = Life(provider, lambda _: None).play()
        client.close()

    assert report.failures == ()
    assert report.leavers != ()
    for group in company.groups.values():
        believed = {provider.user_ids[each.key] for each in company.members(group) if each.key in provider.user_ids}
        assert world.present_members(provider.group_ids[group.key]) == believed, group.name
    stored = {row["id"]: row for row in world.rows("scim_user") if row["removed_at"] is None}
    assert stored.keys() == set(provider.user_ids.values())
    working = {provider.user_ids[each.key] for each in company.working()}
    assert {user_id for user_id, row in stored.items() if row["active"]} == working
    assert [row["status"] for row in world.log() if row["status"] >= 400] == []


def test_the_same_life_can_be_played_twice(world: World) -> None:
    directory = world.connect("acme", "entra")

    with served(world.app) as base_url:
        first = play("entra", base_url, directory.token, users=12, groups=3)
        second = play("entra", base_url, directory.token, users=12, groups=3)

    assert (first.failures, second.failures) == ((), ())
    names = [row["user_name_key"] for row in world.rows("scim_user") if row["removed_at"] is None]
    assert len(names) == len(set(names))
