"""`scim-bridge doctor`: what it finds, what it says to do, and what it ends with."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from cryptography.fernet import Fernet

from scim_bridge.store.database import Database
from scim_bridge.store.schema import change_row, directory_token, removal_request, removal_request_cluster
from tests.cli.bridge import Bridge
from tests.cli.test_clusters import kubeconfig

RULES = """
version = 1
[[rules]]
name = "Teams"
directory = "okta"
group_pattern = "team-(?P<project>[a-z]+)"
scope = "project:{project}"
kubernetes_role = "edit"
"""


def findings(bridge: Bridge, code: int = 0) -> dict[str, list[tuple[str, str]]]:
    """Return level and sentence of what was found, by what it is about."""
    result = bridge.run("doctor", "--json")
    assert result.exit_code == code, result.output
    found: dict[str, list[tuple[str, str]]] = {}
    for each in json.loads(result.stdout):
        found.setdefault(each["about"], []).append((each["level"], each["sentence"]))
    return found


def change(bridge: Bridge, statement: sa.Executable) -> None:
    database = Database(bridge.environment["SCIM_BRIDGE_DATABASE_URL"])
    with database.write() as connection:
        connection.execute(statement)
    database.dispose()


def with_cluster(bridge: Bridge, folder: Path) -> None:
    bridge.json("cluster", "add", "--name", "prod", "--manifests", str(folder / "prod"), "--approve-first-plan")
    bridge.json("sync", "run")


def test_an_installation_in_order_has_no_problem(acme: Bridge, tmp_path: Path) -> None:
    acme.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    with_cluster(acme, tmp_path)
    # As a scheduler does; a machine in trouble takes longer to get here than one would wait.
    change(acme, sa.update(change_row).values(dispatched_at=datetime.now(UTC)))

    found = findings(acme)

    assert {level for rows in found.values() for level, _ in rows} == {"ok", "warning"}
    assert [level for level, _ in found["database"]] == ["ok"]
    assert found["acme/prod"] == [("ok", "It answers, and is as it should be.")]
    assert "has not sent a request" in found["acme/okta"][0][1]


def test_a_new_organization_is_told_what_is_missing(acme: Bridge) -> None:
    said = " ".join(sentence for _, sentence in findings(acme)["acme"])

    assert "No identity provider" in said
    assert "no cluster" in said


def test_without_its_database_it_says_so_and_looks_no_further(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "bridge.sqlite3"
    bridge = Bridge({"SCIM_BRIDGE_DATABASE_URL": f"sqlite:///{missing}", "SCIM_BRIDGE_HOME": str(tmp_path / "home")})

    found = findings(bridge, code=1)

    assert list(found) == ["base_url", "home", "database", "mail"]
    assert found["database"][0][0] == "problem"


def test_a_directory_without_a_valid_token_is_a_problem(acme: Bridge) -> None:
    acme.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    change(acme, sa.update(directory_token).values(revoked_at=datetime.now(UTC)))

    found = findings(acme, code=1)

    assert found["acme/okta"][0][0] == "problem"


def test_a_token_that_ends_soon_is_a_warning(acme: Bridge) -> None:
    acme.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    change(acme, sa.update(directory_token).values(expires_at=datetime.now(UTC) + timedelta(days=3)))

    found = findings(acme)

    assert found["acme/okta"][0][0] == "warning"
    assert "last token ends" in found["acme/okta"][0][1]


def test_a_group_that_no_rule_could_map_is_named(acme: Bridge, tmp_path: Path) -> None:
    acme.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    acme.put_team("acme", "team-shop", "ada@acme.example")
    (tmp_path / "rules.toml").write_text(RULES)
    acme.json("rule", "apply", str(tmp_path / "rules.toml"))

    said = [sentence for _, sentence in findings(acme)["acme"]]

    assert any("'team-shop'" in sentence for sentence in said)


def test_a_lost_encryption_key_is_a_problem_that_names_the_cluster(acme: Bridge, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "prod", "--kubeconfig", kubeconfig(tmp_path))
    acme.environment["SCIM_BRIDGE_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()

    found = findings(acme, code=1)

    assert found["encryption_keys"][0][0] == "problem"
    assert "acme/prod" in found["encryption_keys"][0][1]


def test_a_change_that_nobody_takes_up_means_that_no_scheduler_runs(acme: Bridge) -> None:
    change(acme, sa.update(change_row).values(created_at=datetime.now(UTC) - timedelta(minutes=5), dispatched_at=None))

    found = findings(acme, code=1)

    assert found["scheduler"][0][0] == "problem"


def test_a_cluster_that_does_not_answer_is_a_problem_and_one_without_approval_a_warning(
    acme: Bridge, tmp_path: Path
) -> None:
    acme.json("cluster", "add", "--name", "gone", "--kubeconfig", kubeconfig(tmp_path))
    acme.json("cluster", "add", "--name", "new", "--manifests", str(tmp_path / "new"))

    found = findings(acme, code=1)

    assert "problem" in {level for level, _ in found["acme/gone"]}
    assert [level for level, _ in found["acme/new"]] == ["warning"]


def test_a_leaver_whom_a_cluster_has_not_confirmed_for_a_minute_is_a_problem(acme: Bridge, tmp_path: Path) -> None:
    acme.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    acme.put_team("acme", "developers", "ada@acme.example")
    with_cluster(acme, tmp_path)
    _put_open_removal(acme)

    found = findings(acme, code=1)

    assert any("asked-for removals are not confirmed" in sentence for _, sentence in found["acme/prod"])


def _put_open_removal(bridge: Bridge) -> None:
    from scim_bridge.store.schema import cluster, member

    database = Database(bridge.environment["SCIM_BRIDGE_DATABASE_URL"])
    asked = datetime.now(UTC) - timedelta(minutes=10)
    with database.write() as connection:
        place, owner = connection.execute(sa.select(cluster.c.id, cluster.c.organization_id)).one()
        person = connection.execute(sa.select(member.c.id).limit(1)).scalar_one()
        rows = {"id": "r1", "organization_id": owner}
        connection.execute(
            sa.insert(removal_request).values(
                **rows, member_id=person, cause="deactivated", actor="okta", requested_at=asked, dispatched_at=asked
            )
        )
        connection.execute(
            sa.insert(removal_request_cluster).values(
                **rows, removal_request_id="r1", cluster_id=place, state="open", attempts=3, last_error="it hangs"
            )
        )
    database.dispose()


def test_a_person_reads_the_remedy_below_the_finding(acme: Bridge) -> None:
    text = acme.text("doctor")

    assert "→ scim-bridge cluster add --help" in text
