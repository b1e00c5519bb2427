"""Projects, and the services in them."""

from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.drafts import Drafted, drafted, only_one
from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.domain.organizations import Service
from scim_bridge.identity import tree
from scim_bridge.identity.project_changes import (
    ChangeProject,
    ChangeService,
    DeleteProject,
    DeleteService,
    MoveProject,
    RenameProject,
    RenameService,
)
from scim_bridge.identity.tree import NewProject, ProjectView
from scim_bridge.identity.tree_drafts import TreeDraft, TreePreview
from scim_bridge.web.paging import Page

TAG = "projects"
SERVICES = "services"
READ = "project:services:read"
WRITE = "organization:projects:write"
WRITE_SERVICES = "project:services:write"
MOST = 500


class ProjectWanted(Fields):
    """A project: what it owns, and where."""

    name: str = Field(max_length=63)
    unit: str | None = Field(default=None, max_length=520, description="A path; the organization itself if left out.")
    namespaces: tuple[str, ...] = Field(default=(), max_length=MOST)
    selectors: tuple[str, ...] = Field(default=(), max_length=MOST, description="Namespaces by label: team=web,stage=x")
    clusters: tuple[str, ...] = Field(default=(), max_length=MOST, description="Those of its own unit if left out.")


class ProjectChange(Fields):
    """One change of a project: another name, another unit ("" is the organization itself), or what it owns."""

    name: str | None = Field(default=None, max_length=63)
    unit: str | None = Field(default=None, max_length=520)
    namespaces: tuple[str, ...] | None = Field(default=None, max_length=MOST)
    selectors: tuple[str, ...] | None = Field(default=None, max_length=MOST)
    clusters: tuple[str, ...] | None = Field(default=None, max_length=MOST)


class ServiceWanted(Fields):
    """A service: exactly one namespace of its project."""

    name: str = Field(max_length=63)
    namespace: str = Field(max_length=63)


class ServiceChange(Fields):
    """One change of a service: another name, or another namespace."""

    name: str | None = Field(default=None, max_length=63)
    namespace: str | None = Field(default=None, max_length=63)


@operation(
    "GET",
    "/projects",
    tag=TAG,
    permission=READ,
    entrance=Entrance.SOMEWHERE,
    query=Paged,
    answers=Page[ProjectView],
)
def list_(call: Call) -> Page[ProjectView]:
    """List the projects that one may see, with what they own."""
    return call.page(tree.list_projects(call.database, call.organization, call.actor), lambda each: (each.name,))


@operation(
    "POST",
    "/projects",
    tag=TAG,
    permission=WRITE,
    entrance=Entrance.SOMEWHERE,
    body=ProjectWanted,
    answers=ProjectView,
    status=HTTPStatus.CREATED,
)
def create(call: Call) -> ProjectView:
    """Create a project with its namespaces; the same again changes nothing."""
    given = call.given(ProjectWanted)
    wanted = NewProject(given.name, given.unit or None, given.namespaces, given.selectors, given.clusters)
    return tree.create_project(call.database, call.actor, call.organization, wanted, call.request_id)


@operation(
    "PATCH",
    "/projects/<project>",
    tag=TAG,
    permission=WRITE,
    entrance=Entrance.SOMEWHERE,
    body=ProjectChange,
    query=Drafted,
    answers=TreePreview,
)
def change(call: Call, project: str) -> TreePreview:
    """Rename a project, move it to another unit, or change its namespaces, selectors and clusters."""
    return drafted(call, _project_draft(project, call.given(ProjectChange)))


@operation(
    "DELETE",
    "/projects/<project>",
    tag=TAG,
    permission=WRITE,
    entrance=Entrance.SOMEWHERE,
    query=Drafted,
    answers=TreePreview,
)
def delete(call: Call, project: str) -> TreePreview:
    """Delete a project with its services; grants at them end."""
    return drafted(call, DeleteProject(project))


@operation(
    "GET",
    "/projects/<project>/services",
    tag=SERVICES,
    permission=READ,
    entrance=Entrance.SOMEWHERE,
    query=Paged,
    answers=Page[Service],
)
def list_services(call: Call, project: str) -> Page[Service]:
    """List the services of a project."""
    found = tree.list_services(call.database, call.organization, project, call.actor)
    return call.page(found, lambda each: (each.name,))


@operation(
    "POST",
    "/projects/<project>/services",
    tag=SERVICES,
    permission=WRITE_SERVICES,
    entrance=Entrance.SOMEWHERE,
    body=ServiceWanted,
    answers=Service,
    status=HTTPStatus.CREATED,
)
def create_service(call: Call, project: str) -> Service:
    """Create a service of a project; a namespace that the project does not claim itself needs more."""
    wanted = call.given(ServiceWanted)
    return tree.create_service(
        call.database, call.actor, call.organization, project, wanted.name, wanted.namespace, call.request_id
    )


@operation(
    "PATCH",
    "/projects/<project>/services/<service>",
    tag=SERVICES,
    permission=WRITE_SERVICES,
    entrance=Entrance.SOMEWHERE,
    body=ServiceChange,
    query=Drafted,
    answers=TreePreview,
)
def change_service(call: Call, project: str, service: str) -> TreePreview:
    """Rename a service, or give it another namespace."""
    given = call.given(ServiceChange)
    if only_one(given, ("name",), ("namespace",)) == ("name",):
        return drafted(call, RenameService(project, service, given.name or ""))
    return drafted(call, ChangeService(project, service, given.namespace or ""))


@operation(
    "DELETE",
    "/projects/<project>/services/<service>",
    tag=SERVICES,
    permission=WRITE_SERVICES,
    entrance=Entrance.SOMEWHERE,
    query=Drafted,
    answers=TreePreview,
)
def delete_service(call: Call, project: str, service: str) -> TreePreview:
    """Delete a service; grants at it end."""
    return drafted(call, DeleteService(project, service))


def _project_draft(project: str, given: ProjectChange) -> TreeDraft:
    match only_one(given, ("name",), ("unit",), ("namespaces", "selectors", "clusters")):
        case ("name",):
            return RenameProject(project, given.name or "")
        case ("unit",):
            return MoveProject(project, given.unit or None)
    return ChangeProject(project, given.namespaces, given.selectors, given.clusters)
