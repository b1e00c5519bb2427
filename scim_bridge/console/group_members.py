"""Who is in a group made by hand: put in, for ever or for a time, taken out; groups inside groups."""

import wtforms
from flask import Response

from scim_bridge.console.effects import Telling, tell
from scim_bridge.console.fields import several
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.groups import WRITING, find, places_of
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import access_previews, hand_members, member_profiles
from scim_bridge.identity.group_lists import GroupShown


class AddForm(Form):
    """Whom to put in, and until when."""

    members = wtforms.TextAreaField(
        "People",
        description="One a line: a user name, an e-mail address, or enough of a name that it finds one person.",
        render_kw={"rows": 4, "required": True, "autocomplete": "off"},
    )
    expires = wtforms.StringField(
        "Until", description="For how long (30d) or until which date (2027-01-31). Empty: for ever."
    )


class NestForm(Form):
    """Which group to put in."""

    child = wtforms.StringField(
        "Group", description="Its name or its id. A directory's group stays the directory's.", render_kw={"required": 1}
    )


@screen("GET", "/groups/<group>/members/add", title="Add people", permission=WRITING)
def ask_add(visit: Visit, group: str) -> Response:
    """Show the form of new members."""
    return _add_page(visit, find(visit, group), AddForm.of(visit))


@screen("POST", "/groups/<group>/members/add", title="Add people", permission=WRITING)
def add(visit: Visit, group: str) -> Response:
    """Put people into a group: all of those named, or nobody."""
    form, shown = AddForm.of(visit), find(visit, group)
    named = several(form.text("members"))
    asked = (*visit.whose, shown.group.id, named, form.text("expires"), visit.request_id)
    made = submit(form, lambda: hand_members.add(*asked), typed=True, names={"at": "expires"})
    if made is None:
        return _add_page(visit, shown, form, 422)
    return done(visit, "groups.show", _added(len(made.changed), len(made.unchanged)), group=made.group_id)


@screen("GET", "/groups/<group>/members/<member>/remove", title="Take somebody out", permission=WRITING)
def ask_remove(visit: Visit, group: str, member: str) -> Response:
    """Show what somebody would lose with a membership."""
    shown = find(visit, group)
    who = member_profiles.show(visit.database, visit.organization, member).member
    told = tell(access_previews.of_remove(*visit.whose, shown.group.id, who.id))
    name = who.display_name or who.user_name
    effects = [f"{name} is in {shown.group.name} no more.", *told.sentences]
    return _ask(visit, shown, f"Take {name} out of {shown.group.name}?", effects, told)


@screen("POST", "/groups/<group>/members/<member>/remove", title="Take somebody out", permission=WRITING)
def remove(visit: Visit, group: str, member: str) -> Response:
    """Take somebody out of a group; they lose at once what it gave."""
    made = hand_members.remove(*visit.whose, group, [member], visit.request_id)
    words = f"They are in {made.group} no more." if made.changed else f"They were not in {made.group}."
    return done(visit, "groups.show", words, group=made.group_id)


@screen("GET", "/groups/<group>/groups/add", title="Put a group in", permission=WRITING)
def ask_nest(visit: Visit, group: str) -> Response:
    """Show the form of a group to put in."""
    return _nest_page(visit, find(visit, group), NestForm.of(visit))


@screen("POST", "/groups/<group>/groups/add", title="Put a group in", permission=WRITING)
def nest(visit: Visit, group: str) -> Response:
    """Put a group into one made by hand."""
    form, shown = NestForm.of(visit), find(visit, group)
    asked = (*visit.whose, shown.group.id, form.text("child") or "", visit.request_id)
    made = submit(form, lambda: hand_members.nest(*asked), typed=True, names={"group": "child"})
    if made is None:
        return _nest_page(visit, shown, form, 422)
    words = "Everybody in it has now what this group gives." if made else "It was in this group already."
    return done(visit, "groups.show", words, group=shown.group.id)


@screen("GET", "/groups/<group>/groups/<child>/remove", title="Take a group out", permission=WRITING)
def ask_unnest(visit: Visit, group: str, child: str) -> Response:
    """Show what people would lose if a group were no part of another one."""
    shown, inner = find(visit, group), find(visit, child)
    told = tell(access_previews.of_unnest(*visit.whose, shown.group.id, inner.group.id))
    effects = [f"{inner.group.name} is no part of {shown.group.name} any more.", *told.sentences]
    return _ask(visit, shown, f"Take {inner.group.name} out of {shown.group.name}?", effects, told)


@screen("POST", "/groups/<group>/groups/<child>/remove", title="Take a group out", permission=WRITING)
def unnest(visit: Visit, group: str, child: str) -> Response:
    """Take a group out of one made by hand."""
    was_in = hand_members.unnest(*visit.whose, group, child, visit.request_id)
    words = "The group is no part of this one any more." if was_in else "It was no part of this group."
    return done(visit, "groups.show", words, group=find(visit, group).group.id)


def _added(changed: int, unchanged: int) -> str:
    found = "One person is in now." if changed == 1 else f"{changed} people are in now."
    return f"{found} {unchanged} were in already." if unchanged else found


def _ask(visit: Visit, shown: GroupShown, title: str, effects: list[str], told: Telling) -> Response:
    back = url("groups.show", group=shown.group.id)
    return page(
        visit,
        "preview",
        title=title,
        effects=effects,
        told=told,
        words="Take out",
        back=back,
        places=places_of(shown),
    )


def _add_page(visit: Visit, shown: GroupShown, form: AddForm, status: int = 200) -> Response:
    title, words = f"Add people to {shown.group.name}", "Add them"
    return _form_page(visit, shown, form, status, title, words)


def _nest_page(visit: Visit, shown: GroupShown, form: NestForm, status: int = 200) -> Response:
    title, words = f"Put a group into {shown.group.name}", "Put it in"
    return _form_page(visit, shown, form, status, title, words)


def _form_page(visit: Visit, shown: GroupShown, form: Form, status: int, title: str, words: str) -> Response:
    back = url("groups.show", group=shown.group.id)
    lead = "They get what this group gives, at once. You can give only what you hold yourself."
    return page(
        visit,
        "form",
        status,
        title=title,
        lead=lead,
        form=form,
        words=words,
        back=back,
        places=places_of(shown),
    )
