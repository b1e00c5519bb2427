"""
kill -9 in the middle of 500 SCIM writes: what was answered with 2xx is there, nothing is half there, and the
clusters become what the directory says.
"""

import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
import urllib3

from scim_bridge.store.database import Database
from scim_bridge.store.schema import audit_entry, change_row, membership, provisioning_log, scim_user
from tests.journeys.bridge import Bridge, installed, subjects_in, wait_until

WRITES, WRITERS, KILLS = 500, 5, 3
RULES = """
version = 1
[[rules]]
name = "Developers edit"
directory = "okta"
group = "developers"
scope = "unit:production"
kubernetes_role = "edit"
"""


@dataclass
class Writer:
    """Sends writes one after the other and remembers what was promised; an unanswered one is sent again."""

    bridge: Bridge
    token: str
    number: int
    group_id: str
    users: dict[str, str] = field(default_factory=dict)
    active: dict[str, bool] = field(default_factory=dict)
    members: dict[str, bool] = field(default_factory=dict)
    answered: int = 0
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=20))

    def write(self, stop: threading.Event) -> None:
        """Create, add, deactivate and remove until there were enough writes or the server is gone."""
        while self.answered < WRITES // WRITERS and not stop.is_set():
            try:
                self._next()
            except urllib3.exceptions.HTTPError:
                return

    def _next(self) -> None:
        turn = self.answered % 5
        name = f"person-{self.number}-{self.answered // 5}@acme.example"
        if turn == 0:
            self._create(name)
        elif turn == 1:
            self._patch(
                f"/Groups/{self.group_id}", {"op": "add", "path": "members", "value": [{"value": self.users[name]}]}
            )
            self.members[name] = True
        elif turn == 2 and self.answered % 3 == 0:
            self._patch(f"/Users/{self.users[name]}", {"op": "Replace", "path": "active", "value": "False"})
            self.active[name] = False
        elif turn == 3 and self.answered % 4 == 0:
            self._patch(f"/Groups/{self.group_id}", {"op": "remove", "path": f'members[value eq "{self.users[name]}"]'})
            self.members[name] = False
        else:
            self._patch(
                f"/Users/{self.users[name]}", {"op": "replace", "value": {"title": f"Engineer {self.answered}"}}
            )
        self.answered += 1

    def _create(self, name: str) -> None:
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "active": True}
        answer = self._send("POST", "/Users", body)
        if answer.status == 409:
            # It was there before the answer could be sent: as both identity providers do, look it up.
            found = self._send("GET", f'/Users?filter=userName eq "{name}"')
            self.users[name] = orjson.loads(found.data)["Resources"][0]["id"]
        else:
            assert answer.status == 201, answer.data
            self.users[name] = orjson.loads(answer.data)["id"]
        self.active[name] = True
        self.members.setdefault(name, False)

    def _patch(self, path: str, operation: dict[str, Any]) -> None:
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
        answer = self._send("PATCH", path, body)
        assert answer.status in (200, 204), answer.data

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        return self.pool.request(
            method, self.bridge.scim_url + path, body=orjson.dumps(body) if body else None, headers=headers
        )


@pytest.mark.slow
def test_kill_9_loses_nothing_that_was_answered_and_leaves_nothing_half_done(migrated_url: str, tmp_path: Path) -> None:
    with installed(tmp_path / "home", database_url=migrated_url, poll_seconds="0.1") as bridge:
        token, folder = _set_up(bridge, tmp_path)
        bridge.start()
        group_id = _make_group(bridge, token)
        writers = [Writer(bridge, token, number, group_id) for number in range(WRITERS)]
        chance = random.Random(7)

        for _ in range(KILLS):
            _write_until_killed(bridge, writers, chance.randrange(20, 120))
            bridge.start()
            _check_promises(bridge, token, writers, group_id)
        _write_to_the_end(writers)

        _check_promises(bridge, token, writers, group_id)
        assert sum(writer.answered for writer in writers) == WRITES
        _check_that_nothing_is_half(migrated_url)
        wanted = {f"oidc:{name}" for writer in writers for name in writer.users if _may_edit(writer, name)}
        wait_until(lambda: subjects_in(folder).get(("", "edit"), set()) == wanted, "the cluster to converge")
        assert bridge.stop() == 0


