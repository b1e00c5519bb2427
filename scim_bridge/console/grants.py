"""Permissions: who is granted what at which place, by whom or what; granting by hand and taking it away."""

import wtforms
from flask import Response

from scim_bridge.console.effects import tell
from scim_bridge.console.fields import SuggestField, api_roles, kubernetes_roles
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.pages import done, page, to, url
from scim_bridge.console.screens import Entrance, Visit, screen
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import NotFound
from scim_bridge.identity import access_previews, clusters, grants, group_lists, roles, tree
from scim_bridge.identity.grants import GrantView, GrantWanted
from scim_bridge.identity.group_lists import GroupQuery
from scim_bridge.web.paging import read_cursor, write_cursor

READING = "members:read"
GRANTING = "organization:permissions:write"
A_PAGE = 100
MOST_SUGGESTED = 300


class GrantForm(Form):
    """Who gets what, where and until when."""

    person = wtforms.StringField(
        "Person",
        description="A user name or an e-mail address. Leave it empty for a group.",
        render_kw={"autocomplete": "off"},
    )
    group = SuggestField("Group", description="Everybody in it, and in groups in it.")
    scope = SuggestField(
        "Where",
        default="organization",
        description="organization, unit:production, project:shop, service:shop/web or cluster:prod.",
    )
    api_role = wtforms.SelectField("API role", default="", description="In the console and by the API.")
    kubernetes_role = wtforms.SelectField("Kubernetes role", default="", description="On the clusters of that place.")
    expires = wtforms.StringField("Until", description="For how long (90d) or until which date. Empty: for ever.")


@screen("GET", "/grants", title="Permissions", permission=READING, in_menu=True)
def list_(visit: Visit) -> Response:
    """List every grant in force with where it comes from."""
    found = [each for each in grants.list_all(visit.database, visit.organization) if _is_asked_for(visit, each)]
    position = read_cursor(visit.asked("cursor"), 4)
    if position is not None:
        found = [each for each in found if _key(each) > position]
    shown, more = found[:A_PAGE], len(found) > A_PAGE
    return page(
        visit,
        "grants",
        grants=shown,
        next_cursor=write_cursor(_key(shown[-1])) if more else None,
        api_roles=[(each.name, each.name) for each in roles.list_all(visit.database, visit.organization)],
        kubernetes_roles=[(each.value, each.value) for each in KubernetesRole],
    )


@screen("GET", "/grants/new", title="Grant a role", permission=GRANTING, entrance=Entrance.SOMEWHERE)
def ask_add(visit: Visit) -> Response:
    """Show the form of a grant; the query fills it in."""
    asked = {name: visit.asked(name) for name in ("person", "group", "scope") if visit.asked(name)}
    return _form_page(visit, _form(visit, **asked))


@screen("POST", "/grants/new", title="Grant a role", permission=GRANTING, entrance=Entrance.SOMEWHERE)
def add(visit: Visit) -> Response:
    """Grant by hand; the same again changes only when it ends."""
    form = _form(visit)
    made = submit(form, lambda: grants.add(*visit.whose, _wanted(form), visit.request_id), typed=True)
    if made is None:
        return _form_page(visit, form, 422)
    words = f"{made.holder} has {_roles(made)} at {made.scope}."
    if visit.may(READING):
        return done(visit, "grants.list", words)
    return done(visit, "overview.show", words)


@screen("GET", "/grants/<grant>/revoke", title="Take a grant away", permission=GRANTING, entrance=Entrance.SOMEWHERE)
def ask_revoke(visit: Visit, grant: str) -> Response:
    """Show who would lose what with a grant."""
    found = _find(visit, grant)
    told = tell(access_previews.of_revoke(*visit.whose, _same(found)))
    others = [each for each in found.origins if not each.startswith("manual")]
    return page(
        visit,
        "preview",
        title=f"Take {_roles(found)} at {found.scope} from {found.holder}?",
        effects=[f"The grant by hand ends ({', '.join(found.origins)}).", *told.sentences],
        stays=[f"{each} gives it still." for each in others],
        told=told,
        words="Take it away",
        back=_back(visit),
        places=[("Permissions", _back(visit))],
    )


