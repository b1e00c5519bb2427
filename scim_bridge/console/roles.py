"""Roles: what each allows, who holds a permission, and the organization's own roles."""

from collections.abc import Iterable
from itertools import groupby

import wtforms
from flask import Response

from scim_bridge.console.fields import ChecksField
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.pages import done, page, to, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.permissions import Catalogue
from scim_bridge.errors import NotFound
from scim_bridge.identity import access, access_reports, roles
from scim_bridge.identity.access_reports import Question
from scim_bridge.identity.roles import RoleView

READING = "org:read"
GRANTING = "organization:permissions:write"
MOST_HOLDERS = 200


class RoleForm(Form):
    """What a custom role is called and what it allows."""

    name = wtforms.StringField(
        "Name", description="Lower case letters, digits and dashes.", render_kw={"maxlength": 63, "required": True}
    )
    permissions = ChecksField("Allows", description="You can put into a role only what you hold yourself.")


@screen("GET", "/roles", title="Roles", permission=READING, in_menu=True)
def list_(visit: Visit) -> Response:
    """Show which role holds which permission, as one table."""
    catalogue = roles.catalogue(visit.database, visit.organization)
    wanted = (visit.asked("search") or "").casefold()
    found = [name for name in catalogue.descriptions if wanted in f"{name} {catalogue.descriptions[name]}".casefold()]
    return page(
        visit,
        "roles",
        roles=_by_reach(roles.list_all(visit.database, visit.organization)),
        areas=areas(catalogue, found),
        catalogue=catalogue,
    )


@screen("GET", "/roles/<role>", title="Role", permission=READING)
def show(visit: Visit, role: str) -> Response:
    """Show what one role allows."""
    found = find(visit, role)
    catalogue = roles.catalogue(visit.database, visit.organization)
    return page(
        visit, "role", title=found.name, role=found, areas=areas(catalogue, found.permissions), catalogue=catalogue
    )


@screen("GET", "/roles/holders/<permission>", title="Who holds a permission", permission=access.SEEING)
def holders(visit: Visit, permission: str) -> Response:
    """Show who holds a permission in the whole organization, and through what."""
    catalogue = roles.catalogue(visit.database, visit.organization)
    if permission not in catalogue.descriptions:
        raise NotFound(f"There is no permission {permission!r}.")
    found = access_reports.who(*visit.whose, Question(permission=permission, scope="organization"))
    return page(
        visit,
        "permission",
        title=permission,
        allows=catalogue.descriptions[permission],
        roles=[name for name, held in catalogue.roles.items() if permission in held],
        holders=found[:MOST_HOLDERS],
        count=len(found),
        places=_places(),
    )


@screen("GET", "/roles/custom/new", title="New role", permission=GRANTING)
def ask_create(visit: Visit) -> Response:
    """Show the form of a new role."""
    return _form_page(visit, _form(visit))


@screen("POST", "/roles/custom/new", title="New role", permission=GRANTING)
def create(visit: Visit) -> Response:
    """Make a role of the organization's own."""
    form = _form(visit)
    if any(each.name == form.text("name") for each in roles.list_all(visit.database, visit.organization)):
        form.name.errors = ["There is a role of this name already."]
        return _form_page(visit, form, 422)
    return _put(visit, form, form.text("name") or "", None)


@screen("GET", "/roles/<role>/edit", title="Change a role", permission=GRANTING)
def ask_change(visit: Visit, role: str) -> Response:
    """Show the form of what a role allows."""
    found = _custom(visit, role)
    return _form_page(visit, _form(visit, found), role=found)


@screen("POST", "/roles/<role>/edit", title="Change a role", permission=GRANTING)
def change(visit: Visit, role: str) -> Response:
    """Let a role allow something else from now on, wherever it is granted."""
    found = _custom(visit, role)
    return _put(visit, _form(visit, found), found.name, found)


@screen("GET", "/roles/<role>/delete", title="Delete a role", permission=GRANTING)
def ask_delete(visit: Visit, role: str) -> Response:
    """Show what the end of a role means."""
    found = _custom(visit, role)
    back = url("roles.show", role=found.name)
    return page(
        visit,
        "confirm",
        title=f"Delete the role {found.name}?",
        effects=[f"Nobody can be granted {found.name} any more."],
        stays=["While it is granted to somebody it cannot be deleted: take those grants away first."],
        words="Delete the role",
        back=back,
        places=[*_places(), (found.name, back)],
    )


@screen("POST", "/roles/<role>/delete", title="Delete a role", permission=GRANTING)
def delete(visit: Visit, role: str) -> Response:
    """Delete a role that nobody is granted."""
    roles.delete(*visit.whose, role, visit.request_id)
    return done(visit, "roles.list", f"The role {role} is gone.")


def areas(catalogue: Catalogue, names: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Return permissions by the area that the first word of their name says."""
    return [(area, list(found)) for area, found in groupby(sorted(names), key=_area)]


def find(visit: Visit, named: str) -> RoleView:
    """Return a role by its name; raises NotFound."""
    for each in roles.list_all(visit.database, visit.organization):
        if each.name == named:
            return each
    raise NotFound(f"There is no role {named!r} in this organization.")


def _custom(visit: Visit, named: str) -> RoleView:
    found = find(visit, named)
    if found.built_in:
        raise NotFound(f"The role {named} is part of the bridge: it is not changed here.")
    return found


def _put(visit: Visit, form: RoleForm, name: str, role: RoleView | None) -> Response:
    asked = (*visit.whose, name, form.permissions.data or (), visit.request_id)
    made = submit(form, lambda: roles.put(*asked))
    if made is None:
        return _form_page(visit, form, 422, role)
    where = f" It holds at once at {', '.join(made.scopes)}." if made.scopes else ""
    return done(visit, "roles.show", f"The role {made.name} allows {len(made.permissions)} things.{where}", role=name)


def _form(visit: Visit, role: RoleView | None = None) -> RoleForm:
    form = RoleForm.of(visit, permissions=list(role.permissions) if role else None)
    catalogue = roles.catalogue(visit.database, visit.organization)
    form.permissions.choices = [(name, f"{name}: {words}") for name, words in sorted(catalogue.descriptions.items())]
    if role is not None:
        del form.name
    return form


def _form_page(visit: Visit, form: RoleForm, status: int = 200, role: RoleView | None = None) -> Response:
    back = url("roles.list") if role is None else url("roles.show", role=role.name)
    return page(
        visit,
        "form",
        status,
        title=None if role is None else f"What {role.name} allows",
        lead="A role is a set of permissions. Whoever is granted it at a place has them there and below.",
        form=form,
        words="Make the role" if role is None else "Save",
        back=back,
        places=_places() if role is None else [*_places(), (role.name, back)],
    )


def _places() -> list[tuple[str, str]]:
    address = to("roles.list")
    return [("Roles", address)] if address else []


def _area(name: str) -> str:
    return name.partition(":")[0]


def _by_reach(found: list[RoleView]) -> list[RoleView]:
    return sorted(found, key=lambda each: (not each.built_in, -len(each.permissions), each.name))
