"""
The protocol under `/scim/v2`: who asks, what the answer looks like, and that every error is a SCIM error.

A request is nobody's until its token has been looked up; nothing else is read or parsed before that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from http import HTTPStatus
from time import perf_counter
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import BridgeError, NotAuthenticated, NotFound, StoreError, Unavailable
from scim_bridge.identity.callers import Caller, note_use, refused_caller
from scim_bridge.identity.exchanges import Exchange, LogEntry
from scim_bridge.identity.provisioned import Reading, StoredUser, find_caller, open_reading, open_reading_of
from scim_bridge.identity.runtime import Database
from scim_bridge.log import get_logger
from scim_bridge.scim import bodies, masking
from scim_bridge.scim.calls import KNOWN_CALLER as KNOWN_CALLER
from scim_bridge.scim.calls import PREFIX as PREFIX
from scim_bridge.scim.calls import Answer, Call, at_hand
from scim_bridge.scim.errors import Problem, problem_of, problem_of_http
from scim_bridge.scim.translate import Resource
from scim_bridge.scim.versions import is_known_already
from scim_bridge.web.encoding import dump

CONTENT_TYPE = "application/scim+json"
TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
LIST_URN = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
# People's data has no place in anybody's cache.
NOT_KEPT = {"Cache-Control": "no-store"}

View = Callable[..., Answer]
Finding = Callable[[Database, str | None, str | None, str], tuple[Caller, StoredUser | None]]

blueprint = Blueprint("scim", __name__, url_prefix=PREFIX)
log = get_logger(__name__)


def route(method: str, rule: str) -> Callable[[View], View]:
    """Let a view, which takes the call and what the rule names, answer to a method and an address of the door."""

    def register(view: View) -> View:
        @wraps(view)
        def answer_for_flask(**named: str) -> Answer:
            call = at_hand()
            if call.failure is not None:
                raise call.failure
            return view(call, **named)

        endpoint = f"{method.lower()}_{view.__name__}"
        blueprint.add_url_rule(rule, endpoint, answer_for_flask, methods=[method])
        views[method, rule] = view
        return view

    return register


# Every view by its method and rule, for `scim.lane`.
views: dict[tuple[str, str], View] = {}


@contextmanager
def reading(call: Call) -> Iterator[Reading]:
    """Open a read for whoever asks; raises NotAuthenticated before anything else is looked at."""
    door = call.door
    if call.known_caller is not None:
        call.caller = call.known_caller
        with open_reading_of(door.database, call.known_caller) as opened:
            yield opened
        return
    door.limits.admit(call.address, call.token)
    with open_reading(door.database, call.token, call.address) as opened:
        charge(call, opened.caller)
        yield opened


def find_user(call: Call, find: Finding, sought: str) -> StoredUser | None:
    """Return whom a request asks for, read together with the token that it is judged by first."""
    door = call.door
    door.limits.admit(call.address, call.token)
    caller, user = find(door.database, call.token, call.address, sought)
    charge(call, caller)
    return user


def charge(call: Call, caller: Caller) -> None:
    """Note who asks, and count the request, once; raises TooManyRequests."""
    is_first = call.caller is None
    call.caller = caller
    if is_first and call.known_caller is None:
        call.door.limits.charge(caller.directory_id, call.token)


@contextmanager
def reading_for(call: Call, caller: Caller) -> Iterator[Reading]:
    """Open a read for whoever has been asked already."""
    with open_reading_of(call.door.database, caller) as opened:
        yield opened


def exchange(call: Call, success: HTTPStatus) -> Exchange:
    """Begin a request that changes something, in the name of whoever asks."""
    call.caller = caller = call.known_caller or _found_caller(call)
    call.exchange = begun = call.begin(caller, success)
    if call.known_caller is None:
        call.door.limits.charge(caller.directory_id, call.token)
    return begun


def _found_caller(call: Call) -> Caller:
    call.door.limits.admit(call.address, call.token)
    return find_caller(call.door.database, call.token, call.address)


def exchange_with_body(call: Call, success: HTTPStatus) -> tuple[Exchange, Document]:
    """Begin a request that changes something, and read its body once it is known whose it is."""
    begun = exchange(call, success)
    body = bodies.read_body(call.environ, call.settings.max_body_bytes)
    kept = masking.mask_body(body, call.credentials)
    call.secrets = kept.secrets
    if len(kept.text) <= call.settings.log_body_bytes:
        call.exchange = begun = replace(begun, body=kept.text)
    return begun, body


def answer(document: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a document as a SCIM answer."""
    return Answer(dump(document), status, {**(headers or {}), "Content-Type": CONTENT_TYPE})


def answer_nothing() -> Answer:
    """Return 204: it is done, and there is nothing to say."""
    return Answer(b"", HTTPStatus.NO_CONTENT, {})


def answer_not_implemented(sentence: str) -> Answer:
    """Return 501 (RFC 7644 §3.12)."""
    return _answer_problem(Problem(HTTPStatus.NOT_IMPLEMENTED, sentence))


