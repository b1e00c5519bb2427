"""A device that makes and uses passkeys, without a browser: it can be asked to lie in every way that one could."""

import json
import os
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey on one device; the fields say what it claims, and how far it has counted."""

    origin: str = "https://bridge.example"
    site: str = "bridge.example"
    count: int = 0
    flags: int = PRESENT | VERIFIED
    client_data: dict[str, Any] = field(default_factory=dict)
    user_handle: bytes | None = None
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))

    @property
    def public(self) -> bytes:
        """Return the public key as COSE has it (RFC 9053 §7.1)."""
        numbers = self.key.public_key().public_numbers()
        point = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        return cbor2.dumps({1: 2, 3: -7, -1: 1, **point})

    def create(self, options: dict[str, Any]) -> str:
        """Return what a browser sends after `navigator.credentials.create`."""
        self.user_handle = base64url_to_bytes(options["user"]["id"])
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self.public
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(self.flags | ATTESTED) + attested}
        client = self._client("webauthn.create", options)
        return self._answer({"clientDataJSON": client, "attestationObject": cbor2.dumps(statement)})

    def get(self, options: dict[str, Any]) -> str:
        """Return what a browser sends after `navigator.credentials.get`."""
        if self.count:
            self.count += 1
        client, data = self._client("webauthn.get", options), self._data(self.flags)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        sent = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self._answer(sent if self.user_handle is None else sent | {"userHandle": self.user_handle})

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | self.client_data).encode()

    def _data(self, flags: int) -> bytes:
        return sha256(self.site.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _answer(self, response: dict[str, bytes]) -> str:
        named = bytes_to_base64url(self.credential_id)
        shown = {name: bytes_to_base64url(value) for name, value in response.items()}
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": shown})
