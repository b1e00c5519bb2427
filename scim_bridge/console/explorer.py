"""The access explorer: who may do what, why, and since when; now, or at any moment that is still known."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response

from scim_bridge.console.pages import page
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid, NotFound
from scim_bridge.identity import access, access_reports, clusters, roles
from scim_bridge.identity.access import Explanation, TurningPoint
from scim_bridge.identity.access_reports import Holder, Question
from scim_bridge.identity.runtime import now

MOST_SHOWN = 200
QUESTION = ("cluster", "role", "namespace", "permission", "api_role", "scope")


@dataclass(frozen=True, slots=True)
class Stop:
    """One place of the time slider: a moment, and what happened then."""

    at: str
    moment: datetime
    words: str
    is_chosen: bool


@screen("GET", "/access", title="Access explorer", permission=access.SEEING, in_menu=True)
def show(visit: Visit) -> Response:
    """Answer who has something, or what somebody has and why; each question stands in the address."""
    person, at = visit.asked("person"), visit.asked("at")
    explained, holders, problem = None, None, None
    try:
        if person is not None:
            explained = access.explain(*visit.whose, person, visit.asked("cluster"), at)
        elif _is_asked(visit):
            holders = _holders(visit, at)
    except (Invalid, NotFound) as error:
        problem = str(error)
    return page(
        visit,
        "explorer",
        422 if problem else 200,
        explained=explained,
        holders=holders,
        most=MOST_SHOWN,
        problem=problem,
        stops=_stops(visit, explained, at) if explained else (),
        clusters=[
            (each.name, each.name) for each in clusters.list_all(visit.database, visit.organization, visit.actor)
        ],
        kubernetes_roles=[(each.value, each.value) for each in KubernetesRole],
        api_roles=[(each.name, each.name) for each in roles.list_all(visit.database, visit.organization)],
    )


@screen("GET", "/access/matrix", title="Everybody's access as CSV", permission=access.SEEING, is_file=True)
def matrix(visit: Visit) -> Response:
    """Hand out everybody with what they have, for a spreadsheet."""
    answer = Response(access_reports.matrix(*visit.whose, visit.asked("at")), content_type="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="access.csv"'
    return answer


def _clusters(visit: Visit) -> list[tuple[str, str]]:
    return [(each.name, each.name) for each in clusters.list_all(visit.database, visit.organization, visit.actor)]


def _is_asked(visit: Visit) -> bool:
    return any(visit.asked(name) for name in QUESTION)


def _holders(visit: Visit, at: str | None) -> list[Holder]:
    return access_reports.who(*visit.whose, Question(**{name: visit.asked(name) for name in QUESTION}, at=at))


def _stops(visit: Visit, explained: Explanation, at: str | None) -> list[Stop]:
    """Return the moments at which something about a person changed, the oldest first, and now."""
    points = access.turning_points(*visit.whose, explained.person.id)
    return [*(_stop(each, at) for each in points), Stop("", now(), "now", at is None)]


def _stop(point: TurningPoint, at: str | None) -> Stop:
    text = point.at.isoformat().replace("+00:00", "Z")
    return Stop(text, point.at, point.what, text == at)