def _may_edit(writer: Writer, name: str) -> bool:
    return writer.active[name] and writer.members[name]


def _set_up(bridge: Bridge, tmp_path: Path) -> tuple[str, Path]:
    folder, rules = tmp_path / "cluster", tmp_path / "rules.toml"
    rules.write_text(RULES)
    bridge.command("organization", "create", "acme", "--owner", "ana@acme.example")
    bridge.command("unit", "create", "production")
    made = bridge.command("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    bridge.command(
        "cluster", "add", "--organization", "acme", "--unit", "production", "--name", "prod",
        "--manifests", str(folder), "--user-template", "oidc:{user_name}", "--approve-first-plan",
    )  # fmt: skip
    bridge.command("rule", "apply", str(rules))
    return str(made["token"]), folder


def _make_group(bridge: Bridge, token: str) -> str:
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "developers"}
    answer = Writer(bridge, token, 0, "")._send("POST", "/Groups", body)
    assert answer.status == 201, answer.data
    return str(orjson.loads(answer.data)["id"])


def _write_until_killed(bridge: Bridge, writers: list[Writer], after: int) -> None:
    """Let all writers write, and kill the bridge when so many more writes were answered."""
    stop = threading.Event()
    enough = sum(writer.answered for writer in writers) + after
    threads = [threading.Thread(target=writer.write, args=(stop,)) for writer in writers]
    for thread in threads:
        thread.start()
    wait_until(lambda: sum(writer.answered for writer in writers) >= min(enough, WRITES), "writes to be answered")
    bridge.kill()
    stop.set()
    for thread in threads:
        thread.join()


def _write_to_the_end(writers: list[Writer]) -> None:
    threads = [threading.Thread(target=writer.write, args=(threading.Event(),)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _check_promises(bridge: Bridge, token: str, writers: list[Writer], group_id: str) -> None:
    """Read everything back: each promise is kept; what was not answered may be there or not."""
    reader = Writer(bridge, token, 0, group_id)
    group = orjson.loads(reader._send("GET", f"/Groups/{group_id}").data)
    inside = {each["value"] for each in group.get("members", [])}
    for writer in writers:
        # The write after the last answered one may have happened without its answer.
        open_name = f"person-{writer.number}-{writer.answered // 5}@acme.example"
        for name, user_id in writer.users.items():
            answer = reader._send("GET", f"/Users/{user_id}")
            assert answer.status == 200, (name, answer.data)
            user = orjson.loads(answer.data)
            assert user["userName"] == name
            if name != open_name:
                assert user["active"] is writer.active[name], name
                assert (user_id in inside) is writer.members[name], name


def _check_that_nothing_is_half(migrated_url: str) -> None:
    """Each user and membership has the change row, audit row and log entry of the transaction that made it."""
    database = Database(migrated_url)
    with database.read() as connection:
        users = set(connection.execute(sa.select(scim_user.c.id)).scalars())
        audited = set(
            connection.execute(
                sa.select(audit_entry.c.object_id).where(audit_entry.c.action == "user.created")
            ).scalars()
        )
        logged = set(
            connection.execute(
                sa.select(provisioning_log.c.object_id).where(provisioning_log.c.status == 201)
            ).scalars()
        )
        changes = set(connection.execute(sa.select(change_row.c.id)).scalars())
        of_log = set(
            connection.execute(
                sa.select(provisioning_log.c.change_id).where(provisioning_log.c.change_id.is_not(None))
            ).scalars()
        )
        of_audit = set(
            connection.execute(sa.select(audit_entry.c.change_id).where(audit_entry.c.change_id.is_not(None))).scalars()
        )
        twice = connection.execute(
            sa.select(membership.c.group_id, membership.c.member_id)
            .where(membership.c.valid_to.is_(None))
            .group_by(membership.c.group_id, membership.c.member_id)
            .having(sa.func.count() > 1)
        ).all()
    database.dispose()
    assert users <= audited
    assert users <= logged
    assert of_log <= changes
    assert changes <= of_audit
    assert twice == []
