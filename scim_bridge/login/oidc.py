"""Sign in by an identity provider: set out, come back, test, and be told of sign-outs."""

from http import HTTPStatus

from flask import Blueprint, Response, request

from scim_bridge.errors import BridgeError, Invalid, NotAuthenticated, Unavailable
from scim_bridge.identity import back_channel, oidc_sign_in, sessions
from scim_bridge.identity.oidc_sign_in import NOT_LET_IN, Begun, Client, Purpose
from scim_bridge.log import get_logger
from scim_bridge.login import clients, pages
from scim_bridge.web import context, cookies, csrf

CALLBACK = "/login/callback"
LONGEST_LOGOUT = 128 * 1024

log = get_logger(__name__)


def register(door: Blueprint) -> None:
    """Give the door the routes of this room."""
    door.add_url_rule("/login/with/<provider_id>", "set_out", set_out)
    door.add_url_rule("/login/test/<text>", "test", test)
    door.add_url_rule(CALLBACK, "come_back", come_back)
    door.add_url_rule("/login/backchannel/<provider_id>", "hear", hear, methods=["POST"])
    door.add_url_rule("/logout", "sign_out", sign_out, methods=["POST"])
    door.add_url_rule("/logout/done", "signed_out", signed_out)


def set_out(provider_id: str) -> Response:
    """Send the browser to an identity provider."""
    context.limits().count(f"address {context.address()}")
    return _send(provider_id, Purpose.SIGN_IN, pages.return_to(request.args.get("return_to")))


def test(text: str) -> Response:
    """Send the browser to an identity provider for a test: no session will begin."""
    runtime = context.runtime()
    return _send(oidc_sign_in.take_test(runtime.database, text), Purpose.TEST, pages.ACCOUNT)


def come_back() -> Response:
    """Take up what an identity provider sends the browser back with."""
    runtime = context.runtime()
    browser = cookies.read(cookies.BROWSER)
    provider_id, begun = oidc_sign_in.take_up(runtime.database, runtime.keyring, request.args.get("state"), browser)
    client = oidc_sign_in.open_client(runtime.database, runtime.keyring, provider_id)
    arrival = _arrive(client, begun)
    if begun.purpose is Purpose.TEST:
        tested = oidc_sign_in.complete_test(
            runtime.database, client.provider, arrival.claims, request_id=context.request_id()
        )
        return pages.page("tested", tested=tested)
    session = oidc_sign_in.complete(
        runtime.database, runtime.keyring, client.provider, arrival.claims, arrival.id_token, cookies.visit()
    )
    answer = pages.away(begun.return_to)
    cookies.sign_in(answer, session)
    csrf.renew()
    return answer


def hear(provider_id: str) -> Response:
    """Take an identity provider's word that a session is over (OpenID Connect Back-Channel Logout 1.0 §2.7)."""
    runtime = context.runtime()
    context.limits().count(f"address {context.address()}")
    text = request.form.get("logout_token", "")
    try:
        client = oidc_sign_in.open_client(runtime.database, runtime.keyring, provider_id)
        claims = clients.logout_claims(runtime.database, client, text)
        back_channel.end(runtime.database, client.provider, claims)
    except Unavailable:
        raise
    except BridgeError as error:
        reason = error.reason if isinstance(error, NotAuthenticated) else str(error)
        log.warning("a sign-out token was refused", identity_provider=provider_id[:36], reason=reason)
        return Response('{"error":"invalid_request"}', HTTPStatus.BAD_REQUEST, content_type="application/json")
    return Response(status=HTTPStatus.OK)


def sign_out() -> Response:
    """End the session here, and go to the identity provider to end the one there."""
    runtime = context.runtime()
    text = cookies.read(cookies.SESSION)
    hint = sessions.id_token_of(runtime.database, runtime.keyring, text)
    ended = sessions.sign_out(runtime.database, text)
    url = None
    if ended is not None and ended.identity_provider_id is not None:
        url = _logout_url(ended.identity_provider_id, hint)
    answer = pages.go(url or "/logout/done", "the sign-out")
    cookies.forget(answer, cookies.SESSION)
    csrf.renew()
    return answer


def signed_out() -> Response:
    """Say that the session is over."""
    return pages.message("You are signed out", "Close the browser if others use it.", link=("/login", "Sign in again"))


def _send(provider_id: str, purpose: Purpose, return_to: str) -> Response:
    runtime = context.runtime()
    client = oidc_sign_in.open_client(runtime.database, runtime.keyring, provider_id)
    departure = clients.depart(runtime.database, client, _callback())
    begun = Begun(departure.nonce, departure.verifier, return_to, purpose)
    oidc_sign_in.begin(runtime.database, runtime.keyring, provider_id, departure.state, csrf.browser(), begun)
    return pages.away(departure.url)


def _arrive(client: Client, begun: Begun) -> clients.Arrival:
    issuer, code = request.args.get("iss"), request.args.get("code")
    # RFC 9207: an answer that says whose it is must be the one that was asked.
    if issuer is not None and issuer != client.provider.issuer:
        raise NotAuthenticated(NOT_LET_IN, "The answer is another issuer's.")
    if not code:
        error = request.args.get("error", "no code")
        log.info("an identity provider refused a sign-in", identity_provider=client.provider.name, error=error[:63])
        raise Invalid("Your identity provider did not sign you in.")
    database = context.runtime().database
    try:
        return clients.arrive(database, client, _callback(), code, begun.nonce, begun.verifier)
    except NotAuthenticated as error:
        log.warning("a sign-in was refused", identity_provider=client.provider.name, reason=error.reason)
        if begun.purpose is Purpose.TEST:
            raise NotAuthenticated(f"The test failed: {error.reason}", error.reason) from None
        raise


def _logout_url(provider_id: str, hint: str | None) -> str | None:
    runtime = context.runtime()
    try:
        client = oidc_sign_in.open_client(runtime.database, runtime.keyring, provider_id)
        return clients.logout_url(runtime.database, client, hint, f"{runtime.settings.base_url}/logout/done")
    except BridgeError as error:
        # The session here is over in any case.
        log.warning("the identity provider's sign-out cannot be reached", reason=str(error))
        return None


def _callback() -> str:
    return f"{context.runtime().settings.base_url}{CALLBACK}"
