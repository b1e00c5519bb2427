"""
The protocol under `/scim/v2`: who asks, what the answer looks like, and that every error is a SCIM error.

A request is nobody's until its token has been looked up; nothing else is read or parsed before that.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import BridgeError, NotAuthenticated, NotFound, StoreError, Unavailable
from scim_bridge.identity.callers import Caller, note_use, refused_caller
from scim_bridge.identity.exchanges import Exchange
from scim_bridge.identity.provisioned import Reading, open_reading
from scim_bridge.log import get_logger
from scim_bridge.scim import bodies, dialects
from scim_bridge.scim.errors import Problem, problem_of, problem_of_http
from scim_bridge.scim.translate import Addresses
from scim_bridge.scim.versions import is_known_already
from scim_bridge.settings import Settings
from scim_bridge.web import context
from scim_bridge.web.encoding import dump

PREFIX = "/scim/v2"
CONTENT_TYPE = "application/scim+json"
LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

blueprint = Blueprint("scim", __name__, url_prefix=PREFIX)
log = get_logger(__name__)


def settings() -> Settings:
    """Return the settings of this process."""
    return context.runtime().settings


def addresses() -> Addresses:
    """Return where resources are."""
    return Addresses(settings().scim_base_url)


@contextmanager
def reading() -> Iterator[Reading]:
    """Open a read for whoever asks; raises NotAuthenticated before anything else is looked at."""
    with open_reading(context.runtime().database, _token()) as opened:
        g.scim_caller = opened.caller
        yield opened


def exchange(success: HTTPStatus) -> Exchange:
    """Begin a request that changes something, in the name of whoever asks."""
    with reading() as opened:
        return _exchange(opened.caller, success)


def exchange_with_body(success: HTTPStatus) -> tuple[Exchange, Document]:
    """Begin a request that changes something, and read its body once it is known whose it is."""
    begun = exchange(success)
    body = bodies.read_body()
    g.scim_body = bodies.loggable(body)
    return replace(begun, body=g.scim_body), body


def answer(document: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    """Return a document as a SCIM answer."""
    return Response(dump(document), status, dict(headers or {}), content_type=CONTENT_TYPE)


def answer_nothing() -> Response:
    """Return 204: it is done, and there is nothing to say."""
    return Response(status=HTTPStatus.NO_CONTENT)


def answer_not_implemented(sentence: str) -> Response:
    """Return 501 (RFC 7644 §3.12)."""
    return _answer_problem(Problem(HTTPStatus.NOT_IMPLEMENTED, sentence))


def answer_resource(resource: Document, version: str, location: str, status: int = HTTPStatus.OK) -> Response:
    """Return one resource with its ETag; 304 where the client has this version already."""
    headers = {"ETag": version}
    if request.method == "GET" and is_known_already(version):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    if status == HTTPStatus.CREATED:
        headers["Location"] = location
    return answer(resource, status, headers)


def answer_list(total: int, start: int, resources: list[Any]) -> Response:
    """Return a page of resources; ``Resources`` is there even when it is empty (idp-behaviour 1.2)."""
    document = {
        "schemas": [LIST_URN],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
    return answer(document)


@blueprint.before_request
def _refuse_nul() -> None:
    # No id holds it, and PostgreSQL cannot even be asked.
    if "\x00" in request.path:
        raise NotFound("There is nothing of that name here.")


@blueprint.errorhandler(BridgeError)
def _refuse(error: BridgeError) -> Response:
    problem = problem_of(error)
    # A database that cannot be used, or not now, has no room for a note about it either.
    if not isinstance(error, StoreError) and not (isinstance(error, Unavailable) and _caller()):
        _keep(error, problem)
    return _answer_problem(problem)


@blueprint.app_errorhandler(HTTPException)
def _refuse_http(error: HTTPException) -> Response | HTTPException:
    if not request.path.startswith(PREFIX) or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    problem = problem_of_http(error, context.request_id())
    _keep(error, problem)
    return _answer_problem(problem)


@blueprint.after_app_request
def _finish(response: Response) -> Response:
    if request.path.startswith(PREFIX):
        # People's data has no place in anybody's cache.
        response.headers["Cache-Control"] = "no-store"
        caller = _caller()
        if caller is not None and caller.use_due:
            where, agent, database = context.address(), context.user_agent(), context.runtime().database
            response.call_on_close(lambda: note_use(database, caller, where, agent))
    return response


def _keep(error: Exception, problem: Problem) -> None:
    """Write what was refused into the log of the directory that asked, even with a token that has ended."""
    caller = _caller()
    if caller is None and isinstance(error, NotAuthenticated | Unavailable):
        caller = refused_caller(context.runtime().database, _token())
    log.warning(
        "scim request refused",
        method=request.method,
        route=str(request.url_rule),
        status=problem.status,
        scim_type=problem.scim_type,
        directory=caller.directory_name if caller else None,
        address=context.address(),
    )
    if caller is not None:
        refused = replace(_exchange(caller, HTTPStatus(problem.status)), body=g.get("scim_body"))
        refused.log_failure(context.runtime().database, problem.status, problem.scim_type, problem.detail)


def _answer_problem(problem: Problem) -> Response:
    return answer(problem.document(), problem.status, problem.headers)


def _exchange(caller: Caller, success: HTTPStatus) -> Exchange:
    return Exchange(
        caller=caller,
        request_id=context.request_id(),
        method=request.method[:8],
        target=context.target(),
        success=success,
        started=context.started(),
        user_agent=context.user_agent(),
        address=context.address(),
    )


def _caller() -> Caller | None:
    found: Caller | None = g.get("scim_caller")
    return found


def _token() -> str | None:
    return dialects.bearer_token(request.headers.get("Authorization"))
