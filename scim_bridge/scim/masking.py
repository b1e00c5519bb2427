"""
What may be kept of a request: no password and no token, wherever a client has put one.

Masking goes by names (an attribute, a parameter that is called like a secret), by the look of our own tokens, and by
the credential that came with the request itself. What it took away is remembered, so that no message quotes it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_plus
from uuid import UUID

import orjson

from scim_bridge.domain.provisioning import Document
from scim_bridge.log import MASK

SECRET_WORDS = ("password", "passwd", "secret", "token", "authorization", "credential", "api_key", "apikey")
SECRET_WORD = re.compile("|".join(SECRET_WORDS), re.IGNORECASE)
# A word in a text is no secret yet ("Password Reset Team"); these make it a filter, an object, an assignment.
MAKES_IT_ONE = re.compile(r'["\[{=:]')
OUR_TOKEN = re.compile(r"scimb_[A-Za-z0-9]{8}_[A-Za-z0-9_-]+")
QUOTED = re.compile(r"""['"].*['"]""", re.DOTALL)
PLAIN = re.compile(r"[A-Za-z0-9._~+/=-]*")
NAMING_KEYS = ("path", "name", "attribute", "attributename", "key")
SHORTEST_SECRET = 6
LONGEST_OF_A_STRANGER = 255
LONGEST_WORD_OF_A_STRANGER = 24


@dataclass(frozen=True, slots=True)
class Kept:
    """A body as it may be kept, and what was taken out of it."""

    text: str
    secrets: frozenset[str]


def mask_body(body: Document, credentials: Iterable[str] = ()) -> Kept:
    """Return a body as JSON in which no secret can be read."""
    credentials = tuple(credentials)
    sent = orjson.dumps(body).decode()
    if _is_clean(sent, credentials):
        return Kept(sent, frozenset())
    found: set[str] = set()
    masked = _masked(body, found)
    secrets = frozenset(each for each in found.union(credentials) if len(each) >= SHORTEST_SECRET)
    if any(each in text for text in _texts(masked) for each in secrets):
        # What one attribute was called a secret for may stand in another one too.
        masked = _without(masked, secrets)
    return Kept(mask_text(orjson.dumps(masked).decode()), frozenset(found))


def _is_clean(sent: str, credentials: tuple[str, ...]) -> bool:
    """Say whether a body as JSON holds nothing that could be one: nearly all do, and are not walked through."""
    return (
        not _is_secret(sent)
        and "scimb_" not in sent
        # What JSON writes in another way is not looked for in it.
        and all(each.isalnum() or PLAIN.fullmatch(each) for each in credentials)
        and not any(len(each) >= SHORTEST_SECRET and each in sent for each in credentials)
    )


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without these secrets, and without anything that looks like a token of ours."""
    for secret in secrets:
        # What is shorter stands everywhere by chance.
        if len(secret) >= SHORTEST_SECRET and secret in text:
            text = text.replace(secret, MASK)
    return OUR_TOKEN.sub(MASK, text) if "scimb_" in text else text


def mask_message(message: str, secrets: Iterable[str] = ()) -> str:
    """Return a sentence without the secrets that it quotes, whole or cut short."""
    masked = mask_text(message, secrets)
    return QUOTED.sub(MASK, masked) if _is_secret(masked) else masked


def mask_target(target: str, credentials: Iterable[str] = ()) -> str:
    """Return a path and query as they may be kept."""
    known = tuple(each for each in credentials if len(each) >= SHORTEST_SECRET)
    plain = unquote_plus(target)
    if not _tells(plain, known) and not _is_secret(plain):
        return target
    path, mark, query = target.partition("?")
    words = [MASK if _tells(unquote(word), known) else word for word in path.split("/")]
    return "/".join(words) + mark + "&".join(_masked_parameter(each, known) for each in query.split("&"))


def mask_strangers_target(target: str, credentials: Iterable[str] = ()) -> str:
    """Return where somebody knocked whom we do not know: the place and the names of parameters, no values."""
    path, mark, query = mask_target(target, credentials).partition("?")
    words = [word if _is_harmless(word) else MASK for word in path.split("/")]
    names = (name if _is_harmless(name) else MASK for name in (each.partition("=")[0] for each in query.split("&")))
    asked = "&".join(f"{name}={MASK}" for name in names) if query else ""
    return ("/".join(words) + mark + asked)[:LONGEST_OF_A_STRANGER]


def is_masked(text: str) -> bool:
    """Tell whether something was taken out of a text."""
    return MASK in text


def _is_harmless(word: str) -> bool:
    if len(word) < LONGEST_WORD_OF_A_STRANGER:
        return True
    try:
        return str(UUID(word)) == word.lower()
    except ValueError:
        return False


def _tells(plain: str, credentials: tuple[str, ...]) -> bool:
    return ("scimb_" in plain and OUR_TOKEN.search(plain) is not None) or any(each in plain for each in credentials)


def _masked_parameter(parameter: str, credentials: tuple[str, ...]) -> str:
    name, mark, value = parameter.partition("=")
    plain, named = unquote_plus(value), unquote_plus(name).lower()
    if _is_secret(named) or _is_secret(plain) or _tells(plain, credentials):
        return f"{name}{mark}{MASK}"
    return MASK if _tells(unquote_plus(name), credentials) else parameter


def _is_secret(text: str) -> bool:
    if text.isascii():
        # Nearly every text: looking for each word in turn takes a tenth of what the expression does.
        lowered = text.lower()
        return any(word in lowered for word in SECRET_WORDS)
    return SECRET_WORD.search(text) is not None


def _masked(value: Any, found: set[str]) -> Any:
    if isinstance(value, dict):
        naming = [key for key, each in value.items() if key.lower() in NAMING_KEYS and _names_a_secret(each)]
        # `{"path": "password", "value": …}` names what it holds beside it.
        spared = {*naming, "op"}
        return {
            key: _taken(each, found) if _is_secret(key) or (naming and key not in spared) else _masked(each, found)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_masked(each, found) for each in value]
    if isinstance(value, str) and _is_secret(value) and MAKES_IT_ONE.search(value) and not _is_attribute(value):
        # A filter, or JSON inside a string (scim-for-keycloak): it is not searched, none of it is kept.
        return _taken(value, found)
    return value


def _without(value: Any, secrets: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {mask_text(key, secrets): _without(each, secrets) for key, each in value.items()}
    if isinstance(value, list):
        return [_without(each, secrets) for each in value]
    return mask_text(value, secrets) if isinstance(value, str) else value


def _taken(value: Any, found: set[str]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    found.update(_texts(value))
    return MASK


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield str(value)


def _names_a_secret(value: object) -> bool:
    return isinstance(value, str) and _is_secret(value) and (_is_attribute(value) or bool(MAKES_IT_ONE.search(value)))


def _is_attribute(text: str) -> bool:
    # An attribute's name, with its schema before it or not; what follows a colon there is no value.
    return re.fullmatch(r"(?:urn:[\w:.-]+:)?[A-Za-z$][\w.$-]{0,63}", text) is not None
