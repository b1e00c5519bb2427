"""The REST door, whole: importing the rooms declares their operations, and this gives the application their routes."""

from functools import cache

from flask import Blueprint, Flask, Response

# Importing a room declares its operations.
from scim_bridge.api import (  # noqa: F401
    access,
    adoption,
    alerts,
    application_users,
    audit,
    authorize,
    calls,
    clusters,
    deprovisioning,
    directories,
    directory_log,
    directory_maps,
    directory_states,
    directory_tokens,
    documents,
    findings,
    freezes,
    grants,
    groups,
    holds,
    identity_providers,
    invitations,
    jobs,
    joiners,
    kubeconfigs,
    members,
    organizations,
    pass_history,
    passes,
    policies,
    projects,
    reviews,
    revocations,
    roles,
    rule_drafts,
    rules,
    sessions,
    tokens,
    units,
    webhooks,
)
from scim_bridge.api.operations import OPERATIONS, Operation
from scim_bridge.errors import BridgeError
from scim_bridge.identity.api_tokens import note_use
from scim_bridge.settings import Settings
from scim_bridge.web import context
from scim_bridge.web.encoding import dump
from scim_bridge.web.limits import Limits
from scim_bridge.web.problems import answer_error, answer_http

PREFIX = "/api/v1"
refuse_http = answer_http


def register(app: Flask, settings: Settings) -> None:
    """Put the door into an application."""
    blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
    for operation in OPERATIONS:
        blueprint.add_url_rule(
            operation.path, _endpoint(operation), calls.handler(operation), methods=[operation.method]
        )
    blueprint.add_url_rule("/openapi.json", "openapi", _document)
    blueprint.register_error_handler(BridgeError, _refuse)
    blueprint.after_request(_finish)
    app.register_blueprint(blueprint)
    app.extensions[calls.LIMITS] = Limits(
        settings.requests_per_second, settings.requests_burst, settings.refused_per_minute
    )


def _endpoint(operation: Operation) -> str:
    return operation.name.replace(".", "_")


def _document() -> Response:
    """Return the OpenAPI document."""
    return Response(_described(), content_type="application/json")


@cache
def _described() -> bytes:
    # Describing the routes takes far longer than serving one: only who reads the document waits for it, and once.
    from scim_bridge.api import openapi

    described = Flask("scim_bridge", static_folder=None)
    for operation in OPERATIONS:
        view = openapi.described(operation, calls.handler(operation))
        described.add_url_rule(PREFIX + operation.path, _endpoint(operation), view, methods=[operation.method])
    return dump(openapi.document(described))


def _refuse(error: BridgeError) -> Response:
    return answer_error(error, at_home=calls.is_local())


def _finish(response: Response) -> Response:
    # People's data, and secrets shown once, have no place in anybody's cache.
    response.headers["Cache-Control"] = "no-store"
    found = calls.bearer()
    if found is not None and found.use_due:
        where, agent, database = context.address(), context.user_agent(), context.runtime().database
        response.call_on_close(lambda: note_use(database, found, where, agent))
    return response
