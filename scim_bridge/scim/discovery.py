"""
What this server can do (RFC 7644 §4), and nothing that it cannot.

The documents are the same for every installation and say nothing about a tenant, so they are readable without a token
(RFC 7643 §5 wishes it); a token that is sent must be good, since some clients test their connection here.
"""

from functools import cache
from typing import Any

from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import NotFound, Refused
from scim_bridge.scim import protocol
from scim_bridge.scim.attributes import ENTERPRISE_URN
from scim_bridge.scim.bulk import largest_body
from scim_bridge.scim.calls import Answer, Call
from scim_bridge.scim.models import EnterpriseUser, Group, User
from scim_bridge.scim.protocol import route
from scim_bridge.settings import Settings

CORE = "urn:ietf:params:scim:schemas:core:2.0"
# Neither is kept. Yet clients that build their requests from these schemas, as Canaille, send both and cannot begin to
# write where one is missing: they are described as what they are.
NOT_KEPT: dict[str, Document] = {
    "password": {"description": "Dropped unread: nobody signs in here by a password."},
    "members.display": {
        "description": "Not kept: who a member is says their own resource.",
        "mutability": "readOnly",
        "returned": "request",
    },
}


@route("GET", "/ServiceProviderConfig")
def service_provider_config(call: Call) -> Answer:
    """Answer what the protocol can do here."""
    return _answer(call, _configuration(call.settings))


@route("GET", "/ResourceTypes")
def list_resource_types(call: Call) -> Answer:
    """Answer which resources there are."""
    return _answer_all(call, _resource_types(call.settings))


@route("GET", "/ResourceTypes/<name>")
def get_resource_type(call: Call, name: str) -> Answer:
    """Answer one resource type."""
    return _answer_one(call, _resource_types(call.settings), name)


@route("GET", "/Schemas")
def list_schemas(call: Call) -> Answer:
    """Answer which attributes there are."""
    return _answer_all(call, _schemas(call.settings))


@route("GET", "/Schemas/<urn>")
def get_schema(call: Call, urn: str) -> Answer:
    """Answer one schema."""
    return _answer_one(call, _schemas(call.settings), urn)


@route("GET", "/Me")
@route("POST", "/Me")
@route("PUT", "/Me")
@route("PATCH", "/Me")
@route("DELETE", "/Me")
def me(call: Call) -> Answer:
    """Answer 501 (RFC 7644 §3.11): there is no person behind a directory's token."""
    with protocol.reading(call):
        return protocol.answer_not_implemented("The token speaks for a directory: it is nobody, so /Me is no person.")


def _answer(call: Call, document: Document) -> Answer:
    _admit(call)
    return protocol.answer(document)


def _answer_all(call: Call, documents: list[Document]) -> Answer:
    _admit(call)
    if "filter" in call.asked:
        # RFC 7644 §4: "if a filter is provided, the service provider SHOULD respond with 403".
        raise Refused("Discovery documents cannot be filtered.")
    return protocol.answer_list(len(documents), 1, documents)


def _answer_one(call: Call, documents: list[Document], name: str) -> Answer:
    _admit(call)
    for document in documents:
        if document["id"].lower() == name.lower():
            return protocol.answer(document)
    raise NotFound(f"There is no {name!r} here.")


def _admit(call: Call) -> None:
    if call.header("HTTP_AUTHORIZATION") is not None:
        with protocol.reading(call):
            pass


def _configuration(settings: Settings) -> Document:
    return {
        "schemas": [f"{CORE}:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": settings.max_bulk_operations,
            "maxPayloadSize": largest_body(settings),
        },
        "filter": {"supported": True, "maxResults": settings.max_page_size},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        **_pagination(settings),
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "The token of a directory, in the Authorization header.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": _location(settings, "ServiceProviderConfig")},
    }


def _pagination(settings: Settings) -> Document:
    """
    Return what RFC 9865 §4 adds, if the installation wants it told.

    Clients that forbid what was named after they were written, as Canaille, would take the whole server for none.
    """
    if not settings.advertise_cursors:
        return {}
    return {
        "pagination": {
            "cursor": True,
            "index": True,
            "defaultPaginationMethod": "index",
            "defaultPageSize": min(settings.default_page_size, settings.max_page_size),
            "maxPageSize": settings.max_page_size,
            "cursorTimeout": settings.cursor_seconds,
        }
    }


def _resource_types(settings: Settings) -> list[Document]:
    extension = {"schema": ENTERPRISE_URN, "required": False}
    return [
        _resource_type(settings, "User", "A person that a directory provisions.", schemaExtensions=[extension]),
        _resource_type(settings, "Group", "A group that a directory provisions, and who is in it."),
    ]


def _resource_type(settings: Settings, name: str, description: str, **more: Any) -> Document:
    return {
        "schemas": [f"{CORE}:ResourceType"],
        "id": name,
        "name": name,
        "description": description,
        "endpoint": f"/{name}s",
        "schema": f"{CORE}:{name}",
        **more,
        "meta": {"resourceType": "ResourceType", "location": _location(settings, f"ResourceTypes/{name}")},
    }


def _schemas(settings: Settings) -> list[Document]:
    return [
        schema | {"meta": {"resourceType": "Schema", "location": _location(settings, f"Schemas/{schema['id']}")}}
        for schema in _published()
    ]


@cache
def _published() -> tuple[Document, ...]:
    return tuple(_honest(model.to_schema().model_dump()) for model in (User, EnterpriseUser, Group))


def _honest(holder: Document, above: str = "") -> Document:
    """Say of each attribute that is not kept that it is not."""
    said = dict(holder)
    for key in ("attributes", "subAttributes"):
        if key in said:
            said[key] = [
                _honest(each, f"{above}{each['name']}.") | NOT_KEPT.get(above + each["name"], {}) for each in said[key]
            ]
    return said


def _location(settings: Settings, name: str) -> str:
    return f"{settings.scim_base_url}/{name}"
