"""Groups: found in a list, looked at with whoever is in them, made by hand, renamed and deleted."""

import wtforms
from flask import Response

from scim_bridge.console.effects import tell
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.people import MemberId
from scim_bridge.identity import access_previews, directories, grants, group_lists, hand_groups
from scim_bridge.identity.group_lists import GroupQuery, GroupShown
from scim_bridge.web.paging import read_cursor, write_cursor

READING = "members:read"
WRITING = "organization:groups:write"
A_PAGE = 50


class GroupForm(Form):
    """What a group is called and what it is for."""

    name = wtforms.StringField("Name", render_kw={"maxlength": hand_groups.LONGEST_NAME, "required": True})
    description = wtforms.TextAreaField(
        "Description",
        description="What it is for: whoever adds somebody reads it.",
        render_kw={"maxlength": hand_groups.LONGEST_DESCRIPTION, "rows": 3},
    )


@screen("GET", "/groups", title="Groups", permission=READING, in_menu=True)
def list_(visit: Visit) -> Response:
    """List and search the groups, whoever owns them."""
    owned_by = visit.asked("owner")
    directory = None if owned_by in (None, "hand") else owned_by
    query = GroupQuery(visit.asked("search"), directory, owned_by == "hand")
    position = read_cursor(visit.asked("cursor"), 2)
    after = None if position is None else (position[0], position[1])
    found = group_lists.list_page(visit.database, visit.organization, query, A_PAGE, after)
    next_cursor = None if found.after is None else write_cursor(found.after)
    return page(visit, "groups", found=found, next_cursor=next_cursor, owners=_owners(visit))


@screen("GET", "/groups/new", title="New group", permission=WRITING)
def ask_create(visit: Visit) -> Response:
    """Show the form of a new group."""
    return _new_page(visit, GroupForm.of(visit))


@screen("POST", "/groups/new", title="New group", permission=WRITING)
def create(visit: Visit) -> Response:
    """Make a group; every unit, project and service can use it."""
    form = GroupForm.of(visit)
    name, description = form.text("name") or "", form.text("description")
    made = submit(form, lambda: hand_groups.create(*visit.whose, name, description, visit.request_id))
    if made is None:
        return _new_page(visit, form, 422)
    return done(visit, "groups.show", f"The group {made.name} is there: now add its members.", group=made.id)


@screen("GET", "/groups/<group>", title="Group", permission=READING)
def show(visit: Visit, group: str) -> Response:
    """Show a group: who is in it and why, the groups in and around it, and what it gives."""
    shown = find(visit, group)
    position = read_cursor(visit.asked("cursor"), 1)
    after = None if position is None else MemberId(position[0])
    found = group_lists.members_page(visit.database, visit.organization, shown.group.id, A_PAGE, after)
    return page(
        visit,
        "group",
        title=shown.group.name,
        shown=shown,
        group=shown.group,
        members=found.members,
        next_cursor=None if found.after is None else write_cursor((found.after,)),
        grants=grants.list_of_group(visit.database, visit.organization, shown.group.id),
        may_change=shown.read_only is None and visit.may(WRITING),
    )


@screen("GET", "/groups/<group>/edit", title="Rename a group", permission=WRITING)
def ask_change(visit: Visit, group: str) -> Response:
    """Show the form of a group's name and description."""
    shown = find(visit, group)
    form = GroupForm.of(visit, name=shown.group.name, description=shown.group.description)
    return _edit_page(visit, shown, form)


@screen("POST", "/groups/<group>/edit", title="Rename a group", permission=WRITING)
def change(visit: Visit, group: str) -> Response:
    """Rename or describe a group made by hand; members and grants stay."""
    form, shown = GroupForm.of(visit), find(visit, group)
    asked = (*visit.whose, shown.group.id, form.text("name") or "", form.text("description"), visit.request_id)
    made = submit(form, lambda: hand_groups.change(*asked, describing=True))
    if made is None:
        return _edit_page(visit, shown, form, 422)
    return done(visit, "groups.show", f"The group is called {made.group.name}.", group=made.group.id)


@screen("GET", "/groups/<group>/delete", title="Delete a group", permission=WRITING)
def ask_delete(visit: Visit, group: str) -> Response:
    """Show what the end of a group would take, from whom."""
    shown = find(visit, group)
    told = tell(access_previews.of_delete(*visit.whose, shown.group.id))
    given = grants.list_of_group(visit.database, visit.organization, shown.group.id)
    effects = [
        *told.sentences,
        *(f"It is no part of {each.name} any more." for each in shown.contained_in),
        *(f"What is granted to it at {each.scope} ends." for each in given),
        f"Nobody finds the group {shown.group.name} any more.",
    ]
    return page(
        visit,
        "preview",
        title=f"Delete {shown.group.name}?",
        effects=effects,
        told=told,
        words="Delete the group",
        back=url("groups.show", group=shown.group.id),
        places=places_of(shown),
    )


@screen("POST", "/groups/<group>/delete", title="Delete a group", permission=WRITING)
def delete(visit: Visit, group: str) -> Response:
    """Take a group made by hand away, and at once what it gave."""
    ended = hand_groups.delete(*visit.whose, group, visit.request_id)
    return done(visit, "groups.list", f"The group {ended.name} is gone.")


def find(visit: Visit, group: str) -> GroupShown:
    """Return a group of the organization; raises NotFound."""
    return group_lists.show(visit.database, visit.organization, group)


def places_of(shown: GroupShown) -> list[tuple[str, str]]:
    """Return the way from the list to a group."""
    return [("Groups", url("groups.list")), (shown.group.name, url("groups.show", group=shown.group.id))]


def _owners(visit: Visit) -> list[tuple[str, str]]:
    if not visit.may("organization:directories:read"):
        return [("hand", "Made by hand")]
    found = directories.list_all(visit.database, visit.organization)
    return [("hand", "Made by hand"), *((each.name, each.name) for each in found)]


def _new_page(visit: Visit, form: GroupForm, status: int = 200) -> Response:
    lead = "Every unit, project and service can use it. You add people and other groups to it, a directory's too."
    back = url("groups.list")
    return page(
        visit, "form", status, lead=lead, form=form, words="Make the group", back=back, places=[("Groups", back)]
    )


def _edit_page(visit: Visit, shown: GroupShown, form: GroupForm, status: int = 200) -> Response:
    return page(
        visit,
        "form",
        status,
        title=f"Rename {shown.group.name}",
        lead="Members and grants stay as they are; rules that match it by name look at its new name.",
        form=form,
        words="Save",
        back=url("groups.show", group=shown.group.id),
        places=places_of(shown),
    )
