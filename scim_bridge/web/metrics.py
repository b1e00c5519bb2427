"""
`/metrics` for Prometheus: what the database knows of clusters, directories and queues, whichever process is asked.

It names organizations, so it answers only to the token in the settings; without one there it is not there at all.
"""

import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime

from flask import Blueprint, Response, abort, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from scim_bridge.identity.measurements import Measurements, measure
from scim_bridge.web.context import runtime

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HEALTHS = ("unknown", "ok", "degraded", "failing")
PREFIX = "scim_bridge"
OF_CLUSTER = ("organization", "cluster")
OF_DIRECTORY = ("organization", "directory")

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
    registry.register(_Numbers(measure(runtime().database)))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE)


class _Numbers(Collector):
    def __init__(self, found: Measurements) -> None:
        self._found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every family."""
        yield from self._clusters()
        yield from self._directories()
        yield from self._queues()

    def _clusters(self) -> Iterator[GaugeMetricFamily]:
        found = self._found.clusters
        health = _family("cluster_health", "1 for the state that a cluster is in.", (*OF_CLUSTER, "health"))
        for each in found:
            for name in HEALTHS:
                health.add_metric((each.organization, each.cluster, name), float(each.health == name))
        yield health
        rows = [((each.organization, each.cluster), each) for each in found]
        yield _filled(
            "cluster_behind",
            "1 while a change is stored that a cluster does not show.",
            OF_CLUSTER,
            ((labels, float(each.is_behind)) for labels, each in rows),
        )
        yield _filled(
            "cluster_failures",
            "Passes that failed in a row.",
            OF_CLUSTER,
            ((labels, float(each.failures)) for labels, each in rows),
        )
        yield _filled(
            "cluster_last_success_timestamp_seconds",
            "When the last pass went well.",
            OF_CLUSTER,
            ((labels, each.last_success_at.timestamp()) for labels, each in rows if each.last_success_at),
        )
        yield _filled(
            "cluster_waiting_removals",
            "Asked-for removals that a cluster has not confirmed.",
            OF_CLUSTER,
            ((labels, float(each.waiting_removals)) for labels, each in rows),
        )
        yield _filled(
            "cluster_withheld_removals",
            "Inferred removals that wait for an approval.",
            OF_CLUSTER,
            ((labels, float(each.held_removals)) for labels, each in rows),
        )

    def _directories(self) -> Iterator[GaugeMetricFamily]:
        rows = [((each.organization, each.directory), each) for each in self._found.directories]
        yield _filled(
            "directory_silence_seconds",
            "How long ago a directory sent its last request.",
            OF_DIRECTORY,
            ((labels, self._age(each.last_request_at)) for labels, each in rows if each.last_request_at),
        )
        yield _filled(
            "directory_live_tokens",
            "Tokens with which a directory can still come.",
            OF_DIRECTORY,
            ((labels, float(each.live_tokens)) for labels, each in rows),
        )
        yield _filled(
            "directory_token_days_left",
            "Days until a directory's last token ends; none is shown where one never does.",
            OF_DIRECTORY,
            ((labels, -self._age(each.expires_at) / 86_400) for labels, each in rows if each.expires_at),
        )
        yield _filled(
            "directory_alarms",
            "Conditions of a directory that a person should know of.",
            OF_DIRECTORY,
            ((labels, float(each.alarms)) for labels, each in rows),
        )

    def _queues(self) -> Iterator[GaugeMetricFamily]:
        found = self._found.queues
        for name, text, value in (
            ("changes_waiting", "Changes that no scheduler has taken up.", found.changes),
            ("changes_waiting_seconds", "Age of the oldest of them.", self._age(found.changes_since)),
            ("audit_unsealed", "Audit entries that are not chained yet.", found.unsealed),
            ("audit_unsealed_seconds", "Age of the oldest of them.", self._age(found.unsealed_since)),
            ("held_members", "Memberships that a directory left out and that still count.", found.held_members),
        ):
            yield _filled(name, text, (), [((), float(value))])

    def _age(self, since: datetime | None) -> float:
        return 0.0 if since is None else (self._found.at - since).total_seconds()


def _family(name: str, text: str, labels: tuple[str, ...]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)


def _filled(
    name: str, text: str, labels: tuple[str, ...], rows: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = _family(name, text, labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family