def answer_resource(call: Call, resource: Resource, version: str, location: str, status: int = HTTPStatus.OK) -> Answer:
    """Return one resource with its ETag; 304 where the client has this version already."""
    headers = {"ETag": version}
    if call.method in ("GET", "HEAD") and is_known_already(call.header("HTTP_IF_NONE_MATCH"), version):
        return Answer(b"", HTTPStatus.NOT_MODIFIED, headers)
    if status == HTTPStatus.CREATED:
        headers["Location"] = location
    return answer(resource, status, headers)


def answer_list(total: int, start: int | None, resources: Sequence[Any], next_cursor: str | None = None) -> Answer:
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


def finish(call: Call, status: int) -> Callable[[], None] | None:
    """Let the log tell of a request that is answered well, and return what is to be done once the client has it."""
    caller = call.caller or call.known_caller
    if caller is None:
        return None
    if status < HTTPStatus.BAD_REQUEST:
        _keep_unchanged(call, caller, status)
    return (lambda: note_use(call.door.database, caller, call.address, call.user_agent)) if caller.use_due else None


@blueprint.before_request
def _refuse_nul() -> None:
    # No id holds it, and PostgreSQL cannot even be asked.
    if "\x00" in request.path:
        raise NotFound("There is nothing of that name here.")


@blueprint.errorhandler(BridgeError)
def _refuse(error: BridgeError) -> Answer:
    call, problem = at_hand(), problem_of(error)
    # A database that cannot be used, or not now, is not asked once more: it is told later.
    busy = isinstance(error, Unavailable) and (call.caller or call.known_caller) is not None
    reason = None
    if isinstance(error, NotAuthenticated):
        reason = error.reason
        call.door.limits.note_refused(call.address, call.token)
    _keep_refused(call, problem, reason, at_once=not (busy or isinstance(error, StoreError)))
    return _answer_problem(problem)


def refuse_http(error: HTTPException) -> Answer:
    """Answer an error of HTTP itself, an unknown path say, as the SCIM door does."""
    call = at_hand()
    problem = problem_of_http(error, call.request_id)
    _keep_refused(call, problem, at_once=True)
    return _answer_problem(problem)


@blueprint.after_app_request
def _finish(response: Response) -> Response:
    if request.path.startswith(PREFIX):
        response.headers.update(NOT_KEPT)
        afterwards = finish(at_hand(), response.status_code)
        if afterwards is not None:
            response.call_on_close(afterwards)
    return response


def _keep_unchanged(call: Call, caller: Caller, status: int) -> None:
    """Let the log tell of a request that was answered well and changed nothing: a read, or what is so already."""
    exchange = call.exchange or call.begin(caller, status)
    if exchange.changes:
        # It stands in the transaction of what it changed.
        return
    if caller.replayed_by is not None:
        exchange.log_alone(call.door.database, exchange.entry(status))
    else:
        call.door.journal.add(exchange.entry(status))


def _keep_refused(call: Call, problem: Problem, reason: str | None = None, *, at_once: bool) -> None:
    """
    Let the log tell what was refused to the directory that asked, even with a token that has ended, or to nobody.

    ``reason`` is what the log says instead of what was answered.
    """
    database = call.door.database
    # Who guesses too much costs no look-up either.
    known = call.caller or call.known_caller
    caller = known or (None if problem.status == TOO_MANY else refused_caller(database, call.token))
    log.warning(
        "scim request refused",
        method=request.method,
        route=str(request.url_rule),
        status=problem.status,
        scim_type=problem.scim_type,
        reason=reason,
        directory=caller.directory_name if caller else None,
        address=call.address,
    )
    if caller is None:
        call.door.journal.add_unknown(_strangers_entry(call, problem))
        return
    exchange = call.exchange or call.begin(caller, problem.status)
    detail = masking.mask_message(reason or problem.detail, {*call.credentials, *call.secrets})
    entry = exchange.entry(problem.status, problem.scim_type, detail)
    written = (at_once or caller.replayed_by is not None) and exchange.log_alone(database, entry)
    if not written and caller.replayed_by is None:
        call.door.journal.add(entry)


def _strangers_entry(call: Call, problem: Problem) -> LogEntry:
    credentials = call.credentials
    return LogEntry(
        organization_id=None,
        directory_id=None,
        token_id=None,
        request_id=call.request_id,
        method=call.method,
        target=masking.mask_strangers_target(call.target, credentials),
        status=problem.status,
        milliseconds=round((perf_counter() - call.started) * 1000),
        user_agent=masking.mask_text(call.user_agent, credentials)[: masking.LONGEST_OF_A_STRANGER],
        address=call.address,
        scim_type=problem.scim_type,
        message=problem.detail if problem.status == HTTPStatus.UNAUTHORIZED else None,
    )


def _answer_problem(problem: Problem) -> Answer:
    return answer(problem.document(), problem.status, problem.headers)
