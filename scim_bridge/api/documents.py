"""An organization as one document: export it, plan and apply one, and see what drifted since."""

from typing import Any

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, operation
from scim_bridge.domain.document_files import OrganizationFile, parse_organization
from scim_bridge.identity import organization_documents
from scim_bridge.identity.document_steps import Credentials
from scim_bridge.identity.organization_documents import DocumentPlan, Drift
from scim_bridge.identity.organization_export import export as export_organization

TAG = "documents"
WRITE = "org:update"


class Documented(Fields):
    """A document, and the kubeconfigs of the clusters that it registers, by their names."""

    document: dict[str, Any]
    kubeconfigs: dict[str, str] = Field(default_factory=dict, repr=False)


class Drifted(Fields):
    """The document to ask about, if any."""

    document: dict[str, Any] | None = None


class Applied(Documented):
    """A document, and the plan of it that was read."""

    plan: str = Field(min_length=8, max_length=64, description="The hash of the plan that was read.")


@operation("GET", "/document", tag=TAG, permission=WRITE, answers=dict[str, Any])
def export(call: Call) -> dict[str, Any]:
    """Return the organization as a document; credentials are left out."""
    return export_organization(call.database, call.organization)


@operation("POST", "/document/plan", tag=TAG, permission=WRITE, body=Documented, answers=DocumentPlan)
def plan(call: Call) -> DocumentPlan:
    """Say exactly what a document would change, and what that would do to people's access; nothing is written."""
    file, credentials = _read(call.given(Documented))
    return organization_documents.plan(call.runtime, call.actor, call.organization, file, credentials)


@operation("POST", "/document/apply", tag=TAG, permission=WRITE, body=Applied, answers=DocumentPlan)
def apply(call: Call) -> DocumentPlan:
    """Make the organization what a document says, as it was planned; 409 with the new plan when that has changed."""
    given = call.given(Applied)
    file, credentials = _read(given)
    return organization_documents.apply(
        call.runtime, call.actor, call.organization, file, credentials, given.plan, call.request_id
    )


@operation("POST", "/document/drift", tag=TAG, permission=WRITE, body=Drifted, answers=Drift)
def drift(call: Call) -> Drift:
    """Say what is otherwise than the document says that was applied last, and whether one is that document."""
    given = call.given(Drifted).document
    file = None if given is None else parse_organization(given)
    return organization_documents.drift(call.database, call.organization, file)


def _read(given: Documented) -> tuple[OrganizationFile, Credentials]:
    file = parse_organization(given.document)
    here = frozenset(name for name, each in file.credentials.items() if each.kind == "in_cluster")
    return file, Credentials(given.kubeconfigs, here)
