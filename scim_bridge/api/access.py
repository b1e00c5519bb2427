"""Who has access to what, why and since when; now or at any moment of the past."""

from flask import Response
from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.identity import access, access_reports, binding_access, effective
from scim_bridge.identity.access import Explanation
from scim_bridge.identity.access_reports import Holder, Question
from scim_bridge.identity.binding_access import BindingExplained, WhichBinding
from scim_bridge.identity.effective import EffectiveAccess
from scim_bridge.web.paging import Page, read_cursor, write_cursor

TAG = "access"
AT = "Then, not now: `2h` or `7d` ago, or an ISO 8601 time."


class Moment(Fields):
    """When."""

    at: str | None = Field(default=None, max_length=40, description=AT)


class Explained(Moment):
    """On which cluster, when."""

    cluster: str | None = Field(default=None, max_length=63)


class WhoQuery(Paged):
    """On a cluster, with a role, in a namespace; or with a permission or an API role at a scope."""

    cluster: str | None = Field(default=None, max_length=63)
    role: str | None = Field(default=None, max_length=63, description="cluster-admin, edit, view or none.")
    namespace: str | None = Field(default=None, max_length=63)
    permission: str | None = Field(default=None, max_length=120)
    api_role: str | None = Field(default=None, max_length=63)
    scope: str | None = Field(default=None, max_length=1024)
    at: str | None = Field(default=None, max_length=40, description=AT)


class BindingQuery(Paged):
    """Which of a binding's subjects."""

    namespace: str | None = Field(default=None, max_length=63)
    person: str | None = Field(default=None, max_length=1024)


@operation("GET", "/members/<member>/access", tag=TAG, query=Explained, answers=Explanation)
def explain(call: Call, member: str) -> Explanation:
    """Explain one person's access; everybody may ask about themselves, as `me`."""
    asked = call.asked(Explained)
    return access.explain(call.database, call.actor, call.organization, member, asked.cluster, asked.at)


@operation("GET", "/members/<member>/effective-access", tag=TAG, query=Moment, answers=EffectiveAccess)
def effective_access(call: Call, member: str) -> EffectiveAccess:
    """Return all that one person may do, where; everybody may ask about themselves, as `me`."""
    at = call.asked(Moment).at
    return effective.effective_access(call.database, call.actor, call.organization, member, at)


@operation("GET", "/access/who", tag=TAG, permission=access.SEEING, query=WhoQuery, answers=Page[Holder])
def who(call: Call) -> Page[Holder]:
    """List who has a role on a cluster, or a permission at a scope, and through which grants."""
    asked = call.asked(WhoQuery)
    where = (asked.cluster, asked.role, asked.namespace)
    question = Question(*where, asked.permission, asked.scope, asked.at, asked.api_role)
    found = access_reports.who(call.database, call.actor, call.organization, question)
    return call.page(found, _place, keys=5)


@operation(
    "GET", "/access/matrix", tag=TAG, permission=access.SEEING, query=Moment, answers=str, contents=("text/csv",)
)
def matrix(call: Call) -> Response:
    """Return everybody with what they have as CSV: API roles by scope, Kubernetes roles by cluster and place."""
    lines = access_reports.matrix(call.database, call.actor, call.organization, call.asked(Moment).at)
    return Response(lines, content_type="text/csv")


@operation(
    "GET",
    "/clusters/<cluster>/bindings/<binding>",
    tag=TAG,
    permission=access.SEEING,
    query=BindingQuery,
    answers=BindingExplained,
)
def explain_binding(call: Call, cluster: str, binding: str) -> BindingExplained:
    """Say of a RoleBinding's subjects which request, rule and grant put them there; `next` is the next cursor."""
    asked = call.asked(BindingQuery)
    after = read_cursor(asked.cursor, 1) or ("",)
    which = WhichBinding(cluster, binding, asked.namespace, asked.person, after[0], asked.limit)
    found = binding_access.explain_binding(call.database, call.actor, call.organization, which)
    return binding_access.with_cursor(found, None if found.next is None else write_cursor((found.next,)))


def _place(each: Holder) -> tuple[str, ...]:
    return each.user_name, each.id, each.namespace or "", each.role, each.scope
