"""An OpenID provider that does what a test tells it to, right or wrong, over HTTP on the loopback."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "bridge", "a secret between the two"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class OpenIdProvider:
    """What it signs, whom it signs in, and how often it was asked; a test may change any of it."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.shown: list[Any] = [self.key]
        self.person: dict[str, Any] = {"sub": "00u1"}
        self.overrides: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.unsigned = False
        self.symmetric = False
        self.without_id_token = False
        self.is_down = False
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self.app = self._build()

    def sign_in(self, url: str) -> str:
        """Play the person's browser at the provider: return where it is sent back to, less our own address."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return f"{urlsplit(asked['redirect_uri']).path}?{query}"

    def id_token(self, asked: dict[str, str]) -> str:
        """Return what it signs for somebody who signed in."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked.get("nonce")}
        return self.sign({**claims, **self.person, **self.overrides})

    def sign(self, claims: dict[str, Any], **header: str) -> str:
        """Sign claims, as well or badly as it is told to."""
        kept = {name: value for name, value in claims.items() if value is not None}
        if self.unsigned:
            return f"{_part({'alg': 'none', 'kid': self.key.kid, **header})}.{_part(kept)}."
        if self.symmetric:
            # The public key, which everybody has, as the secret of an HMAC.
            import hmac

            signed = f"{_part({'alg': 'HS256', 'kid': self.key.kid})}.{_part(kept)}"
            digest = hmac.new(self.key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
            return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
        return jwt.encode({"alg": "RS256", "kid": self.key.kid or "", **header}, kept, self.key)

    def logout_token(self, **claims: Any) -> str:
        """Return a sign-out token."""
        now = int(time.time())
        events: dict[str, Any] = {LOGOUT_EVENT: {}}
        every = {"iss": self.issuer, "aud": CLIENT, "iat": now, "jti": secrets.token_hex(8), "events": events}
        return self.sign({**every, **claims}, typ="logout+jwt")

    def rotate(self) -> None:
        """Sign with a new key from now on, and show it."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})
        self.shown = [self.key]

    def _build(self) -> Flask:
        app = Flask("openid provider")
        app.before_request(self._note)
        app.add_url_rule("/.well-known/openid-configuration", "discovery", self._discovery)
        app.add_url_rule("/keys", "keys", lambda: jsonify(keys=[each.as_dict(private=False) for each in self.shown]))
        app.add_url_rule("/token", "token", self._token, methods=["POST"])
        return app

    def _note(self) -> Response | None:
        self.asked.append(request.path)
        return Response("down", 503) if self.is_down else None

    def _discovery(self) -> Response:
        places = {name: f"{self.issuer}/{path}" for name, path in PLACES.items()}
        listed = {"id_token_signing_alg_values_supported": ["RS256", "none", "HS256"]}
        return jsonify({"issuer": self.issuer, **places, **listed, **self.metadata})

    def _token(self) -> Response:
        asked = self._codes.pop(request.form["code"], None)
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        known = request.authorization and (request.authorization.username, request.authorization.password)
        if asked is None or asked["code_challenge"] != challenge or known != (CLIENT, SECRET):
            answer = jsonify(error="invalid_grant")
            answer.status_code = 400
            return answer
        answered = {"access_token": "opaque", "token_type": "Bearer"}
        return jsonify(answered if self.without_id_token else {**answered, "id_token": self.id_token(asked)})


PLACES = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "jwks_uri": "keys",
    "end_session_endpoint": "end",
}


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@contextmanager
def open_provider() -> Iterator[OpenIdProvider]:
    """Serve a provider while the block runs."""
    provider = OpenIdProvider()
    server = make_server("127.0.0.1", 0, provider.app, threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()
