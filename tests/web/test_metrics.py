"""What Prometheus reads, and who may."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from scim_bridge.domain.desired import Condition
from scim_bridge.domain.objective import BOUNDS
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import directories, tree
from scim_bridge.identity.directory_tokens import TokenWanted
from scim_bridge.identity.directory_tokens import create as create_token
from scim_bridge.store.conditions import add_condition
from scim_bridge.store.counters import count, observed
from scim_bridge.store.organizations import find_organization
from scim_bridge.store.scans import Scan, keep_scan
from scim_bridge.sync.dispatch.jobs import Job, put
from tests.api.rest import ACTOR, Rest, open_rest
from tests.conftest import Lent
from tests.identity.rows import put_cluster
from tests.sync.worlds import NOON

TOKEN = "a-token-for-prometheus"
Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _read(rest: Rest, token: str = TOKEN) -> Numbers:
    answer = rest.app.test_client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return {
        (sample.name.removeprefix("scim_bridge_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_clusters_and_directories_are_numbers_with_their_names(migrated_url: str, tmp_path: Path) -> None:
    with open_rest(migrated_url, tmp_path, metrics_token=TOKEN) as rest:
        tree.create_unit(rest.database, ACTOR, "acme", "production")
        put_cluster(rest.database, "prod-eu", "production")
        directories.create(rest.database, ACTOR, "acme", "okta", DirectoryKind.OKTA)

        found = _read(rest)

    cluster = (("cluster", "prod-eu"), ("organization", "acme"))
    directory = (("directory", "okta"), ("organization", "acme"))
    assert found["cluster_health", (cluster[0], ("health", "unknown"), cluster[1])] == 1
    assert found["cluster_health", (cluster[0], ("health", "failing"), cluster[1])] == 0
    assert found["cluster_behind", cluster] == 1
    assert found["cluster_waiting_removals", cluster] == 0
    assert found["directory_live_tokens", directory] == 1
    assert ("directory_token_days_left", directory) not in found
    assert found["changes_waiting", ()] > 0
    assert found["changes_waiting_seconds", ()] >= 0
    assert [found[name, ()] for name in ("jobs_failing", "jobs_paused", "worker_lanes")] == [0, 0, 0]


def test_the_queue_of_workers_is_in_numbers(lent_postgresql: Lent, tmp_path: Path) -> None:
    with open_rest(lent_postgresql.lend(), tmp_path, metrics_token=TOKEN) as rest:
        job = Job("cluster", "removals", "removals:one", "removals:one", {})
        with rest.database.write() as connection:
            put(connection, [job])
            connection.execute(sa.text("INSERT INTO procrastinate_workers DEFAULT VALUES"))

        found = _read(rest)

    queue = (("queue", "removals"),)
    assert [found[name, queue] for name in ("work_waiting", "work_doing", "work_stalled")] == [1, 0, 0]
    assert found["worker_lanes", ()] == 1


def test_what_clusters_did_is_counted_timed_and_told_by_kind(migrated_url: str, tmp_path: Path) -> None:
    with open_rest(migrated_url, tmp_path, metrics_token=TOKEN) as rest:
        tree.create_unit(rest.database, ACTOR, "acme", "production")
        prod = put_cluster(rest.database, "prod-eu", "production")
        with rest.database.write() as connection:
            owner = find_organization(connection, "acme")
            assert owner is not None
            took = [0.4, 45.0, 9000.0]
            for amounts in (
                {("passes", "ok"): 3, ("writes", "grow ClusterDenied"): 2, ("drift", "edited"): 1},
                {("writes", "grow ClusterDenied"): 1},
                observed("revocation_seconds", took, BOUNDS),
            ):
                count(connection, owner.id, prod, amounts)
            add_condition(connection, owner.id, prod, Condition("ObjectiveMissed", "", "late"), NOON)
            keep_scan(connection, owner.id, prod, Scan(NOON, None, {"privileged": 4}), NOON)

        found = _read(rest)

    def of(name: str, **labels: str) -> float:
        return found[name, tuple(sorted({"organization": "acme", "cluster": "prod-eu", **labels}.items()))]

    assert of("cluster_passes_total", state="ok") == 3
    assert of("cluster_writes_total", verb="grow", code="ClusterDenied") == 3
    assert of("cluster_drift_total", kind="edited") == 1
    assert [of("cluster_revocation_seconds_bucket", le=le) for le in ("1", "60", "3600", "+Inf")] == [1, 2, 2, 3]
    assert of("cluster_revocation_seconds_count") == 3
    assert of("cluster_revocation_seconds_sum") == sum(took)
    assert of("cluster_conditions", kind="ObjectiveMissed") == 1
    assert of("cluster_unmanaged_bindings", kind="privileged") == 4
    assert of("cluster_circuit_open") == 0
    assert found["revocation_objective_seconds", ()] == 60


def test_a_token_that_ends_is_counted_down(migrated_url: str, tmp_path: Path) -> None:
    with open_rest(migrated_url, tmp_path, metrics_token=TOKEN) as rest:
        directories.create(rest.database, ACTOR, "acme", "okta", DirectoryKind.OKTA)
        [endless] = _tokens(rest)
        create_token(rest.database, ACTOR, "acme", "okta", TokenWanted("new", "10d"))
        from scim_bridge.identity import directory_tokens

        directory_tokens.revoke(rest.database, ACTOR, "acme", endless)

        found = _read(rest)

    directory = (("directory", "okta"), ("organization", "acme"))
    assert found["directory_live_tokens", directory] == 1
    assert 9.9 < found["directory_token_days_left", directory] <= 10


def _tokens(rest: Rest) -> list[str]:
    from scim_bridge.identity import directory_tokens

    return [each.prefix for each in directory_tokens.list_all(rest.database, "acme", "okta")]


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
def test_without_the_token_nothing_is_told(migrated_url: str, tmp_path: Path, token: str) -> None:
    with open_rest(migrated_url, tmp_path, metrics_token=TOKEN) as rest:
        answer = rest.app.test_client().get("/metrics", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert "acme" not in answer.text


def test_without_a_token_in_the_settings_there_is_no_such_address(migrated_url: str, tmp_path: Path) -> None:
    with open_rest(migrated_url, tmp_path) as rest:
        answer = rest.app.test_client().get("/metrics", headers={"Authorization": "Bearer "})

    assert answer.status_code == 404
