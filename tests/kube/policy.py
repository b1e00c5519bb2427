"""
A ValidatingAdmissionPolicy enforced on an API server that does not know the kind.

The server sends every write to a webhook, as it would hand it to the policy; the webhook evaluates the policy's own
expressions with Google's CEL. What is asked, by whom and of which objects, is the real server's.
"""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cel_expr_python import cel

from tests.fakes.kube_tls import Authority
from tests.kube.client import KubeClient

WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
NAMES = ("object", "oldObject", "request", "variables")
Document = Mapping[str, Any]


class Policy:
    """The rules of one ValidatingAdmissionPolicy."""

    def __init__(self, document: Document) -> None:
        self._environment = cel.NewEnv(variables=dict.fromkeys(NAMES, cel.Type.DYN))
        spec = document["spec"]
        assert spec["failurePolicy"] == "Fail"
        self.resource_rules = spec["matchConstraints"]["resourceRules"]
        self._conditions = [each["expression"] for each in spec["matchConditions"]]
        self._variables = [(each["name"], each["expression"]) for each in spec["variables"]]
        self._validations = [(each["expression"], each["message"]) for each in spec["validations"]]

    def refusal(self, request: Document) -> str | None:
        """Return the message of the first rule that a request breaks; one that cannot be evaluated is broken."""
        seen = {"object": request.get("object"), "oldObject": request.get("oldObject"), "request": dict(request)}
        if not all(self._is_true(each, seen, {}) for each in self._conditions):
            return None
        variables: dict[str, object] = {}
        for name, expression in self._variables:
            variables[name] = self._is_true(expression, seen, variables)
        broken = (
            message for expression, message in self._validations if not self._is_true(expression, seen, variables)
        )
        return next(broken, None)

    def _is_true(self, expression: str, seen: Mapping[str, object], variables: Mapping[str, object]) -> bool:
        found = self._environment.compile(expression).eval(data={**seen, "variables": dict(variables)})
        return found.value() is True


@contextmanager
def enforced(admin: KubeClient, policy: Policy, name: str) -> Iterator[list[Document]]:
    """Enforce a policy while the block runs, and return the requests that the server sent to it."""
    authority, asked = Authority(), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(review["request"])
            refusal = policy.refusal(review["request"])
            answer: dict[str, Any] = {"uid": review["request"]["uid"], "allowed": refusal is None}
            if refusal is not None:
                answer["status"] = {"code": 403, "reason": "Forbidden", "message": refusal}
            body = json.dumps({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": answer})
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = authority.server().wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    made = admin.post(WEBHOOKS, _configuration(name, server.server_address[1], authority, policy))
    assert made.status == 201, made.body
    try:
        yield asked
    finally:
        admin.delete(f"{WEBHOOKS}/{name}")
        server.shutdown()
        server.server_close()


def _configuration(name: str, port: int, authority: Authority, policy: Policy) -> Document:
    bundle = base64.b64encode(authority.pem.encode()).decode()
    webhook = {
        "name": f"{name}.test.example",
        "clientConfig": {"url": f"https://127.0.0.1:{port}/", "caBundle": bundle},
        "rules": policy.resource_rules,
        # Not Fail: the server is shared, and asks until it has heard that the webhook is gone.
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 10,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [webhook],
    }
