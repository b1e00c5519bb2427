"""One request from beginning to end: who asks, may they, is it well-formed, and the answer in its form."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response, current_app, g, request
from pydantic import BaseModel, ValidationError

from scim_bridge.api.operations import Call, Entrance, Operation
from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.errors import BridgeError, Invalid, NotAuthenticated, NotFound
from scim_bridge.identity import api_tokens, repeats
from scim_bridge.identity.admission import admit
from scim_bridge.identity.api_tokens import Bearer
from scim_bridge.web import context
from scim_bridge.web.bodies import read_json
from scim_bridge.web.encoding import dump
from scim_bridge.web.limits import Limits
from scim_bridge.web.problems import FieldError, InvalidFields

# Set by the command line alone, for a request that never went over a wire: who typed it.
LOCAL_ACTOR = "scim_bridge.local_actor"
LIMITS = "scim_bridge.api_limits"
KEY_HEADER = "Idempotency-Key"
JSON = ("application/json",)
NUL = "\x00"
Model = TypeVar("Model", bound=BaseModel)
NOBODY = Actor(ActorKind.PERSON, "nobody")


def handler(operation: Operation) -> Callable[..., Response]:
    """Return what Flask calls for an operation."""

    def handle(**path: str) -> Response:
        actor = _actor(operation)
        call = _call(operation, actor, path)
        key = request.headers.get(KEY_HEADER)
        if key is None or operation.method != "POST":
            return _carry_out(operation, call)
        return _carry_out_once(operation, call, key)

    handle.__name__ = operation.name.replace(".", "_")
    handle.__doc__ = operation.view.__doc__
    return handle


def is_local() -> bool:
    """Tell whether the request at hand was typed at the installation itself."""
    return LOCAL_ACTOR in request.environ


def bearer() -> Bearer | None:
    """Return whose token came with the request at hand, None before that is known and for whoever needs none."""
    found: Bearer | None = g.get("api_bearer")
    return found


def _actor(operation: Operation) -> Actor | None:
    local: Actor | None = request.environ.get(LOCAL_ACTOR)
    if local is not None:
        return local
    limits: Limits = current_app.extensions[LIMITS]
    if operation.entrance is Entrance.EVERYBODY:
        limits.count(f"address {context.address()}")
        return None
    token = _token()
    limits.admit(context.address(), token)
    try:
        found = api_tokens.authenticate(context.runtime().database, token, context.address())
    except NotAuthenticated:
        limits.note_refused(context.address(), token)
        raise
    g.api_bearer = found
    limits.charge(found.token.id, token)
    return found.actor


def _token() -> str | None:
    kind, _, text = (request.headers.get("Authorization") or "").partition(" ")
    return text.strip() or None if kind.lower() == "bearer" else None


def _call(operation: Operation, actor: Actor | None, path: dict[str, str]) -> Call:
    runtime = context.runtime()
    # PostgreSQL has no such letter, so nothing is called that.
    if any(NUL in text for text in path.values()):
        raise NotFound("There is nothing at this address.")
    named = path.pop("organization", None)
    organization = ""
    if named is not None and actor is not None:
        somewhere = operation.entrance is Entrance.SOMEWHERE
        organization = admit(runtime.database, actor, named, operation.permission, anywhere=somewhere)
    query = None if operation.query is None else _read(operation.query, _query(operation.query))
    body = None if operation.body is None else _read(operation.body, read_json(JSON))
    return Call(runtime, actor or NOBODY, context.request_id(), organization, body, query, path)


def _query(model: type[BaseModel]) -> dict[str, Any]:
    for name, text in request.args.items(multi=True):
        if NUL in name or NUL in text:
            raise Invalid("A query has no NUL in it.", field=name.replace(NUL, ""))
    many = {name for name, field in model.model_fields.items() if "tuple" in str(field.annotation)}
    return {name: values if name in many else values[-1] for name, values in request.args.lists()}


def _read(model: type[Model], found: Any) -> Model:
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise InvalidFields(
            tuple(
                FieldError(".".join(map(str, each["loc"])) or "body", _sentence(each["msg"])) for each in error.errors()
            )
        ) from None


def _sentence(text: str) -> str:
    plain = text.removeprefix("Value error, ")
    return plain[:1].upper() + plain[1:].rstrip(".") + "."


def _carry_out(operation: Operation, call: Call) -> Response:
    result = operation.view(call, **call.path)
    if isinstance(result, Response):
        return result
    if operation.answers is None:
        return Response(status=HTTPStatus.NO_CONTENT)
    return Response(dump(result), operation.status, content_type="application/json")


def _carry_out_once(operation: Operation, call: Call, key: str) -> Response:
    asked = dump([request.method, request.full_path, request.get_data().decode(errors="replace")])
    who = call.actor.id or call.actor.name
    taken = repeats.begin(call.runtime, who, key, asked)
    if taken.known is not None:
        status, text = taken.known
        known = Response(text or None, status, {"Idempotent-Replayed": "true"})
        known.content_type = "application/json"
        return known
    try:
        answer = _carry_out(operation, call)
    except BridgeError as error:
        repeats.forget(call.runtime, taken, error)
        raise
    repeats.keep(call.runtime, taken, answer.status_code, answer.get_data(as_text=True))
    return answer
