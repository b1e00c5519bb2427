"""New places of the organization's tree: units, projects and services."""

import wtforms
from flask import Response

from scim_bridge.console.fields import SuggestField, several, words
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.organization import places
from scim_bridge.console.pages import done, page, to, url
from scim_bridge.console.screens import Entrance, Visit, screen
from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.identity import tree
from scim_bridge.identity.tree import NewProject

MAKING_UNITS = "environments:create"
PROJECTS = "organization:projects:write"
SERVICES = "project:services:write"


class UnitForm(Form):
    """A unit by its path."""

    path = wtforms.StringField(
        "Path", description="payments, or production/payments: those above it exist.", render_kw={"required": True}
    )
    environment_type = wtforms.SelectField("Environment", default="", description="What it is for, if it is one.")


class ProjectForm(Form):
    """A project and what it owns."""

    name = wtforms.StringField("Name", render_kw={"maxlength": 63, "required": True})
    unit = SuggestField("Unit", description="A path. Empty: directly in the organization.")
    namespaces = wtforms.StringField("Namespaces", description="Separated by commas.")
    selectors = wtforms.StringField("Namespaces by label", description="team=web, or several: team=web;team=shop.")
    clusters = wtforms.StringField("Clusters", description="Empty: those of its own unit.")


class ServiceForm(Form):
    """A service: one namespace of its project."""

    project = SuggestField("Project", render_kw={"required": True})
    name = wtforms.StringField("Name", render_kw={"maxlength": 63, "required": True})
    namespace = wtforms.StringField("Namespace", render_kw={"maxlength": 63, "required": True})


@screen("GET", "/organization/units/new", title="New unit", permission=MAKING_UNITS, entrance=Entrance.SOMEWHERE)
def ask_unit(visit: Visit) -> Response:
    """Show the form of a new unit."""
    above = visit.asked("in")
    return _page(visit, _unit_form(visit, f"{above}/" if above else ""), "Make the unit")


@screen("POST", "/organization/units/new", title="New unit", permission=MAKING_UNITS, entrance=Entrance.SOMEWHERE)
def make_unit(visit: Visit) -> Response:
    """Create the last unit of a path."""
    form = _unit_form(visit)
    kind = form.text("environment_type")
    asked = (*visit.whose, form.text("path") or "", EnvironmentType(kind) if kind in set(EnvironmentType) else None)
    made = submit(form, lambda: tree.create_unit(*asked, visit.request_id), typed=True, names={"name": "path"})
    if made is None:
        return _page(visit, form, "Make the unit", 422)
    return _done(visit, f"The unit {made.path} is there.")


@screen("GET", "/organization/projects/new", title="New project", permission=PROJECTS, entrance=Entrance.SOMEWHERE)
def ask_project(visit: Visit) -> Response:
    """Show the form of a new project."""
    return _page(visit, _project_form(visit), "Make the project")


@screen("POST", "/organization/projects/new", title="New project", permission=PROJECTS, entrance=Entrance.SOMEWHERE)
def make_project(visit: Visit) -> Response:
    """Create a project with its namespaces."""
    form = _project_form(visit)
    owned = [tuple(several(form.text(name))) for name in ("namespaces", "selectors", "clusters")]
    wanted = NewProject(form.text("name") or "", form.text("unit"), *owned)
    made = submit(form, lambda: tree.create_project(*visit.whose, wanted, visit.request_id), typed=True)
    if made is None:
        return _page(visit, form, "Make the project", 422)
    return _done(visit, f"The project {made.name} is there.")


@screen("GET", "/organization/services/new", title="New service", permission=SERVICES, entrance=Entrance.SOMEWHERE)
def ask_service(visit: Visit) -> Response:
    """Show the form of a new service."""
    return _page(visit, _service_form(visit), "Make the service")


@screen("POST", "/organization/services/new", title="New service", permission=SERVICES, entrance=Entrance.SOMEWHERE)
def make_service(visit: Visit) -> Response:
    """Create a service of a project."""
    form = _service_form(visit)
    asked = (*visit.whose, form.text("project") or "", form.text("name") or "", form.text("namespace") or "")
    made = submit(form, lambda: tree.create_service(*asked, visit.request_id), typed=True)
    if made is None:
        return _page(visit, form, "Make the service", 422)
    return _done(visit, f"The service {made.name} is there.")


def unit_paths(visit: Visit) -> tuple[str, ...]:
    """Return the paths of the units that the visitor may see."""
    return tuple(each.path for each in tree.list_units(visit.database, visit.organization, visit.actor))


def project_names(visit: Visit) -> tuple[str, ...]:
    """Return the names of the projects that the visitor may see."""
    return tuple(each.name for each in tree.list_projects(visit.database, visit.organization, visit.actor))


def back_of() -> str:
    """Return where somebody goes who is done with the tree."""
    return to("organization.show") or url("overview.show")


def _done(visit: Visit, text: str) -> Response:
    return done(visit, "organization.show" if to("organization.show") else "overview.show", text)


def _unit_form(visit: Visit, path: str = "") -> UnitForm:
    form = UnitForm.of(visit, path=path)
    form.environment_type.choices = [("", "None"), *words(EnvironmentType)]
    return form


def _project_form(visit: Visit) -> ProjectForm:
    form = ProjectForm.of(visit, unit=visit.asked("in"))
    form.unit.suggestions = unit_paths(visit)
    return form


def _service_form(visit: Visit) -> ServiceForm:
    form = ServiceForm.of(visit, project=visit.asked("in"))
    form.project.suggestions = project_names(visit)
    return form


def _page(visit: Visit, form: Form, words_: str, status: int = 200) -> Response:
    where = places() if to("organization.show") else []
    return page(visit, "form", status, form=form, words=words_, back=back_of(), places=where)
