"""
A strict API server in this process: HTTP in front, RBAC inside, and faults on demand.

tests/contracts holds it to what a real kube-apiserver does. Start it, ask it for a user's token, stop it.
"""

import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from tests.fakes.kube_checks import require_object
from tests.fakes.kube_faults import Fault, Faults, Trouble
from tests.fakes.kube_http import Exchange, HttpServer, Outcome
from tests.fakes.kube_objects import RESOURCES, Page, Resource, Stored
from tests.fakes.kube_rbac import MASTERS, Asked, User
from tests.fakes.kube_status import Refusal, body_too_large, unauthorized
from tests.fakes.kube_verbs import Call, Verbs
from tests.kube.client import ADMIN, APPLY, MERGE, KubeClient
from tests.kube.server import GROUPS
from tests.kube.world import cluster_role

MAX_BODY = 3 * 1024 * 1024
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
MASTER = User(ADMIN, (MASTERS,))
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
ADDRESS = re.compile(
    r"(?:/api/v1|/apis/(?P<group>[a-z0-9.]+)/v1)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?"
)
REVIEW = re.compile(r"/apis/authorization\.k8s\.io/v1/(self)?subjectaccessreviews")
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


@dataclass(frozen=True)
class Request:
    """A request that came in, for those who want to know what really left the client."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    certified: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        found = orjson.loads(self.body)
        assert isinstance(found, dict)
        return found


class FakeKubeApi:
    """The server; ``faults`` says what goes wrong next and ``requests`` what was asked."""

    def __init__(
        self,
        groups: Mapping[str, Iterable[str]] = GROUPS,
        context: ssl.SSLContext | None = None,
        authority: str = "",
    ) -> None:
        self.faults = Faults()
        self.requests: list[Request] = []
        self.authority = authority
        self._groups = groups
        self._tokens: dict[str, User] = {}
        self._verbs = Verbs()
        self._http = HttpServer(self._answer, self.faults, context)
        self._begin()

    def __enter__(self) -> "FakeKubeApi":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self._http.url

    def start(self) -> None:
        self._http.start()

    def stop(self) -> None:
        """Close every connection; what hangs is let go."""
        self.faults.clear()
        self._http.stop()

    def token_of(self, user: str) -> str:
        """Return a user's token; whoever is asked for exists."""
        token = f"token of {user}".replace(" ", "-")
        self._tokens[token] = User(user, (*self._groups.get(user, ()), "system:authenticated"))
        return token

    def forget(self, user: str) -> None:
        """Make a user's token worthless."""
        self._tokens.pop(self.token_of(user))

    def client(self, user: str = ADMIN) -> KubeClient:
        return KubeClient(self.url, self.token_of(user), self.authority or None)

    def compact(self) -> None:
        with self._verbs.lock:
            self._verbs.objects.compact()

    def fill(self, documents: Iterable[dict[str, Any]]) -> None:
        """Create many bindings without a request for each."""
        plurals = {resource.kind: resource for resource in RESOURCES.values()}
        with self._verbs.lock:
            for document in documents:
                place = document["metadata"].get("namespace", "")
                self._verbs.create(Call(MASTER, plurals[document["kind"]], place), document)

    def documents(self, plural: str) -> list[dict[str, Any]]:
        """Return what is there, without a request: faults and lies do not reach it."""
        with self._verbs.lock:
            return self._verbs.objects.all_of(plural)

    def remove_namespace(self, name: str) -> None:
        """Do what the controller does to a namespace that was deleted: take it away with all that is in it."""
        with self._verbs.lock:
            objects = self._verbs.objects
            for plural, resource in RESOURCES.items():
                for document in objects.all_of(plural) if resource.is_namespaced else ():
                    if document["metadata"]["namespace"] == name:
                        objects.remove(plural, (name, document["metadata"]["name"]))
            objects.remove("namespaces", ("", name))

    def remove(self, plural: str, name: str, namespace: str = "") -> None:
        """Take an object away, as somebody with kubectl does."""
        with self._verbs.lock:
            self._verbs.objects.remove(plural, (namespace, name))

    def _begin(self) -> None:
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._verbs.create(Call(MASTER, RESOURCES["namespaces"]), document)
        rules = {"cluster-admin": [EVERYTHING], "admin": [], "edit": [], "view": []}
        for name, given in rules.items():
            self._verbs.create(Call(MASTER, RESOURCES["clusterroles"]), cluster_role(name, given))

    def _answer(self, exchange: Exchange) -> Outcome:
        parts = urlsplit(exchange.target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(exchange.method, parts.path, query, exchange.headers, exchange.body, exchange.certified)
        self.requests.append(request)
        verb = "list" if exchange.method == "GET" and is_list(parts.path) else VERBS.get(exchange.method, "")
        fault = self.faults.take(verb, parts.path)
        if fault is not None and fault.trouble is Trouble.STATUS:
            return as_told(fault)
        try:
            if len(exchange.body) > MAX_BODY:
                raise body_too_large()
            status, body = self._carry_out(request, verb)
        except Refusal as refusal:
            return Outcome(refusal.status, orjson.dumps(refusal.document), fault, refusal.headers)
        return Outcome(status, as_listed(body, fault), fault)

    def _carry_out(self, request: Request, verb: str) -> tuple[int, bytes]:
        user = self._user(request)
        if request.path in ("/readyz", "/livez", "/healthz"):
            return 200, b"ok"
        if REVIEW.fullmatch(request.path) and request.method == "POST":
            return 201, self._review(user, request.path, require_object(_parsed(request.body)))
        found = ADDRESS.fullmatch(request.path)
        resource = RESOURCES.get(found["plural"]) if found else None
        if found is None or resource is None or (found["group"] or "") != resource.group:
            return 404, b"404 page not found\n"
        namespace, name = found["namespace"] or "", found["name"] or ""
        if namespace and not resource.is_namespaced:
            return 404, b"404 page not found\n"
        manager = request.query.get("fieldManager") or request.headers.get("User-Agent", "unknown").partition("/")[0]
        call = Call(user, resource, namespace, name, request.query, manager)
        with self._verbs.lock:
            self._verbs.require_allowed(call, verb)
            return self._perform(call, verb, request)

    def _perform(self, call: Call, verb: str, request: Request) -> tuple[int, bytes]:
        verbs = self._verbs
        if verb == "list":
            return 200, _list_body(call.resource, verbs.list(call))
        if verb == "get":
            return 200, _body(call.resource, verbs.get(call))
        if verb == "delete":
            options = require_object(_parsed(request.body)) if request.body else {}
            left = verbs.delete(call, options)
            return 200, _gone(call) if left is None else _body(call.resource, left)
        document = require_object(_parsed(request.body))
        if verb == "create" and not call.name:
            return 201, _body(call.resource, verbs.create(call, document))
        if not call.name or verb == "create":
            raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        stored, is_new = _writer(verbs, verb, request)(call, document)
        return 201 if is_new else 200, _body(call.resource, stored)

    def _user(self, request: Request) -> User:
        given = request.headers.get("Authorization")
        if given is None and request.certified is not None:
            return User(request.certified, (*self._groups.get(request.certified, ()), "system:authenticated"))
        if given is None:
            return ANONYMOUS
        scheme, _, token = given.partition(" ")
        user = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        return user

    def _review(self, user: User, path: str, document: dict[str, Any]) -> bytes:
        spec = document.get("spec") or {}
        asked = spec.get("resourceAttributes") or {}
        wanted = Asked(
            asked.get("verb", ""), asked.get("group", ""),
            "/".join(part for part in (asked.get("resource", ""), asked.get("subresource", "")) if part),
            asked.get("namespace", ""), asked.get("name", ""),
        )  # fmt: skip
        with self._verbs.lock:
            if not path.endswith("/selfsubjectaccessreviews"):
                plural = Resource("subjectaccessreviews", "SubjectAccessReview", "authorization.k8s.io")
                self._verbs.require_allowed(Call(user, plural), "create")
                groups = (*(spec.get("groups") or ()), *self._groups.get(spec.get("user", ""), ()))
                user = User(spec.get("user", ""), groups)
            allowed = self._verbs.authorizer.allows(user, wanted)
            reason = self._verbs.authorizer.reason(user, wanted) if allowed else ""
        return orjson.dumps(document | {"status": {"allowed": allowed} | ({"reason": reason} if reason else {})})


def _writer(verbs: Verbs, verb: str, request: Request) -> Any:
    if verb == "update":
        return verbs.replace
    known = {APPLY: verbs.apply, MERGE: verbs.merge}
    writer = known.get(request.headers.get("Content-Type", ""))
    if writer is None:
        raise Refusal(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
    return writer


def is_list(path: str) -> bool:
    """Tell whether a path is that of a collection."""
    found = ADDRESS.fullmatch(path)
    return found is not None and not found["name"]


def _parsed(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "BadRequest", f"couldn't get version/kind; json parse error: {error}") from error


def _body(resource: Resource, stored: Stored) -> bytes:
    return orjson.dumps({"kind": resource.kind, "apiVersion": resource.api_version} | stored.shown)


def _list_body(resource: Resource, page: Page) -> bytes:
    metadata: dict[str, Any] = {"resourceVersion": str(page.version)}
    if page.token is not None:
        metadata["continue"] = page.token
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    head = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": metadata}
    return orjson.dumps(head)[:-1] + b',"items":[' + b",".join(item.encoded for item in page.items) + b"]}"


def _gone(call: Call) -> bytes:
    details = {"name": call.name, "group": call.resource.group, "kind": call.resource.plural}
    return orjson.dumps({"kind": "Status", "apiVersion": "v1", "status": "Success", "details": details})


def as_listed(body: bytes, fault: Fault | None) -> bytes:
    """Return a list as a fault makes it."""
    if fault is None or fault.trouble not in (Trouble.EMPTY_LIST, Trouble.HALF_LIST):
        return body
    found = orjson.loads(body)
    left = [] if fault.trouble is Trouble.EMPTY_LIST else found["items"][::2]
    return orjson.dumps(found | {"items": left})


def as_told(fault: Fault) -> Outcome:
    """Return the answer that a fault wants given."""
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    refusal = Refusal(fault.status, fault.reason, fault.message)
    return Outcome(fault.status, fault.body or orjson.dumps(refusal.document), None, headers)