@screen("POST", "/grants/<grant>/revoke", title="Take a grant away", permission=GRANTING, entrance=Entrance.SOMEWHERE)
def revoke(visit: Visit, grant: str) -> Response:
    """Take a grant made by hand away."""
    found = _find(visit, grant)
    left = grants.remove(*visit.whose, _same(found), visit.request_id)
    words = f" {', '.join(left)} gives it still." if left else ""
    name = "grants.list" if visit.may(READING) else "overview.show"
    return done(visit, name, f"{found.holder} has {_roles(found)} at {found.scope} no more by hand.{words}")


def scopes(visit: Visit) -> tuple[str, ...]:
    """Return the places that the visitor may see, as grants and rules name them."""
    whose = (visit.database, visit.organization, visit.actor)
    found = ["organization", *(f"unit:{each.path}" for each in tree.list_units(*whose))]
    for each in tree.list_projects(*whose):
        found += [f"project:{each.name}", *(f"service:{each.name}/{service}" for service in each.services)]
    found += [f"cluster:{each.name}" for each in clusters.list_all(*whose)]
    return tuple(found[:MOST_SUGGESTED])


def _is_asked_for(visit: Visit, grant: GrantView) -> bool:
    holder, group, scope = visit.asked("search"), visit.asked("group"), visit.asked("scope")
    return (
        (holder is None or holder.casefold() in grant.holder.casefold())
        and (group is None or (grant.holder_kind, grant.holder) == ("group", group))
        and (scope is None or scope.casefold() in grant.scope.casefold())
        and visit.asked("api_role") in (None, grant.api_role)
        and visit.asked("kubernetes_role") in (None, grant.kubernetes_role)
    )


def _key(grant: GrantView) -> tuple[str, ...]:
    return grant.scope, grant.holder_kind, grant.holder, grant.id


def _find(visit: Visit, named: str) -> GrantView:
    for each in grants.list_all(visit.database, visit.organization):
        if each.id == named:
            return each
    raise NotFound("There is no such grant.")


def _same(grant: GrantView) -> GrantWanted:
    """Return what names a grant to the use case, without what two could share."""
    person, group = (grant.holder_id, None) if grant.holder_kind == "person" else (None, grant.holder_id)
    return GrantWanted(grant.scope, person, group, grant.api_role, grant.kubernetes_role)


def _wanted(form: GrantForm) -> GrantWanted:
    names = ("person", "group", "api_role", "kubernetes_role", "expires")
    return GrantWanted(form.text("scope") or "organization", **{name: form.text(name) for name in names})


def _roles(grant: GrantView) -> str:
    return " and ".join(each for each in (grant.api_role, grant.kubernetes_role) if each)


def _form(visit: Visit, **values: str | None) -> GrantForm:
    form = GrantForm.of(visit, **values)
    form.api_role.choices = api_roles(visit.database, visit.organization)
    form.kubernetes_role.choices = kubernetes_roles()
    form.scope.suggestions = scopes(visit)
    if visit.may(READING):
        known = group_lists.list_page(visit.database, visit.organization, GroupQuery(), MOST_SUGGESTED)
        form.group.suggestions = tuple(each.name for each in known.groups)
    return form


def _form_page(visit: Visit, form: GrantForm, status: int = 200) -> Response:
    lead = (
        "One person or one group gets an API role, a Kubernetes role or both. You can grant only what you hold there."
    )
    back = _back(visit)
    places = [("Permissions", back)]
    return page(visit, "form", status, lead=lead, form=form, words="Grant", back=back, places=places)


def _back(visit: Visit) -> str:
    return to("grants.list") or url("overview.show")
