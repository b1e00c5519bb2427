"""The room of clusters: registered, planned, approved, frozen, looked over, forgotten."""

import re
from pathlib import Path

import pytest

from scim_bridge.identity import clusters, freezes, grants
from scim_bridge.identity.clusters import ClusterWanted
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.sync import report
from tests.console.world import Console
from tests.identity.signing_in import TERMINAL

PROD = "/console/acme/clusters/prod"


@pytest.fixture
def folder(console: Console, tmp_path: Path) -> Path:
    """Register a folder of manifests as a cluster, on which ana has edit."""
    made = tmp_path / "prod"
    made.mkdir()
    clusters.add(console.runtime, TERMINAL, "acme", ClusterWanted("prod", manifests=made))
    person = console.person("ana")
    wanted = GrantWanted("organization", person=person.email, kubernetes_role="edit")
    grants.add(console.database, TERMINAL, "acme", wanted)
    return made


def _written(folder: Path) -> str:
    return "".join(each.read_text() for each in sorted(folder.rglob("*.yaml")))


def test_nothing_is_written_before_the_first_plan_is_read_and_approved(console: Console, folder: Path) -> None:
    browser = console.owner()
    asked = browser.get(PROD).text

    browser.post(f"{PROD}/first-plan")
    waits = browser.get(PROD).text
    before = _written(folder)
    plan = re.search(r'name="plan" value="([0-9a-f]+)"', waits)
    assert plan is not None
    browser.post(f"{PROD}/approve", {"plan": plan.group(1)})
    ran = browser.post(f"{PROD}/pass")

    assert "its first plan has to be approved" in asked
    assert "Waits for an approval" in waits
    assert "ana@example.com" in waits
    assert "ana@example.com" not in before
    assert ran.status_code == 303
    assert "ana@example.com" in _written(folder)


def test_another_plan_than_the_one_that_was_read_is_not_approved(console: Console, folder: Path) -> None:
    browser = console.owner()
    browser.post(f"{PROD}/first-plan")

    answer = browser.post(f"{PROD}/approve", {"plan": "0" * 64})

    assert answer.status_code in (404, 409)
    assert report.status(console.database, "acme", "prod")[0].state != "active"


def test_a_plan_says_who_would_gain_what_and_writes_nothing(console: Console, folder: Path) -> None:
    page = console.owner().get(f"{PROD}/plan").text

    assert "ana@example.com" in page
    assert "ana@example.com" not in _written(folder)


def test_history_says_for_whom_a_pass_did_something(console: Console, folder: Path) -> None:
    browser = console.owner()
    browser.post(f"{PROD}/first-plan")
    plan = re.search(r'name="plan" value="([0-9a-f]+)"', browser.get(PROD).text)
    assert plan is not None
    browser.post(f"{PROD}/approve", {"plan": plan.group(1)})
    browser.post(f"{PROD}/pass")

    page = browser.get(f"{PROD}/passes?changed=1").text

    assert "+ edit everywhere: ana@example.com" in page


def test_a_freeze_is_shown_everywhere_until_it_is_ended(console: Console, folder: Path) -> None:
    browser = console.owner()

    browser.post(f"{PROD}/freeze", {"reason": "upgrade tonight", "hours": "2"})
    frozen = (browser.get(PROD).text, browser.get("/console/acme/clusters").text)
    [one] = freezes.list_all(console.database, "acme")
    browser.post(f"/console/acme/freezes/{one.id}/end")

    assert all("upgrade tonight" in each for each in frozen)
    assert freezes.list_all(console.database, "acme") == []


def test_a_freeze_for_no_time_at_all_is_marked(console: Console, folder: Path) -> None:
    answer = console.owner().post(f"{PROD}/freeze", {"reason": "x", "hours": "soon"})

    assert answer.status_code == 422
    assert freezes.list_all(console.database, "acme") == []


def test_a_kubeconfig_that_is_none_is_marked_and_not_shown_again(console: Console) -> None:
    answer = console.owner().post("/console/acme/clusters/new", {"name": "prod", "kubeconfig": "token: s3cr3t"})

    assert answer.status_code == 422
    assert "s3cr3t" not in answer.text
    assert clusters.list_all(console.database, "acme", TERMINAL) == []


def test_the_manifest_of_the_bridges_account_names_only_the_roles_that_were_chosen(console: Console) -> None:
    browser = console.owner()

    least = browser.get("/console/acme/clusters/bootstrap?roles=view").text
    most = browser.get("/console/acme/clusters/bootstrap?roles=cluster-admin+edit+view").text

    assert ("- view" in least, "- edit" in least, "cluster-admin" in least.partition("<pre")[2]) == (True, False, False)
    assert "WARNING: cluster-admin is among them" in most


def test_what_else_is_there_is_told(console: Console, folder: Path) -> None:
    page = console.owner().get(f"{PROD}/findings").text

    assert "Nothing else is there" in page or "Not known" in page


def test_a_cluster_is_forgotten_after_it_was_said_what_stays(console: Console, folder: Path) -> None:
    browser = console.owner()

    asked = browser.get(f"{PROD}/remove").text
    browser.post(f"{PROD}/remove")

    assert "bindings of ours were last seen on it" in asked
    assert clusters.list_all(console.database, "acme", TERMINAL) == []


def test_a_viewer_sees_the_clusters_and_may_change_nothing(console: Console, folder: Path) -> None:
    browser = console.browser(console.person("vera", "viewer"))
    browser.get("/console/acme/clusters")

    page = browser.get(PROD)
    answers = [browser.post(f"{PROD}/{each}").status_code for each in ("pass", "first-plan", "freeze", "remove")]

    assert page.status_code == 200
    assert "Run a pass now" not in page.text
    assert set(answers) == {403}
