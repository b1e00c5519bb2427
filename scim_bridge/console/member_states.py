"""What an admin does about a member: roles, and coming and going; what it would do is shown first."""

from collections.abc import Callable

import wtforms
from flask import Response

from scim_bridge.console.forms import Form, choices, submit
from scim_bridge.console.members import WRITING, name_of
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.identity import member_profiles, member_roles, member_states, roles
from scim_bridge.identity.member_profiles import Profile
from scim_bridge.identity.member_roles import INHERIT, RolesWanted
from scim_bridge.identity.member_states import MemberMoved

UPDATING = "members:update_role"
REMOVING = "members:remove"
KEEP = ("", "Leave as it is")
Move = Callable[..., MemberMoved]


class RolesForm(Form):
    """Which roles in the whole organization."""

    api_role = wtforms.SelectField(
        "API role", default="", description="What the person may do here, in the console and by the API."
    )
    kubernetes_role = wtforms.SelectField(
        "Kubernetes role",
        default="",
        description="On every cluster of the organization, unless a more specific scope says more.",
    )


@screen("GET", "/members/<member>/roles", title="Change roles", permission=UPDATING)
def roles_form(visit: Visit, member: str) -> Response:
    """Show the form of a member's roles in the whole organization."""
    return _roles_page(visit, _profile(visit, member), _roles_form(visit))


@screen("POST", "/members/<member>/roles", title="Change roles", permission=UPDATING)
def set_roles(visit: Visit, member: str) -> Response:
    """Put these roles in the place of those that hands gave."""
    form = _roles_form(visit)
    wanted = RolesWanted(form.text("api_role"), form.text("kubernetes_role"))
    made = submit(form, lambda: member_roles.set_roles(*visit.whose, member, wanted, visit.request_id))
    if made is None:
        return _roles_page(visit, _profile(visit, member), form, 422)
    held = ", ".join((*made.api_roles, *made.kubernetes_roles)) or "no role of their own"
    return done(visit, "members.show", f"{made.user_name} has now: {held}.", member=made.id)


@screen("GET", "/members/<member>/deactivate", title="Deactivate a member", permission=WRITING)
def ask_deactivate(visit: Visit, member: str) -> Response:
    """Show what a deactivation would take."""
    return _confirm(visit, member, "Deactivate", stays=KEPT)


@screen("POST", "/members/<member>/deactivate", title="Deactivate a member", permission=WRITING)
def deactivate(visit: Visit, member: str) -> Response:
    """Take all access from a member, and keep what they had."""
    return _move(visit, member, member_states.deactivate, "is deactivated: all access is being taken away.")


@screen("GET", "/members/<member>/reactivate", title="Reactivate a member", permission=WRITING)
def ask_reactivate(visit: Visit, member: str) -> Response:
    """Show what a reactivation would give back."""
    profile = _profile(visit, member)
    groups = len({each.group for each in profile.groups})
    effects = [
        f"{name_of(profile)} can sign in to this organization again.",
        f"They get back the roles and groups that they had: {groups} of the latter.",
        "Their bindings are written to the clusters in the next pass.",
    ]
    return _ask(visit, profile, "Reactivate", effects, safe=True)


@screen("POST", "/members/<member>/reactivate", title="Reactivate a member", permission=WRITING)
def reactivate(visit: Visit, member: str) -> Response:
    """Give a deactivated member back what they had."""
    return _move(visit, member, member_states.reactivate, "is active again.")


@screen("GET", "/members/<member>/remove", title="Remove a member", permission=REMOVING)
def ask_remove(visit: Visit, member: str) -> Response:
    """Show what a removal would take."""
    return _confirm(
        visit, member, "Remove", ["They leave every group and lose every grant, and are no member any more."]
    )


@screen("POST", "/members/<member>/remove", title="Remove a member", permission=REMOVING)
def remove(visit: Visit, member: str) -> Response:
    """Take a member out of groups, off every cluster and out of the organization."""
    moved = member_states.remove(*visit.whose, member, visit.request_id)
    return done(visit, "members.list", f"{moved.user_name} is no member any more.")


KEPT = [
    "Groups and grants are kept: whoever is reactivated has what they had.",
    "A directory does not bring them back.",
]


def _confirm(
    visit: Visit, member: str, words: str, first: list[str] | None = None, stays: list[str] | None = None
) -> Response:
    profile = _profile(visit, member)
    return _ask(visit, profile, words, [*(first or ()), *_taken(visit, profile)], stays=stays)


def _taken(visit: Visit, profile: Profile) -> list[str]:
    """Return what somebody loses at once, in sentences."""
    whose = (*visit.whose, profile.member.id)
    open_sessions = [each for each in member_profiles.visible_sessions(*whose) if each.ended_at is None]
    live_tokens = [each for each in member_profiles.visible_tokens(*whose) if each.revoked_at is None]
    found = [f"{name_of(profile)} cannot sign in to this organization any more."]
    if open_sessions:
        found.append(f"{_count(len(open_sessions), 'session')} with the next click.")
    if live_tokens:
        found.append(f"{_count(len(live_tokens), 'token')} with the next call.")
    for each in profile.access.clusters:
        held = {(bound.namespace, bound.role) for bound in each.held_by}
        if held:
            found.append(f"On {each.cluster} the subject {each.subject} leaves {len(held)} bindings.")
    if profile.access.api_roles:
        found.append(f"They hold no permission here any more; now they are {', '.join(profile.access.api_roles)}.")
    return found


def _count(number: int, noun: str) -> str:
    return f"One {noun} ends" if number == 1 else f"{number} {noun}s end"


def _ask(
    visit: Visit,
    profile: Profile,
    words: str,
    effects: list[str],
    *,
    stays: list[str] | None = None,
    safe: bool = False,
) -> Response:
    name, back = name_of(profile), url("members.show", member=profile.member.id)
    return page(
        visit,
        "confirm",
        title=f"{words} {name}?",
        effects=effects,
        stays=stays,
        words=words,
        back=back,
        safe=safe,
        places=[("Members", url("members.list")), (name, back)],
    )


def _move(visit: Visit, member: str, move: Move, words: str) -> Response:
    moved = move(*visit.whose, member, visit.request_id)
    return done(visit, "members.show", f"{moved.user_name} {words}", member=moved.id)


def _profile(visit: Visit, member: str) -> Profile:
    return member_profiles.show(visit.database, visit.organization, member)


def _roles_form(visit: Visit) -> RolesForm:
    form = RolesForm.of(visit)
    none = (INHERIT, "None by hand")
    named = [(each.name, each.name) for each in roles.list_all(visit.database, visit.organization)]
    form.api_role.choices = choices([KEEP, none, *named])
    form.kubernetes_role.choices = choices([KEEP, none, *((each.value, each.value) for each in KubernetesRole)])
    return form


def _roles_page(visit: Visit, profile: Profile, form: RolesForm, status: int = 200) -> Response:
    name, back = name_of(profile), url("members.show", member=profile.member.id)
    return page(
        visit,
        "form",
        status,
        title=f"Roles of {name}",
        lead="In the whole organization, in place of those that hands or an invitation gave. What rules give stays.",
        form=form,
        words="Change the roles",
        back=back,
        places=[("Members", url("members.list")), (name, back)],
    )
