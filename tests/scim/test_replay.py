"""A failed request once more: dry, which leaves no trace, and then really, in the name of the person who lets it."""

from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.app import open_runtime, replay
from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.errors import Conflict, NotFound, Refused
from scim_bridge.identity import directory_tokens, organizations
from scim_bridge.identity.replays import Replayed
from scim_bridge.store import schema
from scim_bridge.web.context import journal_of
from tests.scim.doors import ACTOR, Directory, World, replace

ANA = Actor(ActorKind.CLI, "ana")
ADA = {"userName": "ada@acme.example", "externalId": "ada-2"}


def _replay(world: World, entry: str, *, real: bool = False, over_newer: bool = False, where: str = "okta") -> Replayed:
    opened = open_runtime(world.settings)
    try:
        return replay(opened, ANA, "acme", where, entry, real=real, over_newer=over_newer)
    finally:
        opened.database.dispose()


def _everything(world: World) -> dict[str, list[Any]]:
    journal_of(world.app).flush()
    with world.database.read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in schema.metadata.sorted_tables
        }


@pytest.fixture
def refused(okta: Directory, world: World) -> str:
    """Let a userName be taken, and somebody else be refused for it; return the request id."""
    okta.create_user(ADA["userName"], externalId="ada-1")
    answer = okta.post("/Users", ADA)
    assert answer.status_code == 409
    return answer.headers["X-Request-Id"]


@pytest.fixture
def mended(okta: Directory, world: World, refused: str) -> str:
    """Give the first person another name, so that the refused request can succeed."""
    user_id = world.rows("scim_user")[0]["id"]
    assert okta.patch(f"/Users/{user_id}", replace("userName", "ada.keller@acme.example")).status_code == 200
    return refused


def test_a_dry_replay_tells_what_would_be_answered_and_leaves_every_row_as_it_was(world: World, mended: str) -> None:
    before = _everything(world)

    told = _replay(world, mended)

    assert _everything(world) == before
    assert (told.status, told.document["userName"]) == (201, ADA["userName"])
    assert "user.created" in [each.action for each in told.changes]


def test_a_dry_replay_of_what_is_still_wrong_says_so_and_leaves_no_trace(world: World, refused: str) -> None:
    before = _everything(world)

    told = _replay(world, refused)

    assert _everything(world) == before
    assert (told.status, told.document["scimType"], told.changes) == (409, "uniqueness", ())


def test_a_real_replay_after_the_cause_was_mended_does_it_in_the_persons_name(world: World, mended: str) -> None:
    told = _replay(world, mended, real=True)

    names = {row["user_name"] for row in world.rows("scim_user")}
    audit = [row for row in world.rows("audit_entry") if row["request_id"] == told.request_id]
    (entry,) = [row for row in world.rows("provisioning_log") if row["request_id"] == told.request_id]
    assert told.status == 201
    assert names == {"ada@acme.example", "ada.keller@acme.example"}
    assert {(row["actor_kind"], row["actor_name"]) for row in audit} == {("cli", "ana")}
    assert (entry["status"], entry["directory_id"]) == (201, world.rows("directory")[0]["id"])
    assert (entry["token_id"], entry["user_agent"]) == (None, f"replay of {told.entry.id} by ana")
    assert {each.object_id for each in told.changes if each.noun == "user"} == {entry["object_id"]}


def test_a_real_replay_that_fails_again_is_in_the_log_again(world: World, refused: str) -> None:
    told = _replay(world, refused, real=True)

    assert told.status == 409
    assert [row["status"] for row in world.rows("provisioning_log")] == [201, 409, 409]


def test_what_somebody_changed_since_is_not_replayed_over_it_by_accident(okta: Directory, world: World) -> None:
    user_id = okta.create_user("ada@acme.example")
    failed = okta.patch(f"/Users/{user_id}", {"op": "replace", "path": "id", "value": "x"}, replace("active", True))
    okta.patch(f"/Users/{user_id}", replace("active", False))
    entry = failed.headers["X-Request-Id"]

    with pytest.raises(Conflict, match="changed 1 times since"):
        _replay(world, entry, real=True)
    dry = _replay(world, entry)

    assert failed.status_code == 400
    assert dry.later_changes == 1
    assert okta.user(user_id)["active"] is False
    assert _replay(world, entry, real=True, over_newer=True).status == 400


def test_what_holds_a_password_or_whose_body_was_not_kept_says_so(okta: Directory, world: World) -> None:
    secret = okta.post("/Users", {"userName": "", "password": "hunter2"})
    broken = okta.request("POST", "/Users", raw=b"{")

    with pytest.raises(Refused, match="password or a token"):
        _replay(world, secret.headers["X-Request-Id"])
    with pytest.raises(Refused, match="body of this request was not kept"):
        _replay(world, broken.headers["X-Request-Id"])


def test_what_succeeded_and_what_nobody_vouches_for_is_not_replayed(okta: Directory, world: World) -> None:
    user_id = okta.create_user("ada@acme.example")
    (created,) = world.rows("provisioning_log")
    directory_tokens.revoke(world.database, ACTOR, "acme", "first")
    answer = okta.delete(f"/Users/{user_id}")

    with pytest.raises(Refused, match="answered 201"):
        _replay(world, created["id"])
    with pytest.raises(Refused, match="who sent it is not known"):
        _replay(world, answer.headers["X-Request-Id"])
    assert okta.name == "okta"
    assert world.rows("scim_user")[0]["removed_at"] is None


@pytest.mark.parametrize("state", ["paused", "detached"])
def test_nothing_comes_in_from_a_directory_that_is_not_served(world: World, mended: str, state: str) -> None:
    world.put_values("directory", world.rows("directory")[0]["id"], state=state)

    with pytest.raises(Refused, match=state):
        _replay(world, mended, real=True)


def test_another_directorys_request_is_not_there(world: World, mended: str) -> None:
    world.connect("acme", "entra")
    organizations.create(world.database, ACTOR, "globex")
    world.connect("globex", "okta-g")

    with pytest.raises(NotFound, match="no request"):
        _replay(world, mended, where="entra")
    with pytest.raises(NotFound, match="no directory"):
        _replay(world, mended, where="okta-g")


def test_a_header_cannot_pretend_to_be_a_replay(okta: Directory) -> None:
    names = ("scim_bridge.replaying", "scim-bridge-replaying", "Scim_Bridge.Replaying")

    answers = [okta.request("GET", "/Users", headers={"Authorization": "", name: "x"}) for name in names]

    assert [each.status_code for each in answers] == [401, 401, 401]
