"""A look over the scheduler and the clusters: whether changes are carried out, and what keeps them from it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from scim_bridge.domain.findings import Finding, Level
from scim_bridge.domain.organizations import TargetKind
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterError, Invalid, StoreError
from scim_bridge.settings import Settings
from scim_bridge.store.change_queue import oldest_waiting_change
from scim_bridge.store.clock import now
from scim_bridge.store.cluster_registry import UNAPPROVED, RegisteredCluster
from scim_bridge.store.database import Database
from scim_bridge.store.jobs import read_jobs
from scim_bridge.store.work_queue import live_workers, queue_depths
from scim_bridge.sync.places import the_clusters, the_organization
from scim_bridge.sync.report import ClusterStatus, status
from scim_bridge.sync.single import Opener

PATIENCE = timedelta(seconds=10)
"""A scheduler that runs claims a change within a fraction of a second."""
LATE = timedelta(minutes=1)
"""An asked-for removal that is older than this is somebody with access who should have none."""
UPDATE = "scim-bridge cluster update {name} --kubeconfig FILE"
BOOTSTRAP = "scim-bridge cluster bootstrap, applied there, gives the missing rights"
REMEDIES = {
    "ClusterUnreachable": "Look whether the API server runs and can be reached from here; else " + UPDATE,
    "ClusterDenied": "Its credential ended or was taken away: " + UPDATE,
    "RoleMissing": "Make the ClusterRole there, or bind no one to it.",
}


def check_scheduler(database: Database) -> Finding:
    """Say whether somebody carries out what changes."""
    at = now()
    with database.read() as connection:
        oldest = oldest_waiting_change(connection)
    if oldest is not None and oldest < at - PATIENCE:
        sentence = f"Nobody has taken up a change that is {_age(oldest, at)} old: clusters are not kept in step."
        return Finding(Level.PROBLEM, "scheduler", sentence, "Start `scim-bridge run` or `scim-bridge scheduler`.")
    return Finding(Level.OK, "scheduler", "No change waits to be taken up.")


def check_workers(database: Database, settings: Settings) -> Iterator[Finding]:
    """Yield what is found of the queue and its workers, where there are any."""
    if settings.engine != "procrastinate":
        return
    at, patience = now(), timedelta(seconds=settings.lease_seconds)
    with database.read() as connection:
        lanes = live_workers(connection, at, patience)
        depths = queue_depths(connection, at, patience)
    waiting, stalled = sum(each.waiting for each in depths), sum(each.stalled for each in depths)
    if lanes == 0:
        sentence = f"No worker lives, and {waiting} jobs wait: clusters are not kept in step."
        yield Finding(Level.PROBLEM, "workers", sentence, "Start `scim-bridge worker`.")
    elif stalled:
        sentence = f"{stalled} jobs are in hand of workers that have died; a scheduler takes them out within moments."
        yield Finding(Level.WARNING, "workers", sentence, "scim-bridge job history rescue")
    else:
        yield Finding(Level.OK, "workers", f"{lanes} lanes are at work, and {waiting} jobs wait.")


def check_jobs(database: Database) -> Iterator[Finding]:
    """Yield which of the scheduler's jobs fail or rest; nothing where all are well."""
    with database.read() as connection:
        rows = read_jobs(connection)
    for each in rows.values():
        if each.failures:
            sentence = f"The job {each.name} failed {each.failures} times in a row: {each.message}"
            yield Finding(Level.PROBLEM, "scheduler", sentence, f"scim-bridge job history {each.name}")
        if each.paused_at is not None:
            sentence = f"{each.paused_by} paused the job {each.name} at {each.paused_at:%Y-%m-%d %H:%M} UTC."
            yield Finding(Level.WARNING, "scheduler", sentence, f"scim-bridge job resume {each.name}")


def check_clusters(database: Database, targets: Opener, organization: str) -> Iterator[Finding]:
    """Yield what is found on each cluster of an organization; each is asked, and nothing is written there."""
    at = now()
    with database.read() as connection:
        registered = the_clusters(connection, the_organization(connection, organization), None)
    states = {each.cluster: each for each in status(database, organization)}
    if not registered:
        yield Finding(
            Level.WARNING, organization, "There is no cluster to give access to.", "scim-bridge cluster add --help"
        )
    for each in registered:
        found = [*_preflight(targets, each, organization), *_doing(states[each.name], organization, at)]
        yield from found or [Finding(Level.OK, _name(organization, each.name), "It answers, and is as it should be.")]


def _preflight(targets: Opener, found: RegisteredCluster, organization: str) -> Iterator[Finding]:
    about = _name(organization, found.name)
    roles = [KubernetesRole.VIEW, KubernetesRole.EDIT]
    if found.cluster.allow_cluster_admin:
        roles.append(KubernetesRole.CLUSTER_ADMIN)
    try:
        problems = targets.open(found.id).preflight(roles)
    except (ClusterError, Invalid, StoreError) as error:
        yield Finding(Level.PROBLEM, about, str(error), UPDATE.format(name=found.name))
        return
    for problem in problems:
        remedy = REMEDIES.get(problem.kind, BOOTSTRAP) if found.kind is TargetKind.KUBERNETES else ""
        sentence = f"{problem.kind}: {problem.message}"
        yield Finding(Level.PROBLEM, about, sentence, remedy.format(name=found.name))


def _doing(found: ClusterStatus, organization: str, at: datetime) -> Iterator[Finding]:
    about = _name(organization, found.cluster)
    if found.state == UNAPPROVED:
        sentence = "Nobody has approved its first plan: nothing is written there."
        yield Finding(Level.WARNING, about, sentence, f"scim-bridge sync plan --cluster {found.cluster}")
    elif found.held:
        sentence = f"{found.held} removals that nobody asked for by name wait for an approval."
        yield Finding(Level.WARNING, about, sentence, f"scim-bridge sync plan --cluster {found.cluster}")
    if found.is_failing:
        yield Finding(Level.PROBLEM, about, f"Its passes fail: {found.last_error or 'no reason is known'}")
    if found.removals_since is not None and found.removals_since < at - LATE:
        sentence = (
            f"{found.open_removals} asked-for removals are not confirmed, the first for "
            f"{_age(found.removals_since, at)}: {found.removals_error or 'it has not been tried'}"
        )
        yield Finding(Level.PROBLEM, about, sentence)
    for condition in found.conditions:
        yield Finding(Level.WARNING, about, f"{condition.kind}: {condition.message}")


def _name(organization: str, cluster: str) -> str:
    return f"{organization}/{cluster}"


def _age(since: datetime, at: datetime) -> str:
    seconds = int((at - since).total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
