"""A third party's product, with a SCIM client of its own, keeps its people and groups here: Canaille."""

import os
import subprocess
from pathlib import Path

import orjson
import pytest

from tests.machine import require
from tests.scim.canaille import environment
from tests.scim.doors import Directory, World
from tests.scim.live import served

COMPANY = Path(environment.__file__).with_name("company.py")
PASSWORD = "a secret of their own"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def canaille() -> Path:
    """Return an interpreter that has Canaille."""
    try:
        return environment.python()
    except environment.CanailleMissing as missing:
        require("Canaille", f"it comes from the package index ({missing}), or name one in TEST_CANAILLE_ENVIRONMENT")


def test_canaille_keeps_its_people_and_groups_here(okta: Directory, world: World, canaille: Path) -> None:
    push(world, okta, canaille)

    people = {row["user_name"]: row for row in world.rows("scim_user")}
    group_id = next(row["id"] for row in world.rows("user_group") if row["display_name"] == "engineers")
    log = world.log()
    # One renamed, one as before, one gone; one group kept, one gone.
    assert sorted(okta.names("/Users")) == ["bob", "lovelace"]
    assert orjson.loads(people["lovelace"]["document"])["name"]["familyName"] == "Lovelace"
    assert people["cyd"]["removed_at"] is not None
    assert {row["user_name"]: row["state"] for row in world.rows("member")}["cyd"] == "deactivated"
    assert okta.names("/Groups") == ["engineers"]
    assert world.present_members(group_id) == {people["lovelace"]["id"], people["bob"]["id"]}
    assert [(each["method"], each["target"], each["message"]) for each in log if each["status"] >= 400] == []
    assert {each["method"] for each in log} == {"GET", "POST", "PUT", "DELETE"}
    assert not any(PASSWORD in str(row) for row in (*log, *world.rows("scim_user")))


def push(world: World, directory: Directory, canaille: Path) -> None:
    """Let Canaille push its company; it keeps its failures to itself, but for its log."""
    with served(world.app) as base_url:
        words = [str(canaille), str(COMPANY), base_url, directory.token]
        # Nothing of our own environment may be found by it.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(words, env=clean, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stderr
    assert "not supported" not in done.stderr
