"""
What an identity provider says of itself: its discovery document and its keys, read again now and then.

What it said before is used while it does not answer: keys that were good an hour ago are better than nobody's sign-in.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests

from scim_bridge.domain.identity_providers import LOOPBACK
from scim_bridge.errors import Refused, Unavailable
from scim_bridge.identity.oidc_sign_in import Client, ProviderWords, keep_words, now
from scim_bridge.identity.runtime import Database
from scim_bridge.log import get_logger

WELL_KNOWN = "/.well-known/openid-configuration"
TIMEOUT = (5, 10)
LARGEST = 1024 * 1024
STALE = timedelta(hours=1)
# A token with an unknown key makes us look again, but nobody can make us look all the time.
LOOK_AGAIN = timedelta(seconds=30)
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Words:
    """A discovery document and the public keys that sign."""

    metadata: dict[str, Any]
    keys: dict[str, Any]


def words_of(database: Database, client: Client, *, unknown_key: bool = False) -> Words:
    """
    Return what a provider says, fetched when it is an hour old, or for a key that is not known.

    Raises Unavailable when it does not answer and never did, and Refused for an answer that cannot be trusted.
    """
    known = client.words
    age = None if known.fetched_at is None else now() - known.fetched_at
    if age is not None and age < (LOOK_AGAIN if unknown_key else STALE):
        return _stored(known)
    try:
        found = _fetch(client.provider.issuer)
    except (requests.RequestException, ValueError, Refused) as error:
        if known.metadata is None:
            if isinstance(error, Refused):
                raise
            log.warning("an identity provider does not answer", issuer=client.provider.issuer, error=str(error))
            raise Unavailable("The identity provider does not answer; try again in a moment.", 30) from error
        log.warning("what an identity provider said before is used", issuer=client.provider.issuer, error=str(error))
        return _stored(known)
    texts = (orjson.dumps(found.metadata).decode(), orjson.dumps(found.keys).decode())
    keep_words(database, client.provider.id, ProviderWords(*texts, now()))
    return found


def _stored(known: ProviderWords) -> Words:
    return Words(orjson.loads(known.metadata or "{}"), orjson.loads(known.keys or "{}"))


def _fetch(issuer: str) -> Words:
    metadata = _document(issuer.rstrip("/") + WELL_KNOWN)
    if metadata.get("issuer") != issuer:
        raise Refused("The discovery document is another issuer's.")
    for name in ENDPOINTS:
        if not _is_safe(metadata.get(name), issuer):
            raise Refused(f"The discovery document has no usable {name}.")
    keys = _document(metadata["jwks_uri"])
    if not isinstance(keys.get("keys"), list):
        raise Refused("The provider's keys cannot be read.")
    # Symmetric keys have no place in public: whoever can read one could sign with it.
    public = [each for each in keys["keys"] if isinstance(each, dict) and each.get("kty") in ("RSA", "EC", "OKP")]
    return Words(metadata, {"keys": public})


def _document(url: str) -> dict[str, Any]:
    # A redirect would lead to wherever the other side likes.
    with requests.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
        if answer.status_code >= 500:
            raise requests.ConnectionError(f"answered {answer.status_code}")
        if answer.status_code != 200:
            raise Refused(f"The identity provider answered {answer.status_code}.")
        body = answer.raw.read(LARGEST + 1, decode_content=True)
    if len(body) > LARGEST:
        raise Refused("The identity provider's answer is too large.")
    found = orjson.loads(body)
    if not isinstance(found, dict):
        raise Refused("The identity provider's answer is no document.")
    return found


def _is_safe(url: object, issuer: str) -> bool:
    if not isinstance(url, str):
        return False
    parts, home = urlsplit(url), urlsplit(issuer)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in LOOPBACK and home.hostname in LOOPBACK
