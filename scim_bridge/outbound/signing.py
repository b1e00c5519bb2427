"""Secrets and signatures of webhooks, as standardwebhooks.com has them."""

import base64
import secrets
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks import Webhook

PREFIX = "whsec_"


def new_secret() -> str:
    """Return 32 random bytes in the form that receivers' libraries take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(message_id: str, at: datetime, body: str, signers: Iterable[str]) -> dict[str, str]:
    """Return the headers by which a receiver knows a message for ours; one signature for each secret that is live."""
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in signers]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
