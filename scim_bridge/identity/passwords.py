"""Passwords of local accounts: what one has to be like, and whether one is right. Only people's are hashed slowly."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from scim_bridge.domain.keys import fold
from scim_bridge.errors import Invalid

SHORTEST = 12
LONGEST = 256
FEWEST_LETTERS = 5

_hasher = PasswordHasher()
# Each takes 64 MB: many guesses at once must not take all there is.
_turns = BoundedSemaphore(4)


def checked(password: str, *names: str | None) -> str:
    """Return a password that may be set; raises Invalid for one that is short, or that others would try first."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(f"A password has {SHORTEST} to {LONGEST} characters; several words are best.", field="password")
    if len(set(password)) < FEWEST_LETTERS:
        raise Invalid("This password repeats itself too much.", field="password")
    if any(name and fold(name) in fold(password) for name in names):
        raise Invalid("A password does not hold your name or address.", field="password")
    return password


def hashed(password: str) -> str:
    """Return what is stored of a password."""
    with _turns:
        return _hasher.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Tell whether a password is the stored one; takes as long when there is none."""
    with _turns:
        try:
            return _hasher.verify(stored or _nobody(), password[: LONGEST + 1]) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody() -> str:
    # For who does not exist: an answer that comes sooner would tell.
    return _hasher.hash("nobody has this password, and it opens nothing")


def is_outdated(stored: str) -> bool:
    """Tell whether a stored password was hashed with less effort than is usual now."""
    return _hasher.check_needs_rehash(stored)
