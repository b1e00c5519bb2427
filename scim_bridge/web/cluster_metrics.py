"""The families of `/metrics` that have more than one number a cluster: counters, histograms, and numbers by kind."""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from scim_bridge.identity.measurements import PASS_BOUNDS, REVOCATION_BOUNDS, ClusterNumber, Counted

OF_CLUSTER = ("organization", "cluster")
INFINITE = "+Inf"
SUM = "sum"

# Each with its name, what it says, the counter's own name, and the labels that its label is taken apart into.
COUNTERS = (
    ("cluster_passes", "Passes that ended, by their state.", "passes", ("state",)),
    ("cluster_writes", "Writes, by what was to be done and what the cluster answered.", "writes", ("verb", "code")),
    ("cluster_drift", "Bindings found otherwise than they were written: missing or edited.", "drift", ("kind",)),
)
HISTOGRAMS = (
    ("cluster_pass_seconds", "How long passes took.", "pass_seconds", PASS_BOUNDS),
    (
        "cluster_revocation_seconds",
        "From an asked-for removal to its confirmation by the cluster.",
        "revocation_seconds",
        REVOCATION_BOUNDS,
    ),
)
BY_KIND = (
    ("cluster_bindings", "Bindings that were written and are there.", "bindings", ()),
    ("cluster_subjects", "Subjects in them; whom two bindings name counts twice.", "subjects", ()),
    ("cluster_plans_waiting", "Plans that wait for a person, by their reason.", "plans", ("reason",)),
    ("cluster_conditions", "Conditions, by kind: what `sync status` lists.", "conditions", ("kind",)),
    ("cluster_unmanaged_bindings", "What others gave there, as of the last night.", "unmanaged", ("kind",)),
)


def counter_families(prefix: str, found: Sequence[Counted]) -> Iterator[Metric]:
    """Yield counters and histograms; a cluster that has counted nothing yet has none."""
    for name, text, own, labels in COUNTERS:
        counter = CounterMetricFamily(f"{prefix}_{name}", text, labels=(*OF_CLUSTER, *labels))
        for each in found:
            if each.name == own:
                counter.add_metric((each.organization, each.cluster, *each.label.split(" ")), each.amount)
        yield counter
    for name, text, own, bounds in HISTOGRAMS:
        histogram = HistogramMetricFamily(f"{prefix}_{name}", text, labels=OF_CLUSTER)
        places: dict[tuple[str, str], dict[str, float]] = {}
        for each in found:
            if each.name == own:
                places.setdefault((each.organization, each.cluster), {})[each.label] = each.amount
        for place, amounts in places.items():
            histogram.add_metric(place, _cumulated(amounts, bounds), amounts.get(SUM, 0.0))
        yield histogram


def kind_families(prefix: str, found: Sequence[ClusterNumber]) -> Iterator[Metric]:
    """Yield the numbers by kind."""
    for name, text, own, labels in BY_KIND:
        gauge = GaugeMetricFamily(f"{prefix}_{name}", text, labels=(*OF_CLUSTER, *labels))
        for each in found:
            if each.name == own:
                kind = (each.label,) if labels else ()
                gauge.add_metric((each.organization, each.cluster, *kind), each.number)
        yield gauge


def _cumulated(amounts: dict[str, float], bounds: Iterable[float]) -> list[tuple[str, float]]:
    """Return the buckets as Prometheus has them: each holds those before it."""
    total, buckets = 0.0, []
    for label in (*(f"{bound:g}" for bound in bounds), INFINITE):
        total += amounts.get(label, 0.0)
        buckets.append((label, total))
    return buckets
