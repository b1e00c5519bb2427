"""The cookies of a browser: who signed in, which browser it is before anybody has, and what it likes."""

from flask import Response, g, request

from scim_bridge.identity import sessions
from scim_bridge.identity.sessions import SessionBegun, Visit, Visitor
from scim_bridge.web import context

SESSION = "session"
BROWSER = "browser"


def name_of(kind: str) -> str:
    """Return a cookie's name: over https one that no other host, path or plain http can have set (RFC 6265bis)."""
    return f"__Host-scim-bridge-{kind}" if _is_secure() else f"scim-bridge-{kind}"


def read(kind: str, longest: int = 128) -> str | None:
    """Return what a cookie of ours holds; None for one that cannot be ours."""
    found = request.cookies.get(name_of(kind))
    return found if found and len(found) <= longest and found.isascii() else None


def write(response: Response, kind: str, value: str, *, seconds: int | None = None) -> None:
    """Give the browser, until it ends or for so long, a cookie that no script reads and no other site's form sends."""
    response.set_cookie(
        name_of(kind), value, max_age=seconds, path="/", secure=_is_secure(), httponly=True, samesite="Lax"
    )


def forget(response: Response, kind: str) -> None:
    """Take a cookie away."""
    response.delete_cookie(name_of(kind), path="/", secure=_is_secure(), httponly=True, samesite="Lax")


def visitor() -> Visitor | None:
    """Return who is signed in, as of the beginning of this request."""
    if "visitor" not in g:
        g.visitor = sessions.resume(context.runtime().database, read(SESSION), context.address())
    found: Visitor | None = g.visitor
    return found


def sign_in(response: Response, begun: SessionBegun) -> None:
    """Let the browser have a session; the one that it had before is nothing to it any more."""
    write(response, SESSION, begun.text)


def visit() -> Visit:
    """Return from where this request came, for a session that begins."""
    return Visit(context.address(), context.user_agent())


def note_use(response: Response) -> Response:
    """Note, when the answer is out, that the session is in use."""
    found = g.get("visitor")
    if found is not None and found.use_due:
        database = context.runtime().database
        response.call_on_close(lambda: sessions.note_use(database, found))
    return response


def _is_secure() -> bool:
    return context.runtime().settings.base_url.startswith("https://")
