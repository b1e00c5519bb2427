"""
Changes of the tree: renamed, moved, otherwise set up, deleted; who gains and who loses what is shown before.

The change stands in the address of its preview, so that it can be sent to somebody; doing it is a form.
"""

from collections.abc import Callable
from typing import cast

import wtforms
from flask import Response

from scim_bridge.console.effects import people, telling
from scim_bridge.console.fields import SuggestField, several
from scim_bridge.console.forms import Form
from scim_bridge.console.organization import places
from scim_bridge.console.pages import done, page, to
from scim_bridge.console.screens import Entrance, Visit, screen
from scim_bridge.console.tree_places import PROJECTS, SERVICES, back_of, project_names, unit_paths
from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.errors import Invalid, PreviewOutdated
from scim_bridge.identity import tree_drafts
from scim_bridge.identity.project_changes import (
    ChangeProject,
    ChangeService,
    DeleteProject,
    DeleteService,
    MoveProject,
    RenameProject,
    RenameService,
)
from scim_bridge.identity.tree_drafts import TreeDraft, TreePreview
from scim_bridge.identity.unit_changes import DeleteUnit, MoveUnit, RenameUnit, RetypeUnit

Draft = Callable[[str, str, str], TreeDraft]
SOMEWHERE = Entrance.SOMEWHERE
UNIT_CHANGES = [("move", "Move it into the unit"), ("rename", "Rename it"), ("type", "Say what environment it is")]
PROJECT_CHANGES = [
    ("move", "Move it into the unit"),
    ("rename", "Rename it"),
    ("namespaces", "Its namespaces"),
    ("selectors", "Its namespaces by label"),
    ("clusters", "Its clusters"),
]
SERVICE_CHANGES = [("rename", "Rename it"), ("namespace", "Its namespace")]


class ChangeForm(Form):
    """What to change of which place."""

    place = SuggestField("Which", render_kw={"required": True})
    what = wtforms.SelectField("What")
    value = SuggestField("To", description="Several are separated by commas. Empty for a move: into the organization.")


@screen(
    "GET", "/organization/units/change", title="Change a unit", permission="environments:update", entrance=SOMEWHERE
)
def ask_unit(visit: Visit) -> Response:
    """Show what another name, type or place of a unit would do."""
    return _ask(visit, _unit, unit_paths(visit), UNIT_CHANGES)


@screen(
    "POST", "/organization/units/change", title="Change a unit", permission="environments:update", entrance=SOMEWHERE
)
def change_unit(visit: Visit) -> Response:
    """Rename or move a unit with all that is in it, or say what it is for."""
    return _carry_out(visit, _unit, unit_paths(visit), UNIT_CHANGES)


@screen(
    "GET", "/organization/units/delete", title="Delete a unit", permission="environments:delete", entrance=SOMEWHERE
)
def ask_unit_end(visit: Visit) -> Response:
    """Show what the end of a unit would do."""
    return _ask(visit, _unit_end, unit_paths(visit))


@screen(
    "POST", "/organization/units/delete", title="Delete a unit", permission="environments:delete", entrance=SOMEWHERE
)
def delete_unit(visit: Visit) -> Response:
    """Delete a unit that is empty."""
    return _carry_out(visit, _unit_end, unit_paths(visit))


@screen("GET", "/organization/projects/change", title="Change a project", permission=PROJECTS, entrance=SOMEWHERE)
def ask_project(visit: Visit) -> Response:
    """Show what another name, place or set of namespaces would do."""
    return _ask(visit, _project, project_names(visit), PROJECT_CHANGES)


@screen("POST", "/organization/projects/change", title="Change a project", permission=PROJECTS, entrance=SOMEWHERE)
def change_project(visit: Visit) -> Response:
    """Rename or move a project, or change what it owns."""
    return _carry_out(visit, _project, project_names(visit), PROJECT_CHANGES)


@screen("GET", "/organization/projects/delete", title="Delete a project", permission=PROJECTS, entrance=SOMEWHERE)
def ask_project_end(visit: Visit) -> Response:
    """Show what the end of a project would do."""
    return _ask(visit, _project_end, project_names(visit))


@screen("POST", "/organization/projects/delete", title="Delete a project", permission=PROJECTS, entrance=SOMEWHERE)
def delete_project(visit: Visit) -> Response:
    """Delete a project with its services."""
    return _carry_out(visit, _project_end, project_names(visit))


@screen("GET", "/organization/services/change", title="Change a service", permission=SERVICES, entrance=SOMEWHERE)
def ask_service(visit: Visit) -> Response:
    """Show what another name or namespace of a service would do."""
    return _ask(visit, _service, (), SERVICE_CHANGES)


