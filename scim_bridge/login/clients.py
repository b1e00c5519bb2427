"""Talk to an identity provider as its client: where a sign-in goes, what a code is worth, where a sign-out goes."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from scim_bridge.errors import NotAuthenticated, Unavailable
from scim_bridge.identity.oidc_sign_in import NOT_LET_IN, Client
from scim_bridge.identity.runtime import Database
from scim_bridge.log import get_logger
from scim_bridge.login import tokens
from scim_bridge.login.words import TIMEOUT, Words, words_of

# What we can do; the provider chooses among it. Secrets are sent in a header where that is possible.
METHODS = ("client_secret_basic", "client_secret_post")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Departure:
    """Where a browser is sent to sign in, and what has to be known when it comes back."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a code was worth: a verified ID token and its claims."""

    claims: dict[str, Any]
    id_token: str = field(repr=False)


def depart(database: Database, client: Client, redirect_uri: str, login_hint: str | None = None) -> Departure:
    """Return where a sign-in begins: with a state, a nonce and a PKCE challenge of its own."""
    words = words_of(database, client)
    made = (secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    hint = {"login_hint": login_hint} if login_hint else {}
    with _session(client, words, redirect_uri) as session:
        url, _ = session.create_authorization_url(
            words.metadata["authorization_endpoint"], state=made[0], nonce=made[1], code_verifier=made[2], **hint
        )
    return Departure(url, *made)


def arrive(database: Database, client: Client, redirect_uri: str, code: str, nonce: str, verifier: str) -> Arrival:
    """
    Change a code for an ID token, and verify that; an answer without one lets nobody in.

    Raises NotAuthenticated, and Unavailable when the provider does not answer.
    """
    words = words_of(database, client)
    try:
        with _session(client, words, redirect_uri) as session:
            answer = session.fetch_token(
                words.metadata["token_endpoint"],
                code=code,
                code_verifier=verifier,
                grant_type="authorization_code",
                timeout=TIMEOUT,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        log.warning("an identity provider does not answer", issuer=client.provider.issuer, error=str(error))
        raise Unavailable("The identity provider does not answer; try again in a moment.", 30) from error
    except (AuthlibBaseError, ValueError) as error:
        raise NotAuthenticated(NOT_LET_IN, f"The provider did not accept the code ({_kind(error)}).") from None
    text = answer.get("id_token") if isinstance(answer, dict) else None
    if not isinstance(text, str):
        raise NotAuthenticated(NOT_LET_IN, "The provider's answer holds no ID token.")
    return Arrival(verified(database, client, words, text, nonce), text)


def verified(database: Database, client: Client, words: Words, text: str, nonce: str) -> dict[str, Any]:
    """Return the claims of an ID token, looking once for a key that is not known yet."""
    try:
        return tokens.verify_id_token(client.provider, words.keys, text, nonce)
    except tokens.UnknownKey:
        newer = words_of(database, client, unknown_key=True)
        return tokens.verify_id_token(client.provider, newer.keys, text, nonce)


def logout_claims(database: Database, client: Client, text: str) -> dict[str, Any]:
    """Return the claims of a sign-out token, looking once for a key that is not known yet."""
    try:
        return tokens.verify_logout_token(client.provider, words_of(database, client).keys, text)
    except tokens.UnknownKey:
        newer = words_of(database, client, unknown_key=True)
        return tokens.verify_logout_token(client.provider, newer.keys, text)


def logout_url(database: Database, client: Client, id_token: str | None, return_uri: str) -> str | None:
    """Return where a browser goes to sign out of the provider too; None if it has no such place."""
    endpoint = words_of(database, client).metadata.get("end_session_endpoint")
    if not isinstance(endpoint, str) or urlsplit(endpoint).scheme not in ("https", "http"):
        return None
    asked = {"client_id": client.provider.client_id, "post_logout_redirect_uri": return_uri}
    if id_token is not None:
        asked["id_token_hint"] = id_token
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def _session(client: Client, words: Words, redirect_uri: str) -> OAuth2Session:
    offered = words.metadata.get("token_endpoint_auth_methods_supported") or METHODS[:1]
    method = "none" if client.secret is None else next((each for each in METHODS if each in offered), METHODS[0])
    return OAuth2Session(
        client.provider.client_id,
        client.secret,
        scope=" ".join(client.provider.scopes),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
    )


def _kind(error: Exception) -> str:
    # The description may hold anything that the other side likes to say.
    return str(getattr(error, "error", None) or type(error).__name__)[:63]
