"""A token is rotated while its identity provider plays on: no request is ever refused."""

from scim_bridge.identity import directory_tokens
from scim_bridge.simulator import Client, Company, provider_for
from scim_bridge.simulator.life import Life, Progress
from tests.identity.provider import HANDS
from tests.scim.conftest import world as world
from tests.scim.doors import World
from tests.scim.live import served


def test_an_identity_provider_that_plays_on_sees_no_refusal_while_its_token_is_rotated(world: World) -> None:
    directory = world.connect("acme", "okta")
    company = Company.generate(20, 4, 5, "acme.example")
    tokens: list[str] = []
    client: Client

    def rotate_on_the_way(progress: Progress) -> None:
        # A third of the way in the new token is made; the old one goes on for a while; then the administrator pastes.
        if progress.done == progress.total // 3:
            tokens.append(directory_tokens.rotate(world.database, HANDS, "acme", "okta").text)
        if progress.done == progress.total // 2:
            client._token = tokens[0]

    with served(world.app) as base_url:
        client = Client(base_url, directory.token)
        report = Life(provider_for("okta", client, company), rotate_on_the_way).play()
        client.close()

    old, new = world.rows("directory_token")
    assert report.failures == ()
    assert [row["status"] for row in world.log() if row["status"] >= 400] == []
    used = {row["token_id"] for row in world.log()}
    assert used == {old["id"], new["id"]}
    assert old["revoked_at"] is not None
    assert new["revoked_at"] is None
    assert directory.get("/Users").status_code == 401


def test_a_token_from_elsewhere_is_refused_in_the_usual_words_and_logged_with_the_true_reason(world: World) -> None:
    directory = world.connect("acme", "okta")
    wanted = directory_tokens.TokenWanted(ip_ranges=("203.0.113.0/24",))
    directory.token = directory_tokens.create(world.database, HANDS, "acme", "okta", wanted).text

    refused = directory.get("/Users")

    assert refused.status_code == 401
    assert "127.0.0.1" not in refused.text
    [entry] = world.log()
    assert entry["message"] == "The token does not work from 127.0.0.1."
    assert entry["directory_id"] is not None
