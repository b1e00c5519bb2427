"""What a browser is asked for a passkey, and whether its answer is good (WebAuthn §7.1 and §7.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import orjson
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from scim_bridge.domain.passkeys import Site
from scim_bridge.domain.people import AccountId
from scim_bridge.errors import NotAuthenticated
from scim_bridge.store.credentials import AccountFacts
from scim_bridge.store.passkeys import Passkey

ISSUER = "SCIM Bridge"
LONGEST = 16 * 1024
# Whoever looks for the device that has it needs a while.
PATIENCE_MILLISECONDS = 300_000
REFUSED = "This passkey was not accepted. Begin again, or sign in in another way."

# Whatever else the library trips over in what a stranger sends.
_UNREADABLE = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser sent; ``document`` is not to be believed in anything before it is verified."""

    credential_id: str
    document: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey as the device describes it, in base64url."""

    credential_id: str
    public_key: str
    sign_count: int


def read(text: str) -> Answer:
    """Return an answer that names a passkey; raises NotAuthenticated for anything else."""
    try:
        document = orjson.loads(text) if len(text) <= LONGEST else None
    except orjson.JSONDecodeError:
        document = None
    credential_id = document.get("id") if isinstance(document, dict) else None
    if not isinstance(credential_id, str) or not 0 < len(credential_id) <= 1400:
        raise NotAuthenticated(REFUSED, "The browser sent no answer of a passkey.")
    return Answer(credential_id, cast("dict[str, Any]", document))


def creation_options(site: Site, challenge: str, account: AccountFacts, others: list[str]) -> str:
    """
    Return what a browser is asked to make, as JSON: kept on the device, and opened by its owner there.

    ``challenge`` and the ids of the account's other passkeys are base64url.
    """
    asked = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name=ISSUER,
        user_id=_handle(account.id),
        user_name=account.name,
        user_display_name=account.display_name or account.name,
        challenge=base64url_to_bytes(challenge),
        timeout=PATIENCE_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_described(others),
    )
    return options_to_json(asked)


def request_options(site: Site, challenge: str, allowed: list[str]) -> str:
    """Return what a browser is asked to sign, as JSON; none ``allowed``: by whatever passkey it has for the site."""
    asked = webauthn.generate_authentication_options(
        rp_id=site.id,
        challenge=base64url_to_bytes(challenge),
        timeout=PATIENCE_MILLISECONDS,
        allow_credentials=_described(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(asked)


def verify_made(site: Site, challenge: str, answer: Answer) -> Made:
    """Return the passkey that a browser made when it was asked with a challenge; raises NotAuthenticated."""
    try:
        _require_own_frame(answer.document)
        found = webauthn.verify_registration_response(
            credential=answer.document,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except _UNREADABLE as error:
        raise NotAuthenticated(REFUSED, _reason(error)) from None
    credential_id = bytes_to_base64url(found.credential_id)
    # The library compares the two names in the document, and neither with what the device itself says.
    if credential_id != answer.credential_id:
        raise NotAuthenticated(REFUSED, "The passkey is another one than the browser says.")
    return Made(credential_id, bytes_to_base64url(found.credential_public_key), found.sign_count)


def verify(site: Site, challenge: str, answer: Answer, key: Passkey, *, known_account: bool) -> int:
    """
    Return how far a passkey counts that signed a challenge; raises NotAuthenticated.

    Not ``known_account``: it has to say itself whose it is, as nobody else did.
    """
    try:
        _require_own_frame(answer.document)
        found = webauthn.verify_authentication_response(
            credential=answer.document,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            # The library would judge the count before it looks at the signature: anybody could raise an alarm.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        handle = answer.document["response"].get("userHandle")
        if (handle is not None or not known_account) and base64url_to_bytes(handle) != _handle(key.account_id):
            raise NotAuthenticated(REFUSED, "The passkey says that it is another account's.")
    except _UNREADABLE as error:
        raise NotAuthenticated(REFUSED, _reason(error)) from None
    return found.new_sign_count


def _require_own_frame(document: Mapping[str, Any]) -> None:
    said = parse_client_data_json(base64url_to_bytes(document["response"]["clientDataJSON"]))
    if said.cross_origin:
        raise NotAuthenticated(REFUSED, "The passkey was used in a frame of another site.")


def _handle(account_id: AccountId) -> bytes:
    return UUID(account_id).bytes


def _described(credential_ids: list[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in credential_ids]


def _reason(error: Exception) -> str:
    return f"The passkey's answer cannot be accepted: {str(error)[:200] or type(error).__name__}"
