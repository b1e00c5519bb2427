"""Clusters: how they are doing, what waits for a person, and what each pass did."""

from flask import Response

from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Entrance, Visit, screen
from scim_bridge.identity import clusters, freezes
from scim_bridge.identity.freezes import FreezeView
from scim_bridge.sync import approvals, history, report, single
from scim_bridge.sync.history import PastPass
from scim_bridge.sync.report import ClusterStatus
from scim_bridge.web.paging import read_cursor, write_cursor

READ = "clusters:read"
UPDATE = "clusters:update"
APPROVE = "organization:permissions:write"
LATEST = 8
A_PAGE = 50


@screen("GET", "/clusters", title="Clusters", permission=READ, entrance=Entrance.SOMEWHERE, in_menu=True)
def list_(visit: Visit) -> Response:
    """List the clusters that one may see, with how each is doing."""
    found = clusters.list_all(visit.database, visit.organization, visit.actor)
    known = {each.cluster: each for each in report.status(visit.database, visit.organization)}
    return page(visit, "clusters", found=found, known=known, frozen=_freezes(visit))


@screen("GET", "/clusters/<cluster>", title="Cluster", permission=READ, entrance=Entrance.SOMEWHERE)
def show(visit: Visit, cluster: str) -> Response:
    """Show a cluster, what waits, what is wrong since when, and its latest passes."""
    found = clusters.show(visit.database, visit.organization, cluster, visit.actor)
    return page(
        visit,
        "cluster",
        title=found.name,
        cluster=found,
        doing=_status(visit, found.name),
        waiting=approvals.waiting(visit.database, visit.organization, found.name),
        passes=_passes(visit, found.name, LATEST) if visit.may(READ) else (),
        frozen=[each for each in _freezes(visit) if each.cluster in (None, found.name)],
    )


@screen("GET", "/clusters/<cluster>/plan", title="Plan", permission=UPDATE, entrance=Entrance.SOMEWHERE)
def plan(visit: Visit, cluster: str) -> Response:
    """Say exactly what a pass would do now; the cluster is asked, and nothing is written."""
    name = clusters.permitted(visit.database, visit.actor, visit.organization, cluster, UPDATE)
    with single.opened_workshop(visit.database, visit.runtime.keyring, visit.runtime.settings) as workshop:
        [planned] = single.plan(workshop, visit.organization, name)
    return page(visit, "cluster_plan", title=f"What a pass would do on {name}", planned=planned, places=_places(name))


@screen("POST", "/clusters/<cluster>/approve", title="Approve", permission=APPROVE, entrance=Entrance.SOMEWHERE)
def approve(visit: Visit, cluster: str) -> Response:
    """Let exactly what a plan lists go; a first plan makes the cluster active."""
    name = clusters.permitted(visit.database, visit.actor, visit.organization, cluster, APPROVE)
    seconds = visit.runtime.settings.approval_seconds
    made = approvals.approve(
        *visit.whose, name, visit.given("plan"), valid_seconds=seconds, request_id=visit.request_id
    )
    notice = f"Approved: {made.removals} removals. The next pass does exactly this."
    return done(visit, "clusters.show", notice, cluster=name)


@screen("POST", "/clusters/<cluster>/first-plan", title="First plan", permission=APPROVE, entrance=Entrance.SOMEWHERE)
def first_plan(visit: Visit, cluster: str) -> Response:
    """Let the first plan of a cluster wait; nothing is written to it."""
    name = clusters.permitted(visit.database, visit.actor, visit.organization, cluster, APPROVE)
    with single.opened_workshop(visit.database, visit.runtime.keyring, visit.runtime.settings) as workshop:
        single.prepare_first_plan(workshop, visit.organization, name)
    return done(visit, "clusters.show", "Its first plan waits for you: read it, then approve it.", cluster=name)


@screen("POST", "/clusters/<cluster>/pass", title="Run a pass", permission=UPDATE, entrance=Entrance.SOMEWHERE)
def run(visit: Visit, cluster: str) -> Response:
    """Run a pass now."""
    name = clusters.permitted(visit.database, visit.actor, visit.organization, cluster, UPDATE)
    with single.opened_workshop(visit.database, visit.runtime.keyring, visit.runtime.settings) as workshop:
        [made] = single.run(workshop, visit.organization, name)
    result = made.result
    told = made.problem or f"{result.subjects_added} subjects gained, {result.subjects_removed} lost a role."
    return done(visit, "clusters.show", f"The pass is over. {told}", cluster=name)


@screen("GET", "/clusters/<cluster>/passes", title="Passes", permission=READ)
def passes(visit: Visit, cluster: str) -> Response:
    """List a cluster's passes, the latest first, with who gained and lost what."""
    before = read_cursor(visit.asked("cursor"), 1)
    changed = visit.asked("changed") == "1"
    found = _passes(visit, cluster, A_PAGE + 1, before[0] if before else None, changed=changed)
    shown = found[:A_PAGE]
    return page(
        visit,
        "cluster_passes",
        title=f"Passes of {cluster}",
        passes=shown,
        next_cursor=write_cursor([shown[-1].id]) if len(found) > A_PAGE else None,
        places=_places(cluster),
    )


def _status(visit: Visit, name: str) -> ClusterStatus:
    [found] = report.status(visit.database, visit.organization, name)
    return found


def _passes(visit: Visit, name: str, limit: int, before: str | None = None, *, changed: bool = False) -> list[PastPass]:
    return history.history(visit.database, visit.organization, name, limit=limit, before=before, changed=changed)


def _freezes(visit: Visit) -> list[FreezeView]:
    return freezes.list_all(visit.database, visit.organization) if visit.may(READ) else []


def _places(name: str) -> list[tuple[str, str]]:
    return [("Clusters", url("clusters.list")), (name, url("clusters.show", cluster=name))]
