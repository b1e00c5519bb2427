"""
Many operations in one request: `/Bulk` (RFC 7644 §3.7).

Each one goes through the door as a request of its own, in the name of whoever sent them all: its own transaction, its
own entry in the provisioning log, its own error. Nothing is taken back when a later one fails.
"""

from dataclasses import replace
from http import HTTPStatus
from io import BytesIO
from typing import Any

import orjson
from flask import current_app
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_content_length

from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import BridgeError, Conflict, Invalid, TooLarge
from scim_bridge.identity.callers import Caller
from scim_bridge.scim import bodies, protocol
from scim_bridge.scim.bulk_requests import BulkOperation, BulkRequest, in_order, read_bulk
from scim_bridge.scim.calls import CALL, Answer, Call
from scim_bridge.scim.errors import problem_of
from scim_bridge.scim.protocol import PREFIX, route
from scim_bridge.settings import Settings
from scim_bridge.web import context

# With the number of an operation behind it, it still fits where names of requests are kept.
LONGEST_NAME = 50
RESPONSE_URN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
# What the web framework remembers of the request that brought them all, and what is said of that one alone.
NOT_PASSED_ON = ("werkzeug.", "flask.", CALL, "HTTP_IF_", "HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING")


def largest_body(settings: Settings) -> int:
    """Return how many bytes a bulk request may have."""
    return min(settings.max_bulk_bytes, settings.max_body_bytes)


@route("POST", "/Bulk")
def do_many(call: Call) -> Answer:
    """Do many things, and answer what became of each."""
    begun = protocol.exchange(call, HTTPStatus.OK)
    _require_small(call)
    body = bodies.read_body(call.environ, largest_body(call.settings))
    results = _Bulk(call, read_bulk(body, call.settings.max_bulk_operations), begun.caller).run()
    return protocol.answer({"schemas": [RESPONSE_URN], "Operations": results})


def _require_small(call: Call) -> None:
    most, sent = largest_body(call.settings), get_content_length(call.environ)
    if (sent or 0) > most:
        raise TooLarge(f"A bulk request may have at most {most} bytes; this one has {sent}.")


class _Bulk:
    """The operations of one request on their way; ``made`` are the ids behind bulkIds."""

    def __init__(self, call: Call, asked: BulkRequest, caller: Caller) -> None:
        self._call = call
        self._asked = asked
        # Its use is noted once, with the request that brought them all.
        self._caller = replace(caller, use_due=False)
        self._makers = {each.bulk_id for each in asked.operations if each.method == "POST"}
        self._made: dict[str, str] = {}

    def run(self) -> list[Document]:
        """Do all operations, or as many as come before too many errors, and return their results as they were sent."""
        order, circular = in_order(self._asked.operations)
        results: dict[int, Document] = {}
        errors = 0
        for number in order:
            operation = self._asked.operations[number]
            results[number] = self._result(number, operation, is_circular=number in circular)
            errors += int(results[number]["status"]) >= HTTPStatus.BAD_REQUEST
            if errors == self._asked.fail_on_errors:
                break
        context.keep_name(self._call.request_id)
        return [results[number] for number in sorted(results)]

    def _result(self, number: int, operation: BulkOperation, *, is_circular: bool) -> Document:
        result: Document = {"method": operation.method}
        if operation.bulk_id is not None:
            result["bulkId"] = operation.bulk_id
        try:
            self._require_possible(operation, is_circular=is_circular)
        except BridgeError as error:
            problem = problem_of(error)
            return result | {"status": str(problem.status), "response": problem.document()}
        answer = self._send(number, operation)
        return result | self._told(operation, answer)

    def _require_possible(self, operation: BulkOperation, *, is_circular: bool) -> None:
        if is_circular:
            raise Conflict("Operations that wait for one another cannot be done: break the circle of bulkIds.")
        missing = sorted(operation.references - self._made.keys())
        if missing and missing[0] in self._makers:
            raise Conflict(f"What the bulkId {missing[0]!r} stands for was not made.")
        if missing:
            raise Invalid(f"No operation has the bulkId {missing[0]!r}.", scim_type="invalidValue")

    def _send(self, number: int, operation: BulkOperation) -> Response:
        body = operation.body(self._made)
        data = b"" if body is None else orjson.dumps(body)
        environ: dict[str, Any] = {
            name: value for name, value in self._call.environ.items() if not name.startswith(NOT_PASSED_ON)
        }
        environ |= {
            "REQUEST_METHOD": operation.method,
            "PATH_INFO": (PREFIX + operation.path(self._made)).encode().decode("latin-1"),
            "QUERY_STRING": "",
            "CONTENT_TYPE": protocol.CONTENT_TYPE,
            "CONTENT_LENGTH": str(len(data)),
            "wsgi.input": BytesIO(data),
            protocol.KNOWN_CALLER: self._caller,
            context.REQUEST_ID: f"{self._call.request_id[:LONGEST_NAME]}.{number + 1}",
        }
        if operation.version is not None:
            environ["HTTP_IF_MATCH"] = operation.version
        # What the web framework keeps for a request would be shared with the one that brought them all.
        with current_app.app_context():
            return Response.from_app(current_app.wsgi_app, environ, buffered=True)

    def _told(self, operation: BulkOperation, answer: Response) -> Document:
        told: Document = {"status": str(answer.status_code)}
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            told["response"] = orjson.loads(answer.data)
            if operation.method == "POST":
                return told
        root = self._call.settings.scim_base_url
        told["location"] = answer.headers.get("Location") or root + operation.path(self._made)
        if "ETag" in answer.headers:
            told["version"] = answer.headers["ETag"]
        if operation.method == "POST" and operation.bulk_id is not None:
            self._made[operation.bulk_id] = told["location"].rpartition("/")[2]
        return told
