"""
What a form did, told once on the page that comes after it.

It travels in a cookie that is signed with the browser's own secret: nobody else puts words into our mouth.
"""

import base64
import binascii
import hmac
from hashlib import sha256

import orjson
from flask import Response

from scim_bridge.web import cookies, csrf

COOKIE = "notice"
LONGEST_TEXT = 600
LONGEST_COOKIE = 4000


def leave(response: Response, text: str) -> None:
    """Let the next page tell something."""
    kept = base64.urlsafe_b64encode(orjson.dumps(text[:LONGEST_TEXT])).decode()
    cookies.write(response, COOKIE, f"{kept}.{_signature(kept)}")


def take() -> str | None:
    """Return what this page has to tell; None for nothing, and for what this browser was never given."""
    found = cookies.read(COOKIE, LONGEST_COOKIE)
    if found is None:
        return None
    kept, _, signature = found.partition(".")
    if not hmac.compare_digest(signature, _signature(kept)):
        return None
    try:
        text = orjson.loads(base64.urlsafe_b64decode(kept))
    except (binascii.Error, ValueError):
        return None
    return text if isinstance(text, str) else None


def forget(response: Response) -> None:
    """Take the notice away once it was told."""
    if cookies.read(COOKIE, LONGEST_COOKIE) is not None:
        cookies.forget(response, COOKIE)


def _signature(kept: str) -> str:
    return hmac.new(csrf.browser().encode(), b"notice:" + kept.encode(), sha256).hexdigest()