@screen("POST", "/organization/services/change", title="Change a service", permission=SERVICES, entrance=SOMEWHERE)
def change_service(visit: Visit) -> Response:
    """Rename a service, or give it another namespace."""
    return _carry_out(visit, _service, (), SERVICE_CHANGES)


@screen("GET", "/organization/services/delete", title="Delete a service", permission=SERVICES, entrance=SOMEWHERE)
def ask_service_end(visit: Visit) -> Response:
    """Show what the end of a service would do."""
    return _ask(visit, _service_end, ())


@screen("POST", "/organization/services/delete", title="Delete a service", permission=SERVICES, entrance=SOMEWHERE)
def delete_service(visit: Visit) -> Response:
    """Delete a service."""
    return _carry_out(visit, _service_end, ())


def _unit(place: str, what: str, value: str) -> TreeDraft:
    if what == "rename":
        return RenameUnit(place, value)
    if what == "type":
        if value and value not in set(EnvironmentType):
            raise Invalid(f"An environment is one of {', '.join(EnvironmentType)}, or empty.", field="value")
        return RetypeUnit(place, EnvironmentType(value) if value else None)
    return MoveUnit(place, value or None)


def _unit_end(place: str, what: str, value: str) -> TreeDraft:
    return DeleteUnit(place)


def _project(place: str, what: str, value: str) -> TreeDraft:
    if what == "rename":
        return RenameProject(place, value)
    if what in ("namespaces", "selectors", "clusters"):
        return ChangeProject(place, **{what: tuple(several(value))})
    return MoveProject(place, value or None)


def _project_end(place: str, what: str, value: str) -> TreeDraft:
    return DeleteProject(place)


def _service(place: str, what: str, value: str) -> TreeDraft:
    project, _, service = place.partition("/")
    return ChangeService(project, service, value) if what == "namespace" else RenameService(project, service, value)


def _service_end(place: str, what: str, value: str) -> TreeDraft:
    project, _, service = place.partition("/")
    return DeleteService(project, service)


def _ask(visit: Visit, draft: Draft, known: tuple[str, ...], changes: list[tuple[str, str]] | None = None) -> Response:
    place, what, value = (visit.asked(name) or "" for name in ("place", "what", "value"))
    if not place or (changes and not what):
        return _form_page(visit, place, known, changes)
    made = tree_drafts.preview(*visit.whose, draft(place, what, value))
    return _preview_page(visit, made, place, what, value)


def _carry_out(
    visit: Visit, draft: Draft, known: tuple[str, ...], changes: list[tuple[str, str]] | None = None
) -> Response:
    place, what, value = (visit.given(name) for name in ("place", "what", "value"))
    if not place or (changes and not what):
        return _form_page(visit, place, known, changes, 422)
    asked = (*visit.whose, draft(place, what, value), visit.given("preview") or None, visit.request_id)
    try:
        made = tree_drafts.carry_out(*asked)
    except PreviewOutdated as error:
        return _preview_page(visit, cast(TreePreview, error.preview), place, what, value, 409)
    words = f"{made.place} is now {made.becomes}." if made.becomes else f"{made.place} is gone."
    return done(visit, "organization.show" if to("organization.show") else "overview.show", words)


def _form_page(
    visit: Visit, place: str, known: tuple[str, ...], changes: list[tuple[str, str]] | None, status: int = 200
) -> Response:
    form = ChangeForm(data={"place": place, "what": changes[0][0] if changes else "", "value": ""})
    form.place.suggestions = known
    if changes:
        form.what.choices = changes
        form.value.suggestions = unit_paths(visit)
    else:
        del form.what
        del form.value
    where = places() if to("organization.show") else []
    return page(visit, "ask", status, form=form, words="See what it does", back=back_of(), places=where)


def _preview_page(visit: Visit, made: TreePreview, place: str, what: str, value: str, status: int = 200) -> Response:
    told = telling(
        {each.person: each.what for each in made.gains},
        {each.person: each.what for each in made.loses},
        made.unclear,
    )
    becomes = f"{made.place} becomes {made.becomes}." if made.becomes else f"{made.place} is deleted."
    renamed = f"{people(len(made.renamed), 'is', 'are')} known to clusters by another name."
    effects = [becomes, *told.sentences, *([renamed] if made.renamed else [])]
    if not made.alters_access:
        effects.append("Nobody's access changes.")
    outdated = "Something has changed since you looked: this is what would happen now. Nothing was done."
    return page(
        visit,
        "preview",
        status,
        title=f"{visit.screen.title}?",
        effects=effects if made.changed else ["Nothing: it is so already."],
        told=told,
        problem=outdated if status == 409 else None,
        hidden={"place": place, "what": what, "value": value, "preview": made.hash},
        words=visit.screen.title,
        safe=not made.loses and made.becomes is not None,
        back=back_of(),
        places=places() if to("organization.show") else [],
    )
