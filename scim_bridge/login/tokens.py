"""
Verify what an identity provider signed: ID tokens (OpenID Connect Core 1.0 §3.1.3.7) and sign-out tokens.

The algorithms are ours, whatever the provider lists: some list "none", and a list that the other side writes is none.
"""

import hmac
import warnings
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from scim_bridge.domain.identity_providers import IdentityProvider
from scim_bridge.errors import NotAuthenticated
from scim_bridge.identity.oidc_sign_in import NOT_LET_IN, now

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
LEEWAY_SECONDS = 60
LONGEST_TOKEN = 64 * 1024
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TYPES = ("logout+jwt", "application/logout+jwt", "JWT", None)
LOGOUT_IS_GOOD_SECONDS = 600


class UnknownKey(NotAuthenticated):
    """The token names a key that the provider has not shown; it may have a new one."""


def verify_id_token(provider: IdentityProvider, keys: Mapping[str, Any], text: str, nonce: str) -> dict[str, Any]:
    """Return the claims of an ID token that this provider made for us and this sign-in; raises NotAuthenticated."""
    claims = _verified(provider, keys, text)[1]
    if not isinstance(claims.get("exp"), int | float) or claims["exp"] + LEEWAY_SECONDS <= _seconds():
        raise _refused("The ID token has expired.")
    sent = claims.get("nonce")
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), nonce.encode()):
        raise _refused("The ID token was made for another sign-in (nonce).")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise _refused("The ID token has no sub.")
    return claims


def verify_logout_token(provider: IdentityProvider, keys: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return the claims of a sign-out token (OpenID Connect Back-Channel Logout 1.0 §2.6); raises NotAuthenticated."""
    header, claims = _verified(provider, keys, text)
    events = claims.get("events")
    if header.get("typ") not in LOGOUT_TYPES or "nonce" in claims:
        raise _refused("This is no sign-out token.")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise _refused("The token tells of no sign-out.")
    if not isinstance(claims.get("jti"), str) or not (_is_text(claims.get("sid")) or _is_text(claims.get("sub"))):
        raise _refused("The sign-out token says not whose.")
    if claims["iat"] + LOGOUT_IS_GOOD_SECONDS <= _seconds():
        raise _refused("The sign-out token is too old.")
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires + LEEWAY_SECONDS <= _seconds():
        raise _refused("The sign-out token has expired.")
    return claims


def _verified(provider: IdentityProvider, keys: Mapping[str, Any], text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(text) > LONGEST_TOKEN:
        raise _refused("The token is too large.")
    try:
        with warnings.catch_warnings():
            # It warns of EdDSA's old name, under which providers still sign.
            warnings.simplefilter("ignore")
            token = jwt.decode(text, KeySet.import_key_set({"keys": list(keys.get("keys", ()))}), list(ALGORITHMS))
    except JoseError as error:
        kind = UnknownKey if error.error == "invalid_key_id" else NotAuthenticated
        raise kind(NOT_LET_IN, f"The token's signature is not the provider's ({error.error}).") from None
    except (ValueError, TypeError, KeyError) as error:
        raise _refused(f"The token cannot be read ({type(error).__name__}).") from None
    _check(provider, token.claims)
    return dict(token.header), dict(token.claims)


def _check(provider: IdentityProvider, claims: Mapping[str, Any]) -> None:
    if claims.get("iss") != provider.issuer:
        raise _refused("The token is another issuer's.")
    audience = claims.get("aud")
    meant = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in meant:
        raise _refused("The token is for another application (aud).")
    if claims.get("azp", provider.client_id) != provider.client_id or (len(meant) > 1 and "azp" not in claims):
        raise _refused("The token was given to another application (azp).")
    issued, earliest = claims.get("iat"), claims.get("nbf", 0)
    if not isinstance(issued, int | float) or issued > _seconds() + LEEWAY_SECONDS:
        raise _refused("The token was issued in the future, or never (iat).")
    if not isinstance(earliest, int | float) or earliest > _seconds() + LEEWAY_SECONDS:
        raise _refused("The token is not good yet (nbf).")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _seconds() -> float:
    return now().timestamp()


def _refused(reason: str) -> NotAuthenticated:
    return NotAuthenticated(NOT_LET_IN, reason)
