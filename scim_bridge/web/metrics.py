"""
`/metrics` for Prometheus: what the database knows of clusters, directories and queues, whichever process is asked.

It names organizations, so it answers only to the token in the settings; without one there it is not there at all.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar

from flask import Blueprint, Response, abort, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from scim_bridge.identity.measurements import (
    ClusterNumbers,
    DirectoryNumbers,
    Measurements,
    QueueDepth,
    Queues,
    measure,
)
from scim_bridge.web.cluster_metrics import OF_CLUSTER, counter_families, kind_families
from scim_bridge.web.context import runtime
from scim_bridge.web.meters import request_numbers

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HEALTHS = ("unknown", "ok", "degraded", "failing")
PREFIX = "scim_bridge"
OF_DIRECTORY = ("organization", "directory")

Seen = TypeVar("Seen")
Gauge: TypeAlias = tuple[str, str, Callable[[Seen, datetime], float | None]]

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Answer with every number in the text format of Prometheus."""
    wanted = runtime().settings.metrics_token
    if wanted is None:
        abort(404)
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not hmac.compare_digest(sent, wanted.get_secret_value().encode()):
        abort(401)
    registry = CollectorRegistry()
    settings = runtime().settings
    found = measure(runtime().database, settings.revocation_objective_seconds, settings.lease_seconds)
    registry.register(_Numbers(found, settings.circuit_failures, settings.revocation_objective_seconds))
    with request_numbers() as requests:
        text = generate_latest(registry) + generate_latest(requests)
    return Response(text, content_type=CONTENT_TYPE)


def _age(since: datetime | None, at: datetime) -> float | None:
    return None if since is None else (at - since).total_seconds()


def _days_left(each: DirectoryNumbers, at: datetime) -> float | None:
    return None if each.expires_at is None else (each.expires_at - at).total_seconds() / 86_400


def _last_success(each: ClusterNumbers, _at: datetime) -> float | None:
    return None if each.last_success_at is None else each.last_success_at.timestamp()


# Each with its name, what it says, and the number of one cluster (or directory, or of the queues); None: none is shown.
CLUSTERS: tuple[Gauge[ClusterNumbers], ...] = (
    ("cluster_behind", "1 while a change is stored that a cluster does not show.", lambda each, _: each.is_behind),
    ("cluster_failures", "Passes that failed in a row.", lambda each, _: each.failures),
    ("cluster_last_success_timestamp_seconds", "When the last pass went well.", _last_success),
    (
        "cluster_waiting_removals",
        "Asked-for removals that a cluster has not confirmed.",
        lambda each, _: each.waiting_removals,
    ),
    (
        "cluster_withheld_removals",
        "Inferred removals that wait for an approval.",
        lambda each, _: each.held_removals,
    ),
    (
        "cluster_drift_subjects",
        "Subjects that the passes of the past day put right although nothing had changed here.",
        lambda each, _: each.day.drift,
    ),
    (
        "cluster_removals_day",
        "Asked-for removals of the past day, and those that are open.",
        lambda each, _: each.day.removals,
    ),
    (
        "cluster_late_removals_day",
        "Those of them that took longer than the objective.",
        lambda each, _: each.day.late,
    ),
)
DIRECTORIES: tuple[Gauge[DirectoryNumbers], ...] = (
    (
        "directory_silence_seconds",
        "How long ago a directory sent its last request.",
        lambda each, at: _age(each.last_request_at, at),
    ),
    ("directory_live_tokens", "Tokens with which a directory can still come.", lambda each, _: each.live_tokens),
    ("directory_token_days_left", "Days until a directory's last token ends, where it ends.", _days_left),
    ("directory_alarms", "Conditions of a directory that a person should know of.", lambda each, _: each.alarms),
)
QUEUES: tuple[Gauge[Queues], ...] = (
    ("changes_waiting", "Changes that no scheduler has taken up.", lambda each, _: each.changes),
    ("changes_waiting_seconds", "Age of the oldest of them.", lambda each, at: _age(each.changes_since, at) or 0),
    ("audit_unsealed", "Audit entries that are not chained yet.", lambda each, _: each.unsealed),
    ("audit_unsealed_seconds", "Age of the oldest of them.", lambda each, at: _age(each.unsealed_since, at) or 0),
    ("mails_waiting", "Mails that the mail server has not taken.", lambda each, _: each.mails),
    ("mails_waiting_seconds", "Age of the oldest of them.", lambda each, at: _age(each.mails_since, at) or 0),
    ("held_members", "Memberships that a directory left out and that still count.", lambda each, _: each.held_members),
)
WORK: tuple[Gauge[QueueDepth], ...] = (
    ("work_waiting", "Jobs that no worker has taken up.", lambda each, _: each.waiting),
    ("work_doing", "Jobs that workers have in hand.", lambda each, _: each.doing),
    ("work_stalled", "Jobs in hand of workers that have died.", lambda each, _: each.stalled),
)
WHOLE: tuple[Gauge[Measurements], ...] = (
    ("worker_lanes", "Lanes of workers that live, five a process.", lambda each, _: each.worker_lanes),
    ("jobs_failing", "Jobs of the scheduler whose last run failed.", lambda each, _: each.failing_jobs),
    ("jobs_paused", "Jobs of the scheduler that somebody paused.", lambda each, _: each.paused_jobs),
)


