"""
The protocol under `/scim/v2`: who asks, what the answer looks like, and that every error is a SCIM error.

A request is nobody's until its token has been looked up; nothing else is read or parsed before that.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from http import HTTPStatus
from time import perf_counter
from typing import Any

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import BridgeError, NotAuthenticated, NotFound, StoreError, Unavailable
from scim_bridge.identity.callers import Caller, note_use, refused_caller
from scim_bridge.identity.exchanges import Exchange, LogEntry
from scim_bridge.identity.journal import Journal
from scim_bridge.identity.provisioned import Reading, find_caller, open_reading, open_reading_of
from scim_bridge.identity.runtime import Database
from scim_bridge.log import get_logger
from scim_bridge.scim import bodies, dialects, masking
from scim_bridge.scim.errors import Problem, problem_of, problem_of_http
from scim_bridge.scim.translate import Addresses
from scim_bridge.scim.versions import is_known_already
from scim_bridge.settings import Settings
from scim_bridge.web import context
from scim_bridge.web.encoding import dump

PREFIX = "/scim/v2"
CONTENT_TYPE = "application/scim+json"
# Set by `scim.replay` and `scim.bulk` alone: what comes over HTTP has other names in there.
KNOWN_CALLER = "scim_bridge.known_caller"
NOUNS = ("user", "group")
TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
LONGEST_ID = 36
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
    database = context.runtime().database
    known = _known_caller()
    with open_reading_of(database, known) if known else _open(database) as opened:
        is_first = "scim_caller" not in g
        g.scim_caller = opened.caller
        if is_first and not known:
            context.limits().charge(opened.caller.directory_id, _token())
        yield opened


@contextmanager
def reading_for(caller: Caller) -> Iterator[Reading]:
    """Open a read for whoever has been asked already."""
    with open_reading_of(context.runtime().database, caller) as opened:
        yield opened


def _open(database: Database) -> AbstractContextManager[Reading]:
    context.limits().admit(context.address(), _token())
    return open_reading(database, _token(), context.address())


def exchange(success: HTTPStatus) -> Exchange:
    """Begin a request that changes something, in the name of whoever asks."""
    g.scim_caller = caller = _known_caller() or _found_caller()
    g.scim_exchange = begun = _exchange(caller, success)
    if _known_caller() is None:
        context.limits().charge(caller.directory_id, _token())
    return begun


def _found_caller() -> Caller:
    context.limits().admit(context.address(), _token())
    return find_caller(context.runtime().database, _token(), context.address())


def exchange_with_body(success: HTTPStatus) -> tuple[Exchange, Document]:
    """Begin a request that changes something, and read its body once it is known whose it is."""
    begun = exchange(success)
    body = bodies.read_body()
    kept = masking.mask_body(body, _credentials())
    g.scim_secrets = kept.secrets
    if len(kept.text) <= settings().log_body_bytes:
        g.scim_exchange = replace(begun, body=kept.text)
    return g.scim_exchange, body


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
    if request.method in ("GET", "HEAD") and is_known_already(version):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    if status == HTTPStatus.CREATED:
        headers["Location"] = location
    return answer(resource, status, headers)


def answer_list(total: int, start: int | None, resources: Sequence[Any], next_cursor: str | None = None) -> Response:
    """
    Return a page of resources; ``Resources`` is there even when it is empty (idp-behaviour 1.2).

    A page that was asked for by a cursor has no ``start``.
    """
    document = {
        "schemas": [LIST_URN],
        "totalResults": total,
        "itemsPerPage": len(resources),
        **({} if start is None else {"startIndex": start}),
        **({} if next_cursor is None else {"nextCursor": next_cursor}),
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
    # A database that cannot be used, or not now, is not asked once more: it is told later.
    busy = isinstance(error, Unavailable) and _caller() is not None
    reason = None
    if isinstance(error, NotAuthenticated):
        reason = error.reason
        context.limits().note_refused(context.address(), _token())
    _keep_refused(problem, reason, at_once=not (busy or isinstance(error, StoreError)))
    return _answer_problem(problem)


def refuse_http(error: HTTPException) -> Response:
    """Answer an error of HTTP itself, an unknown path say, as the SCIM door does."""
    problem = problem_of_http(error, context.request_id())
    _keep_refused(problem, at_once=True)
    return _answer_problem(problem)


@blueprint.after_app_request
def _finish(response: Response) -> Response:
    if request.path.startswith(PREFIX):
        # People's data has no place in anybody's cache.
        response.headers["Cache-Control"] = "no-store"
        caller = _caller()
        if caller is not None and response.status_code < HTTPStatus.BAD_REQUEST:
            _keep_unchanged(caller, response.status_code)
        if caller is not None and caller.use_due:
            where, agent, database = context.address(), context.user_agent(), context.runtime().database
            response.call_on_close(lambda: note_use(database, caller, where, agent))
    return response


def _keep_unchanged(caller: Caller, status: int) -> None:
    """Let the log tell of a request that was answered well and changed nothing: a read, or what is so already."""
    exchange = _begun(caller, status)
    if exchange.changes:
        # It stands in the transaction of what it changed.
        return
    if caller.replayed_by is not None:
        exchange.log_alone(context.runtime().database, exchange.entry(status))
    else:
        _journal().add(exchange.entry(status))


def _keep_refused(problem: Problem, reason: str | None = None, *, at_once: bool) -> None:
    """
    Let the log tell what was refused to the directory that asked, even with a token that has ended, or to nobody.

    ``reason`` is what the log says instead of what was answered.
    """
    database = context.runtime().database
    # Who guesses too much costs no look-up either.
    caller = _caller() or (None if problem.status == TOO_MANY else refused_caller(database, _token()))
    log.warning(
        "scim request refused",
        method=request.method,
        route=str(request.url_rule),
        status=problem.status,
        scim_type=problem.scim_type,
        reason=reason,
        directory=caller.directory_name if caller else None,
        address=context.address(),
    )
    if caller is None:
        _journal().add_unknown(_strangers_entry(problem))
        return
    exchange = _begun(caller, problem.status)
    detail = masking.mask_message(reason or problem.detail, {*_credentials(), *g.get("scim_secrets", ())})
    entry = exchange.entry(problem.status, problem.scim_type, detail)
    written = (at_once or caller.replayed_by is not None) and exchange.log_alone(database, entry)
    if not written and caller.replayed_by is None:
        _journal().add(entry)


def _strangers_entry(problem: Problem) -> LogEntry:
    credentials = _credentials()
    return LogEntry(
        organization_id=None,
        directory_id=None,
        token_id=None,
        request_id=context.request_id(),
        method=request.method[:8],
        target=masking.mask_strangers_target(context.target(), credentials),
        status=problem.status,
        milliseconds=round((perf_counter() - context.started()) * 1000),
        user_agent=masking.mask_text(context.user_agent(), credentials)[: masking.LONGEST_OF_A_STRANGER],
        address=context.address(),
        scim_type=problem.scim_type,
        message=problem.detail if problem.status == HTTPStatus.UNAUTHORIZED else None,
    )


def _answer_problem(problem: Problem) -> Response:
    return answer(problem.document(), problem.status, problem.headers)


def _begun(caller: Caller, status: int) -> Exchange:
    found: Exchange | None = g.get("scim_exchange")
    return found or _exchange(caller, HTTPStatus(status))


def _exchange(caller: Caller, success: HTTPStatus) -> Exchange:
    credentials = _credentials()
    noun, object_id = _named_object()
    return Exchange(
        caller=caller,
        request_id=context.request_id(),
        method=request.method[:8],
        target=masking.mask_target(context.target(), credentials),
        success=success,
        started=context.started(),
        user_agent=masking.mask_text(context.user_agent(), credentials),
        address=context.address(),
        noun=noun,
        object_id=object_id,
    )


def _named_object() -> tuple[str | None, str | None]:
    for noun in NOUNS:
        named = (request.view_args or {}).get(f"{noun}_id")
        if named is not None:
            # Whatever is longer than our ids is none of them, nor what PostgreSQL cannot store.
            return noun, named if len(named) <= LONGEST_ID and "\x00" not in named else None
    return None, None


def _journal() -> Journal:
    return context.journal_of(current_app)


def _known_caller() -> Caller | None:
    found: Caller | None = request.environ.get(KNOWN_CALLER)
    return found


def _credentials() -> tuple[str, ...]:
    # What stands in the header is masked wherever else it stands, be it a token of ours or not.
    return tuple((request.headers.get("Authorization") or "").split())


def _caller() -> Caller | None:
    found: Caller | None = g.get("scim_caller")
    return found or _known_caller()


def _token() -> str | None:
    return dialects.bearer_token(request.headers.get("Authorization"))
