"""The organization: its tree with who has access where, what it says of itself, and its end."""

import wtforms
from flask import Response

from scim_bridge.console.forms import Form, submit
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.identity import organization_changes, organizations, tree_view
from scim_bridge.web.pages import away

READING = "org:read"


class SettingsForm(Form):
    """What the organization is called, and what it says of itself."""

    name = wtforms.StringField("Name", render_kw={"maxlength": 255, "required": True})
    slug = wtforms.StringField(
        "Short name", description="In addresses and commands. With another one, links of before lead nowhere."
    )
    contact = wtforms.StringField("Contact", description="Whom members ask: an address, or a few words.")
    description = wtforms.StringField("Description", description="What the organization is for.")


class DeleteForm(Form):
    """The organization's short name, once more."""

    repeated = wtforms.StringField("Repeat the short name of the organization", render_kw={"autocomplete": "off"})


@screen("GET", "/organization", title="Organization", permission=READING, in_menu=True)
def show(visit: Visit) -> Response:
    """Show the tree: each place before what lies in it, with counts and who has access there."""
    summary = organizations.show(visit.database, visit.organization)
    nodes = tree_view.show(visit.database, visit.organization) if visit.may("members:read") else None
    return page(visit, "organization", title=summary.name, summary=summary, nodes=nodes)


@screen("GET", "/organization/settings", title="Settings", permission="org:update")
def ask_set_up(visit: Visit) -> Response:
    """Show the form of the organization's names and settings."""
    found = organizations.show(visit.database, visit.organization)
    told = {"contact": found.settings.contact, "description": found.settings.description}
    return _settings_page(visit, SettingsForm.of(visit, name=found.name, slug=found.slug, **told))


@screen("POST", "/organization/settings", title="Settings", permission="org:update")
def set_up(visit: Visit) -> Response:
    """Give the organization another name, short name or settings."""
    form = SettingsForm.of(visit)
    settings = {"contact": form.text("contact"), "description": form.text("description")}
    named = {"name": form.text("name") or "", "slug": form.text("slug") or ""}
    made = submit(
        form,
        lambda: organization_changes.set_up(*visit.whose, **named, settings=settings, request_id=visit.request_id),
        names={"display_name": "name"},
    )
    if made is None:
        return _settings_page(visit, form, 422)
    return done(visit, "organization.show", "The settings are saved.", organization=made.slug)


@screen("GET", "/organization/delete", title="Delete the organization", permission="org:delete")
def ask_delete(visit: Visit) -> Response:
    """Show what ends with the organization."""
    return _delete_page(visit, DeleteForm.of(visit))


@screen("POST", "/organization/delete", title="Delete the organization", permission="org:delete")
def delete(visit: Visit) -> Response:
    """Delete an organization of which no project, unit, cluster or connected directory is left."""
    form = DeleteForm.of(visit)
    asked = (*visit.whose, form.text("repeated") or "", visit.request_id)
    if submit(form, lambda: organization_changes.delete(*asked)) is None:
        return _delete_page(visit, form, 422)
    return away(url("chooser.show", choose=1))


def places() -> list[tuple[str, str]]:
    """Return the way to what lies in this room."""
    return [("Organization", url("organization.show"))]


def _settings_page(visit: Visit, form: SettingsForm, status: int = 200) -> Response:
    back = url("organization.show")
    return page(visit, "form", status, form=form, words="Save", back=back, places=places())


def _delete_page(visit: Visit, form: DeleteForm, status: int = 200) -> Response:
    counts = organizations.show(visit.database, visit.organization).counts
    people, groups = counts.get("members", 0), counts.get("groups", 0)
    return page(
        visit,
        "confirm",
        status,
        title="Delete the organization?",
        effects=[
            f"{people} members, {groups} groups, and all grants and tokens end with it.",
            "Projects, units, clusters and directories must be gone before: nothing on a cluster is left behind.",
        ],
        stays=["What happened in it stays in the audit."],
        form=form,
        words="Delete the organization",
        back=url("organization.show"),
        places=places(),
    )