class _Numbers(Collector):
    def __init__(self, found: Measurements, circuit_failures: int, objective_seconds: float) -> None:
        self._found = found
        self._circuit_failures = circuit_failures
        self._objective_seconds = objective_seconds

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        clusters = [((each.organization, each.cluster), each) for each in self._found.clusters]
        directories = [((each.organization, each.directory), each) for each in self._found.directories]
        yield self._health()
        yield from self._families(CLUSTERS, OF_CLUSTER, clusters)
        yield from self._families(DIRECTORIES, OF_DIRECTORY, directories)
        yield from self._families(QUEUES, (), [((), self._found.queues)])
        yield from self._families(WORK, ("queue",), [((each.queue,), each) for each in self._found.work])
        yield from self._families(WHOLE, (), [((), self._found)])
        yield self._conditions("directory", self._found.directory_conditions)
        yield from self._families(self._by_settings(), OF_CLUSTER, clusters)
        yield from counter_families(PREFIX, self._found.counters)
        yield from kind_families(PREFIX, self._found.by_kind)
        objective = f"{PREFIX}_revocation_objective_seconds"
        yield GaugeMetricFamily(objective, "How long a removal may take.", value=self._objective_seconds)

    def _conditions(self, noun: str, found: Mapping[tuple[str, str, str], int]) -> GaugeMetricFamily:
        text = f"How many conditions of a kind a {noun} has."
        family = GaugeMetricFamily(f"{PREFIX}_{noun}_conditions", text, labels=("organization", noun, "kind"))
        for names, number in found.items():
            family.add_metric(names, float(number))
        return family

    def _by_settings(self) -> Iterator[Gauge[ClusterNumbers]]:
        yield (
            "cluster_circuit_open",
            "1 while a cluster is only asked whether it is there.",
            lambda each, _: each.failures >= self._circuit_failures,
        )

    def _health(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            f"{PREFIX}_cluster_health", "1 for the state that a cluster is in.", labels=(*OF_CLUSTER, "health")
        )
        for each in self._found.clusters:
            for name in HEALTHS:
                family.add_metric((each.organization, each.cluster, name), float(each.health == name))
        return family

    def _families(
        self, gauges: Iterable[Gauge[Seen]], labels: Sequence[str], rows: Sequence[tuple[tuple[str, ...], Seen]]
    ) -> Iterator[GaugeMetricFamily]:
        for name, text, number_of in gauges:
            family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)
            for values, each in rows:
                number = number_of(each, self._found.at)
                if number is not None:
                    family.add_metric(values, float(number))
            yield family
